/** Owns what tests of the front end share: a server without ports, and clients that speak to it through pipes. */
import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import { silentLogger } from '../../src/base/logger.ts';
import { createFrontEnd, type FrontEnd, type FrontEndOptions } from '../../src/server/front-end.ts';
import type { ServerInfo } from '../../src/server/protocol/index.ts';
import { ManualRuntime } from './manual-runtime.ts';

/** Turns of the event loop that a condition is given to come true: far more than any takes, and no clock involved. */
const MAX_TURNS = 5_000;

export const SERVER_INFO: ServerInfo = {
  serverId: 'NTEST',
  serverName: 'test',
  version: '2.11.0',
  runtimeVersion: process.version,
  host: '127.0.0.1',
  port: 4222,
  jetstream: false,
  xkey: '',
  apiLevel: 0,
  connectUrls: [],
  lameDuck: false,
};

export const CONNECT =
  'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"protocol":1,"lang":"test"}\r\n';

export interface TestServer {
  readonly frontEnd: FrontEnd;
  readonly runtime: ManualRuntime;
}

export function startServer(options: Partial<FrontEndOptions> = {}): TestServer {
  const runtime = new ManualRuntime();
  const frontEnd = createFrontEnd({ runtime, logger: silentLogger, serverInfo: () => SERVER_INFO, ...options });
  return { frontEnd, runtime };
}

/** Waits, turn by turn, until `condition` holds. */
export async function until(what: string | (() => string), condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`never came true: ${typeof what === 'string' ? what : what()}`);
}

/** One client: what it sends and, as a byte string, what it received. */
export class TestClient {
  received = '';
  closed = false;
  readonly transport: Duplex;
  #pings = 0;

  constructor({ frontEnd }: TestServer) {
    const [near, far] = duplexPair();
    this.transport = near;
    near.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
    });
    near.on('end', () => {
      this.closed = true;
      near.end();
    });
    near.on('close', () => {
      this.closed = true;
    });
    // A pipe's ends do not notice each other's end by themselves, as those of a socket do.
    far.on('close', () => {
      near.destroy();
    });
    near.on('close', () => {
      far.destroy();
    });
    frontEnd.accept(far, { host: '127.0.0.1', port: 50_000 });
  }

  /** Connected in the usual way; what it received so far is forgotten. */
  static async connected(server: TestServer, connect = CONNECT): Promise<TestClient> {
    const client = new TestClient(server);
    await client.roundTrip(connect);
    client.received = '';
    return client;
  }

  send(text: string | Buffer): void {
    this.transport.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Sends, and waits for the answer to a PING behind it, or for the end of the connection. Returns all received since. */
  async roundTrip(text: string | Buffer = ''): Promise<string> {
    const from = this.received.length;
    const before = this.#pongs();
    this.send(text);
    this.send('PING\r\n');
    this.#pings++;
    await until(`PONG ${this.#pings} to ${JSON.stringify(String(text).slice(0, 200))}`, () => {
      return this.closed || this.#pongs() > before;
    });
    return this.received.slice(from);
  }

  async expect(text: string): Promise<void> {
    const what = (): string => `receiving ${JSON.stringify(text)}, got ${JSON.stringify(this.received.slice(-500))}`;
    await until(what, () => this.received.includes(text));
  }

  async expectClosed(): Promise<void> {
    await until('the connection closes', () => this.closed);
  }

  #pongs(): number {
    return this.received.split('PONG\r\n').length - 1;
  }
}

/** INFO lines cut down to their verb, which is what most tests want to see of them. */
export function withoutInfo(output: string): string {
  return output.replace(/INFO \{.*\} \r\n/g, (line) => (line.includes('"connect_info":true') ? '<INFO+>' : '<INFO>'));
}
