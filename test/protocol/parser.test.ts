import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import {
  type Message,
  type OperationHandler,
  type ParseFailure,
  ProtocolParser,
} from '../../src/server/protocol/index.ts';

const TERMS = { maxPayload: 1000, headersAllowed: true, connectRequired: false };
const MAX_CONTROL_LINE = 200;

/** Writes down every operation, and checks on the way that a repeated subject was announced truly. */
class Recorder implements OperationHandler {
  readonly operations: string[] = [];
  /** Called after each operation, while the parser is in the midst of the chunk. */
  onNoted: () => void = () => undefined;
  #subject = '';

  onPublish(message: Message, sameSubject: boolean): void {
    const { buffer } = message;
    const part = (start: number, end: number): string => buffer.toString('latin1', start, end);
    const subject = part(message.subjectStart, message.subjectEnd);
    if (sameSubject) assert.equal(subject, this.#subject);
    this.#subject = subject;
    const reply = part(message.replyStart, message.replyEnd);
    const headers = part(message.headersStart, message.headersEnd);
    this.#note(`PUB ${subject}|${reply}|${headers}|${part(message.payloadStart, message.payloadEnd)}`);
  }

  onSubscribe(subject: string, queue: string | undefined, sid: string): void {
    this.#note(`SUB ${subject}|${queue ?? '-'}|${sid}`);
  }

  onUnsubscribe(sid: string, max: number): void {
    this.#note(`UNSUB ${sid}|${max}`);
  }

  onPing(): void {
    this.#note('PING');
  }

  onPong(): void {
    this.#note('PONG');
  }

  onConnect(json: Buffer): boolean {
    this.#note(`CONNECT ${json.toString('latin1')}`);
    return true;
  }

  onFailure(failure: ParseFailure): void {
    this.#note(`FAILED ${failure}`);
  }

  #note(operation: string): void {
    this.operations.push(operation);
    this.onNoted();
  }
}

/** Parses `input` cut at the given offsets. Every chunk is a copy that is overwritten as soon as it was parsed. */
function parse(input: Buffer, cuts: readonly number[] = []): string[] {
  const recorder = new Recorder();
  const parser = new ProtocolParser(recorder, { maxControlLine: MAX_CONTROL_LINE, terms: TERMS });
  const ends = [...cuts].sort((a, b) => a - b);
  let start = 0;
  for (const end of [...ends, input.length]) {
    const chunk = Buffer.from(input.subarray(start, end));
    parser.feed(chunk);
    chunk.fill(0);
    start = end;
  }
  return recorder.operations;
}

const SESSION = Buffer.from(
  'CONNECT {"verbose":false}\r\nPING\r\nsub foo.> 7\r\nSUB\tbar  grp\t8 \r\npub foo.a 2\r\nhi\r\nPUB foo.a 2\r\nho\r\n' +
    'PUB foo.a inbox.1 3\r\nabc\r\nPUB foo.a inbox.2 3\r\nabd\r\nHPUB foo.a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n' +
    'HPUB foo.b r 12 12\nNATS/1.0\r\n\r\n\r\nPONG\r\nUNSUB 7 5\r\nUNSUB 8\nPUB foo.a 0\r\n\r\nPUB foo.a 10\r\n\r\nPING\r\n\r\n\r\n' +
    'PUB foo.ab 1\r\nx\r\nPUB foo.a 1\r\ny\r\nPUB foo.abc 1\r\nz\r\n+OK\r\nINFO {}\r\nPING\r\n',
  'latin1',
);

test('a session cut in two at any byte means the same as whole', () => {
  const whole = parse(SESSION);
  assert.equal(whole.length, 19);
  for (let cut = 0; cut <= SESSION.length; cut++) assert.deepEqual(parse(SESSION, [cut]), whole, `cut at ${cut}`);
});

test('a session that arrives byte by byte means the same as whole', () => {
  const everywhere = Array.from(SESSION.keys());
  assert.deepEqual(parse(SESSION, everywhere), parse(SESSION));
});

/** Pieces of sessions, whole and broken, in any order. */
const piece = fc.oneof(
  fc.constantFrom(
    'PING\r\n',
    'PONG\r\n',
    'SUB a 1\r\n',
    'PUB a 1\r\nx\r\n',
    'PUB a b 2\r\nxy\r\n',
    'UNSUB 1\r\n',
    'CONNECT {}\r\n',
  ),
  fc.constantFrom(
    'PUB',
    ' ',
    '\t',
    '\r',
    '\n',
    '\r\n',
    'H',
    '1',
    '999',
    '1000000000',
    '-',
    'foo.bar',
    '*',
    '>',
    '+OK',
    '-ERR',
    'INFO ',
  ),
  fc.constantFrom(
    'HPUB a 3 5\r\nabcde\r\n',
    'HPUB a r 0 0\r\n\r\n',
    'PUB a 1001\r\n',
    'a'.repeat(150),
    ' '.repeat(90),
    'pInGx\n',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 6 }),
);
const mutated = fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.from(pieces.join(''), 'latin1'));

test('mutated sessions mean the same however they are cut, and a failure is the last thing said', () => {
  fc.assert(
    fc.property(mutated, fc.array(fc.nat(200), { maxLength: 6 }), (input, cuts) => {
      const whole = parse(input);
      const within = cuts.map((cut) => Math.min(cut, input.length));
      assert.deepEqual(parse(input, within), whole);
      const failures = whole.filter((operation) => operation.startsWith('FAILED'));
      assert.ok(failures.length <= 1 && (failures.length === 0 || whole.at(-1) === failures[0]));
    }),
    { numRuns: 20_000 },
  );
});

test('random bytes never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      parse(Buffer.from(bytes));
    }),
    { numRuns: 20_000 },
  );
});

test('pausing anywhere loses nothing and changes nothing', () => {
  const whole = parse(SESSION);
  for (let pauseAfter = 1; pauseAfter < whole.length; pauseAfter++) {
    const recorder = new Recorder();
    const parser = new ProtocolParser(recorder, { maxControlLine: MAX_CONTROL_LINE, terms: TERMS });
    recorder.onNoted = () => {
      if (recorder.operations.length === pauseAfter) parser.pause();
    };
    parser.feed(SESSION.subarray(0, 100));
    parser.feed(SESSION.subarray(100));
    assert.deepEqual(recorder.operations, whole.slice(0, pauseAfter), `pausing after ${pauseAfter}`);
    parser.resume();
    assert.deepEqual(recorder.operations, whole);
  }
});

test('nothing is allocated for a payload that was only announced', () => {
  const terms = { ...TERMS, maxPayload: 900_000_000 };
  const parser = new ProtocolParser(new Recorder(), { maxControlLine: MAX_CONTROL_LINE, terms });
  const before = process.memoryUsage().arrayBuffers;
  parser.feed(Buffer.from('PUB a 899999999\r\n'));
  for (let i = 0; i < 100; i++) parser.feed(Buffer.from('x'.repeat(100)));
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
});

test('a payload in many small chunks is put together in time linear in its size', () => {
  const recorder = new Recorder();
  const parser = new ProtocolParser(recorder, {
    maxControlLine: MAX_CONTROL_LINE,
    terms: { ...TERMS, maxPayload: 8_000_000 },
  });
  parser.feed(Buffer.from('PUB a 4000000\r\n'));
  const chunk = Buffer.alloc(400, 'x');
  for (let i = 0; i < 10_000; i++) parser.feed(chunk);
  parser.feed(Buffer.from('\r\nPING\r\n'));
  assert.equal(recorder.operations[0]?.length, 'PUB a|||'.length + 4_000_000);
  assert.equal(recorder.operations[1], 'PING');
});

test('a repeated control line is not taken for granted once the terms have changed', () => {
  const recorder = new Recorder();
  const parser = new ProtocolParser(recorder, { maxControlLine: MAX_CONTROL_LINE, terms: TERMS });
  const publish = Buffer.from('HPUB a 2 4\r\nabcd\r\n');
  parser.feed(publish);
  parser.setTerms({ ...TERMS, headersAllowed: false });
  parser.feed(publish);
  assert.deepEqual(recorder.operations, ['PUB a||ab|cd', 'FAILED malformed']);
});

test('where CONNECT is required, any other first byte is refused', () => {
  for (const input of ['PING\r\n', 'p', 'INFO {}\r\n']) {
    const recorder = new Recorder();
    const terms = { ...TERMS, connectRequired: true };
    new ProtocolParser(recorder, { maxControlLine: MAX_CONTROL_LINE, terms }).feed(Buffer.from(input));
    assert.deepEqual(recorder.operations, ['FAILED connectRequired']);
  }
});
