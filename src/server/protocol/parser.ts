/**
 * Owns turning a client's byte stream into operations: incremental, in place, with bounds.
 *
 * Operations are handled where they lie in the chunk. Only one that a chunk's end cuts in two is copied, into the carry
 * buffer, which grows by doubling as bytes arrive (never to a size that was merely announced). A PUB whose control line
 * repeats the one before, or at least its subject, is recognised by comparing bytes: then nothing is looked up again.
 */
import { ArgumentList, argumentsStart, mayBecomeVerb, readVerb, type Verb } from './control-line.ts';
import { copyBytes } from '../../base/byte-writing.ts';
import { CR, LF, NO_BYTES } from './bytes.ts';
import { Message } from './message.ts';

export type ParseFailure =
  | 'unknownOperation'
  /** The right verb with wrong arguments: the connection closes without a word. */
  | 'malformed'
  | 'controlLineTooLong'
  | 'payloadTooLarge'
  /** Another operation than CONNECT came first where one was required. */
  | 'connectRequired'
  | 'clientError';

/** Receives the operations of one connection, in order. It may call the parser's `pause` and `stop` at any time. */
export interface OperationHandler {
  /** The message is valid during the call. `sameSubject`: as in the call before, so what was looked up still serves. */
  onPublish(message: Message, sameSubject: boolean): void;
  /** Arguments are byte strings. */
  onSubscribe(subject: string, queue: string | undefined, sid: string): void;
  /** `max` 0: remove at once. */
  onUnsubscribe(sid: string, max: number): void;
  onPing(): void;
  onPong(): void;
  /** Returns false if the options are not acceptable JSON: treated like malformed arguments. */
  onConnect(json: Buffer): boolean;
  /** The last call: nothing is parsed after a failure. */
  onFailure(failure: ParseFailure): void;
}

/** What a CONNECT, and who it authenticates, may change. */
export interface ParserTerms {
  readonly maxPayload: number;
  /** HPUB is refused without it. */
  readonly headersAllowed: boolean;
  /** Any operation but CONNECT is refused. */
  readonly connectRequired: boolean;
}

const INITIAL_CARRY_BYTES = 512;
/** A carry buffer above this is dropped after use instead of kept. */
const KEPT_CARRY_BYTES = 16 * 1024;
/** The longest control line worth remembering for the next. */
const REMEMBERED_LINE_BYTES = 512;
const INCOMPLETE = -1;
const FAILED = -2;
const LOWER_C = 0x63;
const LOWER_CASE = 0x20;
/** Control lines are short: up to here a loop finds their end before native code is even entered. */
const LOOKED_AT_BYTES = 96;

export class ProtocolParser {
  #terms: ParserTerms;
  readonly #maxControlLine: number;
  readonly #handler: OperationHandler;
  readonly #message = new Message();
  readonly #arguments = new ArgumentList();

  #paused = false;
  #stopped = false;
  /** Chunks, or the rest of one, that arrived and wait for `resume`. */
  readonly #backlog: Buffer[] = [];

  #carry: Buffer = NO_BYTES;
  #carried = 0;
  /** Length of the carried operation once its control line is known; 0 before. */
  #needed = 0;

  /** The control line of the last PUB or HPUB, through its LF, and where its parts lie within. */
  readonly #line = Buffer.allocUnsafe(REMEMBERED_LINE_BYTES);
  #lineBytes = 0;
  readonly #lineParts = { subjectStart: 0, subjectEnd: 0, replyStart: 0, replyEnd: 0, headers: 0, total: 0 };

  constructor(handler: OperationHandler, options: { readonly maxControlLine: number; readonly terms: ParserTerms }) {
    this.#handler = handler;
    this.#maxControlLine = options.maxControlLine;
    this.#terms = options.terms;
  }

  /** Holds from the next operation on. */
  setTerms(terms: ParserTerms): void {
    this.#terms = terms;
    // A remembered line is not checked again.
    this.#lineBytes = 0;
  }

  /** Parses `chunk`, whose bytes must not change afterwards as long as the parser is paused. */
  feed(chunk: Buffer): void {
    if (this.#stopped) return;
    if (this.#paused || this.#backlog.length > 0) this.#backlog.push(chunk);
    else this.#consume(chunk);
  }

  /** Stops after the current operation; what was fed and not parsed is kept. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    while (this.#backlog.length > 0 && !this.#halted) this.#consume(this.#backlog.shift()!);
  }

  /** For good: the connection closes. */
  stop(): void {
    this.#stopped = true;
    this.#backlog.length = 0;
    this.#carry = NO_BYTES;
    this.#carried = 0;
  }

  get #halted(): boolean {
    return this.#paused || this.#stopped;
  }

  #consume(chunk: Buffer): void {
    const end = chunk.length;
    let at = this.#carried > 0 ? this.#continueCarried(chunk) : 0;
    while (at >= 0 && at < end && !this.#halted) {
      const next = this.#operation(chunk, at, end);
      if (next === INCOMPLETE) this.#append(chunk, at, end);
      at = next === INCOMPLETE ? end : next;
    }
    // The buffers must not outlive the call by hanging on the message: a chunk is far larger than an idle connection.
    this.#message.setBuffer(NO_BYTES);
    if (at >= 0 && at < end && !this.#stopped) this.#backlog.unshift(chunk.subarray(at));
  }

  /** Completes the operation in the carry buffer; returns where in `chunk` the next begins. */
  #continueCarried(chunk: Buffer): number {
    if (this.#needed > 0) return this.#continuePayload(chunk, 0);
    const lineFeed = chunk.indexOf(LF);
    const at = lineFeed < 0 ? chunk.length : lineFeed + 1;
    this.#append(chunk, 0, at);
    const next = this.#operation(this.#carry, 0, this.#carried);
    if (next === INCOMPLETE) return this.#continuePayload(chunk, at);
    if (next === FAILED) return FAILED;
    this.#releaseCarry();
    return at;
  }

  #continuePayload(chunk: Buffer, at: number): number {
    // Not even the control line is complete.
    if (this.#needed === 0) return at;
    const taken = Math.min(this.#needed - this.#carried, chunk.length - at);
    this.#append(chunk, at, at + taken);
    if (this.#carried < this.#needed) return chunk.length;
    if (this.#operation(this.#carry, 0, this.#carried) === FAILED) return FAILED;
    this.#releaseCarry();
    return at + taken;
  }

  #append(chunk: Buffer, start: number, end: number): void {
    const size = this.#carried + end - start;
    if (size > this.#carry.length) {
      const doubled = Math.max(size, INITIAL_CARRY_BYTES, this.#carry.length * 2);
      const larger = Buffer.allocUnsafeSlow(
        this.#needed === 0 ? doubled : Math.max(size, Math.min(doubled, this.#needed)),
      );
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    copyBytes(this.#carry, this.#carried, chunk, start, end);
    this.#carried = size;
  }

  #releaseCarry(): void {
    this.#carried = 0;
    this.#needed = 0;
    if (this.#carry.length > KEPT_CARRY_BYTES) this.#carry = NO_BYTES;
  }

  /** Handles the operation at `at` of `buffer[0, end)` and returns where it ends, or INCOMPLETE or FAILED. */
  #operation(buffer: Buffer, at: number, end: number): number {
    const lineBytes = this.#lineBytes;
    let common = 0;
    if (lineBytes > 0 && at + lineBytes <= end) {
      const line = this.#line;
      while (common < lineBytes && buffer[at + common] === line[common]) common++;
      if (common === lineBytes) return this.#publish(buffer, at, end, true);
    }
    return this.#otherOperation(buffer, at, end, common);
  }

  /** `common`: how many bytes agree with the remembered line. */
  #otherOperation(buffer: Buffer, at: number, end: number, common: number): number {
    if (this.#terms.connectRequired && (buffer[at]! | LOWER_CASE) !== LOWER_C) return this.#fail('connectRequired');
    const lineFeed = findLineFeed(buffer, at + common, end);
    if (lineFeed < 0) return this.#unfinishedLine(buffer, at, end);
    const verb = readVerb(buffer, at, lineFeed);
    if (verb === undefined) return this.#fail('unknownOperation');
    const start = argumentsStart(buffer, at, lineFeed, verb);
    const lineEnd = buffer[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
    if (this.#lineTooLong(at, start, lineEnd)) return this.#fail('controlLineTooLong');
    if (verb === 'PUB' || verb === 'HPUB') {
      const sameSubject = this.#lineBytes > 0 && common > this.#lineParts.subjectEnd;
      if (!this.#readPublish(buffer, at, { start, lineFeed, withHeaders: verb === 'HPUB' })) return FAILED;
      return this.#publish(buffer, at, end, sameSubject, lineFeed + 1 - at);
    }
    return this.#control(verb, buffer, start, lineEnd) ? lineFeed + 1 : FAILED;
  }

  #unfinishedLine(buffer: Buffer, at: number, end: number): number {
    if (!mayBecomeVerb(buffer, at, end)) return this.#fail('unknownOperation');
    const verb = readVerb(buffer, at, end);
    const start = verb === undefined ? at : argumentsStart(buffer, at, end, verb);
    const lineEnd = buffer[end - 1] === CR ? end - 1 : end;
    return this.#lineTooLong(at, start, lineEnd) ? this.#fail('controlLineTooLong') : INCOMPLETE;
  }

  /** The limit is on the arguments. Blanks before them do not count, but must not be endless either. */
  #lineTooLong(at: number, start: number, lineEnd: number): boolean {
    return lineEnd - start > this.#maxControlLine || start - at > this.#maxControlLine;
  }

  /** Reads the arguments of PUB or HPUB into `#lineParts`, relative to `at`. */
  #readPublish(
    buffer: Buffer,
    at: number,
    line: { readonly start: number; readonly lineFeed: number; readonly withHeaders: boolean },
  ): boolean {
    const args = this.#arguments;
    const parts = this.#lineParts;
    args.split(buffer, line.start, line.lineFeed);
    const sizes = line.withHeaders ? 2 : 1;
    const hasReply = args.count === sizes + 2;
    this.#lineBytes = 0;
    if (args.count !== sizes + 1 && !hasReply) return this.#malformed();
    const total = args.size(buffer, args.count - 1);
    const headers = line.withHeaders ? args.size(buffer, args.count - 2) : 0;
    if (total < 0 || headers < 0 || headers > total) return this.#malformed();
    if (line.withHeaders && !this.#terms.headersAllowed) return this.#malformed();
    if (total > this.#terms.maxPayload) {
      this.#fail('payloadTooLarge');
      return false;
    }
    parts.subjectStart = args.start(0) - at;
    parts.subjectEnd = args.end(0) - at;
    parts.replyStart = hasReply ? args.start(1) - at : 0;
    parts.replyEnd = hasReply ? args.end(1) - at : 0;
    parts.headers = headers;
    parts.total = total;
    return true;
  }

  /** The message whose control line is described by `#lineParts` and, if remembered, is `#lineBytes` long. */
  #publish(buffer: Buffer, at: number, end: number, sameSubject: boolean, lineBytes = this.#lineBytes): number {
    const parts = this.#lineParts;
    const bodyStart = at + lineBytes;
    const bodyEnd = bodyStart + parts.total;
    if (bodyEnd + 2 > end) {
      this.#needed = lineBytes + parts.total + 2;
      return INCOMPLETE;
    }
    if (buffer[bodyEnd] !== CR || buffer[bodyEnd + 1] !== LF) return this.#fail('unknownOperation');
    if (this.#lineBytes === 0 && lineBytes <= REMEMBERED_LINE_BYTES) {
      copyBytes(this.#line, 0, buffer, at, bodyStart);
      this.#lineBytes = lineBytes;
    }
    const message = this.#message;
    if (message.buffer !== buffer) message.setBuffer(buffer);
    message.subjectStart = at + parts.subjectStart;
    message.subjectEnd = at + parts.subjectEnd;
    message.replyStart = at + parts.replyStart;
    message.replyEnd = at + parts.replyEnd;
    message.headersStart = bodyStart;
    message.headersEnd = bodyStart + parts.headers;
    message.payloadStart = message.headersEnd;
    message.payloadEnd = bodyEnd;
    this.#handler.onPublish(message, sameSubject);
    return bodyEnd + 2;
  }

  /** Every verb without a payload. */
  #control(verb: Exclude<Verb, 'PUB' | 'HPUB'>, buffer: Buffer, start: number, end: number): boolean {
    switch (verb) {
      case 'PING':
        this.#handler.onPing();
        return true;
      case 'PONG':
        this.#handler.onPong();
        return true;
      case 'SUB':
        return this.#subscribe(buffer, start, end);
      case 'UNSUB':
        return this.#unsubscribe(buffer, start, end);
      case 'CONNECT':
        return this.#handler.onConnect(buffer.subarray(start, end)) || this.#malformed();
      case '-ERR':
        this.#fail('clientError');
        return false;
      case 'INFO':
      case '+OK':
        return true;
    }
  }

  #subscribe(buffer: Buffer, start: number, end: number): boolean {
    const args = this.#arguments;
    args.split(buffer, start, end);
    if (args.count !== 2 && args.count !== 3) return this.#malformed();
    const queue = args.count === 3 ? args.text(buffer, 1) : undefined;
    this.#handler.onSubscribe(args.text(buffer, 0), queue, args.text(buffer, args.count - 1));
    return true;
  }

  #unsubscribe(buffer: Buffer, start: number, end: number): boolean {
    const args = this.#arguments;
    args.split(buffer, start, end);
    if (args.count !== 1 && args.count !== 2) return this.#malformed();
    const max = args.count === 2 ? Math.max(args.size(buffer, 1), 0) : 0;
    this.#handler.onUnsubscribe(args.text(buffer, 0), max);
    return true;
  }

  #malformed(): false {
    this.#fail('malformed');
    return false;
  }

  #fail(failure: ParseFailure): typeof FAILED {
    this.stop();
    this.#handler.onFailure(failure);
    return FAILED;
  }
}

function findLineFeed(buffer: Buffer, start: number, end: number): number {
  const near = Math.min(end, start + LOOKED_AT_BYTES);
  for (let at = start; at < near; at++) if (buffer[at] === LF) return at;
  const found = near === end ? -1 : buffer.indexOf(LF, near);
  return found < end ? found : -1;
}
