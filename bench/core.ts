/**
 * Measures the front end alone, over loopback sockets: `tsx bench/core.ts`. Prints one line of JSON per case. The clients
 * run in a process of their own and only count bytes, so that what is measured is the server.
 *
 * `tsx bench/core.ts serve PORT` starts the server only, for other load generators.
 */
import { fork } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { silentLogger } from '../src/base/logger.ts';
import { SystemRuntime } from '../src/base/runtime.ts';
import { createFrontEnd, type FrontEnd } from '../src/server/front-end.ts';
import type { Publication } from '../src/server/router-types.ts';

interface Case {
  readonly title: string;
  /** One operation, repeated `count` times. */
  readonly operation: string;
  readonly count: number;
  /** What a second connection subscribes to, and how many bytes each message is for it. */
  readonly subscribe?: string;
  readonly bytesPerMessage?: number;
}

const CONNECT =
  'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"protocol":1}\r\nPING\r\n';
const WRITE_BYTES = 128 * 1024;
const body = (bytes: number): string => `${bytes}\r\n${'x'.repeat(bytes)}\r\n`;
const ACK = Buffer.from('{"stream":"S","seq":1234567}');

const CASES: readonly Case[] = [
  { title: 'publish 16 B, nobody subscribed', operation: `PUB foo ${body(16)}`, count: 4_000_000 },
  {
    title: 'publish 16 B to one subscriber',
    operation: `PUB foo ${body(16)}`,
    count: 2_000_000,
    subscribe: 'SUB foo 1\r\n',
    bytesPerMessage: `MSG foo 1 ${body(16)}`.length,
  },
  {
    title: 'publish 1 KiB to one subscriber',
    operation: `PUB foo ${body(1024)}`,
    count: 400_000,
    subscribe: 'SUB foo 1\r\n',
    bytesPerMessage: `MSG foo 1 ${body(1024)}`.length,
  },
  {
    title: 'publish 128 B with a reply that a capture answers',
    operation: `PUB js.x _I1.0.42 ${body(128)}`,
    count: 1_000_000,
    subscribe: 'SUB _I1.0.* 1\r\n',
    bytesPerMessage: `MSG _I1.0.42 1 ${ACK.length}\r\n`.length + ACK.length + 2,
  },
];

/** Answers captured messages the way a stream does: many at once, after the turn in which they came. */
function answerCaptured(frontEnd: FrontEnd): void {
  const replies = Buffer.alloc(4 * 1024 * 1024);
  const ends: number[] = [];
  const answer = (): void => {
    let start = 0;
    for (const end of ends) {
      frontEnd.router.publishReply('$G', replies, start, end, ACK, ACK.length);
      start = end;
    }
    ends.length = 0;
  };
  frontEnd.router.addCapture('$G', ['js.>'], {
    capture: ({ buffer, replyStart, replyEnd }: Publication) => {
      if (ends.length === 0) setImmediate(answer);
      const at = ends.at(-1) ?? 0;
      ends.push(at + buffer.copy(replies, at, replyStart, replyEnd));
      return true;
    },
  });
}

async function serve(port: number): Promise<FrontEnd> {
  const frontEnd = createFrontEnd({
    runtime: new SystemRuntime(),
    logger: silentLogger,
    port,
    serverInfo: (bound) => ({
      serverId: 'NBENCH',
      serverName: 'bench',
      version: '2.11.0',
      runtimeVersion: process.version,
      host: '127.0.0.1',
      port: bound,
      jetstream: false,
      xkey: '',
      apiLevel: 0,
      connectUrls: [],
      lameDuck: false,
    }),
  });
  answerCaptured(frontEnd);
  await frontEnd.listen();
  return frontEnd;
}

/** Resolves when `socket` has received `text` after this call. */
function received(socket: Socket, text: string): Promise<void> {
  let tail = '';
  return new Promise((resolve) => {
    const look = (chunk: Buffer): void => {
      tail = (tail + chunk.toString('latin1')).slice(-4096);
      if (!tail.includes(text)) return;
      socket.off('data', look);
      resolve();
    };
    socket.on('data', look);
  });
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.write(CONNECT);
  await received(socket, 'PONG\r\n');
  return socket;
}

interface MessageCounter {
  /** Resolves when as many bytes came as all messages make. */
  readonly done: Promise<void>;
}

async function countMessages(port: number, { subscribe, bytesPerMessage = 0, count }: Case): Promise<MessageCounter> {
  const socket = await dial(port);
  const ready = received(socket, 'PONG\r\n');
  socket.write(`${subscribe ?? ''}PING\r\n`);
  await ready;
  let missing = subscribe === undefined ? 0 : bytesPerMessage * count;
  const done = new Promise<void>((resolve) => {
    const settle = (): void => {
      if (missing > 0) return;
      socket.destroy();
      resolve();
    };
    socket.on('data', (chunk: Buffer) => {
      missing -= chunk.length;
      settle();
    });
    settle();
  });
  return { done };
}

async function measure(port: number, measured: Case): Promise<void> {
  const arrived = await countMessages(port, measured);
  const publisher = await dial(port);
  const perWrite = Math.ceil(WRITE_BYTES / measured.operation.length);
  const block = Buffer.from(measured.operation.repeat(perWrite));
  const startMs = performance.now();
  const flushed = received(publisher, 'PONG\r\n');
  for (let sent = 0; sent < measured.count; sent += perWrite) {
    const now = Math.min(perWrite, measured.count - sent);
    const more = publisher.write(now === perWrite ? block : block.subarray(0, now * measured.operation.length));
    if (!more) await new Promise((resolve) => publisher.once('drain', resolve));
  }
  publisher.write('PING\r\n');
  await Promise.all([flushed, arrived.done]);
  const seconds = (performance.now() - startMs) / 1000;
  publisher.destroy();
  const perSecond = Math.round(measured.count / seconds);
  console.log(
    JSON.stringify({ case: measured.title, messages: measured.count, seconds: Number(seconds.toFixed(3)), perSecond }),
  );
}

const [role = 'all', port = '0'] = process.argv.slice(2);
if (role === 'load') {
  for (const measured of CASES) await measure(Number(port), measured);
} else {
  const frontEnd = await serve(Number(port));
  console.error(`listening on ${frontEnd.port}`);
  if (role === 'all') {
    const load = fork(import.meta.filename, ['load', String(frontEnd.port)]);
    load.once('exit', (code) => {
      process.exitCode = code ?? 1;
      void frontEnd.close();
    });
  }
}
