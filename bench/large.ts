/**
 * `npm run bench:large [purge|subjects]`: one large stream on one node. `purge`: every form of purge over a million
 * messages, and how long another client waits for an answer meanwhile. `subjects`: ten million messages on a million
 * subjects: memory, what questions about many subjects cost, and how soon the stream answers after `kill -9`.
 * SCALE (default 1) multiplies the number of messages and subjects.
 */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AckPolicy, connect, DeliverPolicy, type NatsConnection, type StreamConfig } from 'nats';
import { waitFor } from '../test/harness/wait-for.ts';
import { contest, withLoadGenerator, type Contestant, type Result } from './contest.ts';

const SCALE = Number(process.env['SCALE'] ?? 1);
const MILLION = Math.round(1_000_000 * SCALE);
const PURGE_SUBJECTS = 1_000;
const MESSAGES_PER_SUBJECT = 10;
const MESSAGE_BYTES = 16;
const IN_FLIGHT = '2000';
const STREAM = 'LARGE';
const SUBJECT = 'large';
const PROBE_PAUSE_MS = 1;
const API_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 500;

const run = promisify(execFile);

interface Load {
  readonly messages: number;
  readonly subjects: number;
  readonly config?: Partial<StreamConfig>;
}

async function fill(loadGenerator: string, at: Contestant, { messages, subjects, config }: Load): Promise<void> {
  await at.jsm.streams.delete(STREAM).catch(() => undefined);
  await at.jsm.streams.add({ name: STREAM, subjects: [`${SUBJECT}.*`], allow_direct: true, ...config });
  const size = `${MESSAGE_BYTES}`;
  const port = `${at.servers.first.port}`;
  await run(loadGenerator, ['js', port, `${SUBJECT}.#`, `${messages}`, size, IN_FLIGHT, `${subjects}`]);
}

interface Timed {
  readonly ms: number;
  /** The longest that a request of another client took meanwhile. */
  readonly worstMs: number;
}

/** Runs `task` while another client asks for answers all the time. */
async function timed(at: Contestant, task: () => Promise<unknown>): Promise<Timed> {
  const probe = await connect({ servers: at.servers.urls });
  let worstMs = 0;
  const ended = new AbortController();
  const probing = (async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const begin = performance.now();
      await probe.flush();
      worstMs = Math.max(worstMs, performance.now() - begin);
      await delay(PROBE_PAUSE_MS);
    }
  })();
  const begin = performance.now();
  await task();
  const ms = performance.now() - begin;
  ended.abort();
  await probing;
  await probe.close();
  return { ms, worstMs };
}

function inWords({ ms, worstMs }: Timed): string {
  return `${ms.toFixed(0)} ms (${worstMs.toFixed(0)} ms)`;
}

async function requestJson(
  connection: NatsConnection,
  subject: string,
  body: object,
): Promise<Record<string, unknown>> {
  const reply = await connection.request(subject, JSON.stringify(body), { timeout: API_TIMEOUT_MS });
  return reply.json<Record<string, unknown>>();
}

const PURGES: readonly (readonly [form: string, body: object])[] = [
  ['everything', {}],
  ['all but one, by sequence', { seq: MILLION }],
  ['all but one, by keep', { keep: 1 }],
  ['everything, by filter', { filter: `${SUBJECT}.*` }],
  ['one subject, by filter', { filter: `${SUBJECT}.7` }],
  ['all but one, by filter and keep', { filter: `${SUBJECT}.*`, keep: 1 }],
];

async function measurePurges(loadGenerator: string, at: Contestant, subjects: number): Promise<Result[]> {
  const results: Result[] = [];
  for (const [form, body] of PURGES) {
    await fill(loadGenerator, at, { messages: MILLION, subjects });
    let purged: unknown;
    const time = await timed(at, async () => {
      ({ purged } = await requestJson(at.connection, `$JS.API.STREAM.PURGE.${STREAM}`, body));
    });
    results.push([`purge ${form}`, `${inWords(time)}, ${String(purged)} gone`]);
  }
  return results;
}

async function measureSubjects(loadGenerator: string, at: Contestant): Promise<Result[]> {
  const results: Result[] = [];
  const messages = MILLION * MESSAGES_PER_SUBJECT;
  await fill(loadGenerator, at, { messages: MILLION, subjects: MILLION });
  results.push([`resident, ${MILLION} subjects`, await residentMiB(at)]);
  await run(loadGenerator, [
    'js',
    `${at.servers.first.port}`,
    `${SUBJECT}.#`,
    `${messages - MILLION}`,
    `${MESSAGE_BYTES}`,
    IN_FLIGHT,
    `${MILLION}`,
  ]);
  results.push([`resident, ${messages} messages`, await residentMiB(at)]);
  for (const [question, ask] of questions(at)) results.push([question, inWords(await timed(at, ask))]);
  results.push(['resident after the questions', await residentMiB(at)]);
  results.push(['kill -9, start: first answer of the stream', await restart(at)]);
  return results;
}

function questions(at: Contestant): readonly (readonly [question: string, ask: () => Promise<unknown>])[] {
  const direct = (body: object): Promise<unknown> =>
    at.connection.request(`$JS.API.DIRECT.GET.${STREAM}`, JSON.stringify(body), { timeout: API_TIMEOUT_MS });
  const consumer = (name: string, filter: string, policy: DeliverPolicy): Promise<unknown> =>
    requestJson(at.connection, `$JS.API.CONSUMER.CREATE.${STREAM}.${name}`, {
      stream_name: STREAM,
      config: { name, ack_policy: AckPolicy.Explicit, deliver_policy: policy, filter_subject: filter },
    });
  return [
    ['direct get, last by wildcard', () => direct({ last_by_subj: `${SUBJECT}.*` })],
    ['direct get, next of a rare subject', () => direct({ next_by_subj: `${SUBJECT}.77`, seq: 2 })],
    ['direct get, next by wildcard that matches nothing', () => direct({ next_by_subj: '*.none', seq: 1 })],
    ['consumer with a wildcard filter', () => consumer('W', `${SUBJECT}.*`, DeliverPolicy.All)],
    ['consumer with the last of each subject', () => consumer('L', `${SUBJECT}.*`, DeliverPolicy.LastPerSubject)],
  ];
}

async function residentMiB({ servers }: Contestant): Promise<string> {
  return `${Math.round((await servers.first.residentBytes()) / 2 ** 20)} MiB`;
}

async function restart({ servers }: Contestant): Promise<string> {
  await servers.first.kill('SIGKILL');
  const begin = performance.now();
  servers.first.start();
  const connection = await waitFor('a connection', () =>
    connect({ servers: servers.urls, reconnect: false, timeout: CONNECT_TIMEOUT_MS }),
  );
  await waitFor('an answer of the stream', async () => {
    const reply = await connection.request(`$JS.API.STREAM.INFO.${STREAM}`, '', { timeout: API_TIMEOUT_MS });
    const { state } = reply.json<{ state?: { messages: number } }>();
    return state !== undefined && state.messages > 0;
  });
  const ms = performance.now() - begin;
  await connection.close();
  return `${ms.toFixed(0)} ms`;
}

const only = process.argv[2] ?? '';
await withLoadGenerator(async (loadGenerator) => {
  for (const subjects of [PURGE_SUBJECTS, MILLION]) {
    if (!'purge'.includes(only)) break;
    const title = `${MILLION} messages on ${subjects} subjects: time (longest wait of others)`;
    await contest(title, (at) => measurePurges(loadGenerator, at, subjects), 1);
  }
  if ('subjects'.includes(only)) {
    await contest('many subjects', (at) => measureSubjects(loadGenerator, at), 1);
  }
});
