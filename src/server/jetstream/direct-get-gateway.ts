/**
 * Owns the short way of the direct gets that clients send all day, for the last message of a literal subject and for one
 * sequence: parsed in place and answered in the same turn, from the replica here and from memory. Everything else,
 * and whatever looks the least bit unusual, goes the way of all API calls.
 */
import type { Seq } from '../../base/brand.ts';
import { NOT_FOUND, ReplyWriter } from '../../kv/index.ts';
import { emptyStoredMessage } from '../../stream/index.ts';
import type { StreamReader } from '../../stream/index.ts';
import type { AccountLimits } from '../api/index.ts';
import type { Publication, Publisher, Router } from '../router-types.ts';

const PREFIX = Buffer.from('$JS.API.DIRECT.GET.');
const SEQ_BODY = Buffer.from('{"seq":');
const DOT = 0x2e;
const STAR = 0x2a;
const GREATER = 0x3e;
const ZERO = 0x30;
const NINE = 0x39;
const CLOSING_BRACE = 0x7d;
const MAX_SEQ_DIGITS = 15;

export interface DirectGetSource {
  /** Undefined: the account has no JetStream. */
  accountLimits(account: string): AccountLimits | undefined;
  /** A replica here that may answer at once: it knows all that clients of this node were told of the stream. */
  currentReplica(account: string, name: string): StreamReader | undefined;
}

export class DirectGetGateway {
  readonly #backend: DirectGetSource;
  readonly #router: Router;
  readonly #message = emptyStoredMessage();
  readonly #ignore = (): void => undefined;
  /** For the stream that answered last. */
  #writer = new ReplyWriter('');
  #writerFor = '';

  constructor(backend: DirectGetSource, router: Router) {
    this.#backend = backend;
    this.#router = router;
  }

  /** True: answered. False: not for here, and nothing was done. */
  answer(publication: Publication, publisher: Publisher): boolean {
    const { buffer, subjectStart, subjectEnd, replyStart, replyEnd } = publication;
    if (replyEnd === replyStart || publication.headersEnd > publication.headersStart) return false;
    const nameStart = subjectStart + PREFIX.length;
    if (!startsWith(buffer, subjectStart, subjectEnd, PREFIX)) return false;
    let nameEnd = nameStart;
    while (nameEnd < subjectEnd && buffer[nameEnd] !== DOT) nameEnd++;
    const stream = this.#stream(buffer.toString('utf8', nameStart, nameEnd), publisher.account);
    if (stream === undefined) return false;
    const seq = nameEnd === subjectEnd ? sequenceIn(publication) : lastIn(publication, nameEnd + 1, stream);
    if (seq < 0 || !this.#read(stream, seq)) return false;
    const run = seq === 0 ? NOT_FOUND : this.#writer.buffer;
    const runBytes = seq === 0 ? NOT_FOUND.length : this.#writer.end;
    this.#router.publishReplies(publisher.account, buffer, replyStart, replyEnd, run, runBytes);
    this.#router.flushSoon();
    return true;
  }

  #stream(name: string, account: string): StreamReader | undefined {
    const backend = this.#backend;
    const stream = backend.currentReplica(account, name);
    if (stream === undefined || backend.accountLimits(account) === undefined) return undefined;
    const answering = stream.config.name;
    if (this.#writerFor !== answering) {
      this.#writer = new ReplyWriter(answering);
      this.#writerFor = answering;
    }
    return stream;
  }

  /** Writes the reply, unless `seq` is 0. False: the message is not in memory, or not there at all. */
  #read(stream: StreamReader, seq: number): boolean {
    if (seq === 0) return true;
    if (stream.read(seq as Seq, this.#message, this.#ignore) !== 'message') return false;
    this.#writer.overwrite(this.#message);
    this.#message.buffer = NO_BYTES;
    return true;
  }
}

const NO_BYTES = Buffer.alloc(0);

/** The sequence in a body that is exactly `{"seq":<digits>}` and not 0; -1: it is another. */
function sequenceIn({ buffer, payloadStart, payloadEnd }: Publication): number {
  if (!startsWith(buffer, payloadStart, payloadEnd, SEQ_BODY) || buffer[payloadEnd - 1] !== CLOSING_BRACE) return -1;
  const first = payloadStart + SEQ_BODY.length;
  const end = payloadEnd - 1;
  if (end === first || end - first > MAX_SEQ_DIGITS || buffer[first] === ZERO) return -1;
  let seq = 0;
  for (let at = first; at < end; at++) {
    const digit = buffer[at]!;
    if (digit < ZERO || digit > NINE) return -1;
    seq = seq * 10 + digit - ZERO;
  }
  return seq;
}

/** Last sequence of the literal subject behind `start`, 0 if it has none; -1: it is not literal, or there is a body. */
function lastIn(
  { buffer, subjectEnd, payloadStart, payloadEnd }: Publication,
  start: number,
  stream: StreamReader,
): number {
  if (payloadEnd > payloadStart) return -1;
  let before = DOT;
  for (let at = start; at < subjectEnd; at++) {
    const byte = buffer[at]!;
    if (byte === STAR || byte === GREATER || (byte === DOT && before === DOT)) return -1;
    before = byte;
  }
  return before === DOT ? -1 : stream.lastSeqOfSubject(buffer, start, subjectEnd);
}

function startsWith(buffer: Buffer, start: number, end: number, prefix: Buffer): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (buffer[start + i] !== prefix[i]) return false;
  return true;
}
