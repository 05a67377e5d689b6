/** Owns `server`: what a client can learn about the server that it is connected to. */
import { setTimeout as delay } from 'node:timers/promises';
import { command, group } from '../command.ts';
import { count, duration, withDefault } from '../parameters/index.ts';
import { formatBytes, formatCount, formatDuration } from '../units.ts';
import { CHECK } from './check.ts';
import { CLUSTER } from './cluster.ts';
import { LS, REQUEST } from './system.ts';

const INFO = command({
  summary: 'Show who the server is',
  parameters: {},
  examples: ['server info'],
  run: async (_, context) => {
    const connection = await context.connect();
    const info = connection.info!;
    const yes = (on: boolean | undefined): string => (on === true ? 'yes' : 'no');
    await context.output.document(info, () =>
      context.output.facts([
        {
          title: `Server ${info.server_name}`,
          facts: [
            ['Id', info.server_id],
            ['Version', info.version],
            ['Address', connection.getServer()],
            ['Cluster', info.cluster],
            ['Other servers', info.connect_urls?.join(', ')],
            ['JetStream', yes(info.jetstream)],
            ['API level', info.api_lvl === undefined ? undefined : String(info.api_lvl)],
            ['Largest payload', formatBytes(info.max_payload)],
            ['TLS required', yes(info.tls_required)],
            ['Authentication', yes(info.auth_required)],
            ['Client id', formatCount(info.client_id)],
            ['Client address', info.client_ip],
          ],
        },
      ]),
    );
  },
});

const PING = command({
  summary: 'Measure how long the server takes to answer',
  parameters: {
    count: withDefault(count('How often', { short: 'n' }), 5),
    interval: withDefault(duration('How long to wait between'), 200, '200ms'),
  },
  examples: ['server ping', 'server ping --count 10 --interval 1s'],
  run: async ({ count, interval }, context) => {
    const connection = await context.connect();
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      if (i > 0) await delay(interval);
      const begin = performance.now();
      await connection.flush();
      times.push(performance.now() - begin);
      await context.output.say(`${connection.getServer()}: ${formatDuration(times.at(-1)!)}`);
    }
    const average = times.reduce((sum, time) => sum + time, 0) / count;
    const document = {
      server: connection.getServer(),
      count,
      min_ms: Math.min(...times),
      avg_ms: average,
      max_ms: Math.max(...times),
    };
    await context.output.document(document, () => {
      return `min ${formatDuration(document.min_ms)}, average ${formatDuration(average)}, max ${formatDuration(document.max_ms)}\n`;
    });
  },
});

export const SERVER = group({
  summary: 'The server: who it is, how far, how well',
  commands: { info: INFO, ping: PING, check: CHECK, ls: LS, request: REQUEST, cluster: CLUSTER },
  aliases: { rtt: 'ping', list: 'ls', req: 'request' },
  examples: ['server info', 'server check'],
});
