/**
 * Owns direct gets: reads of a stream's messages from the replica at hand, single, in batches, and the last ones of many
 * subjects (streams.md 3.9).
 */
import { turnOver, type Runtime } from '../base/runtime.ts';
import type { Seq, TimestampUs } from '../base/brand.ts';
import { replyRun } from '../base/reply-run.ts';
import { SubjectMatcher } from '../base/subjects.ts';
import { emptyStoredMessage, type StoredMessage, type StreamCursor, type StreamReader } from '../stream/index.ts';
import { endOfBatchReply, ReplyWriter, statusReply } from './direct-reply.ts';
import { lookUpMessage, lowerBound, readMessage } from './message-lookup.ts';
import type { MessageSelector } from './message-lookup.ts';

/** Most subjects that one multi-last request may name. */
const MAX_SUBJECTS = 1024;
/**
 * A response never holds more than this. It ends early then, and says how much is left, as with `max_bytes`.
 * Differs from the reference server, whose bound is 64 MiB: responses of several nodes' clients add up in memory here.
 */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;
/** Messages read before others get their turn. */
const MESSAGES_PER_TURN = 1024;

/** A request as a client sent it; members that are 0, empty or undefined were not there. */
export interface DirectGetRequest extends MessageSelector {
  readonly batch: number;
  readonly maxBytes: number;
  readonly multiLast: readonly string[];
  readonly upToSeq: number;
  readonly upToTimeUs: TimestampUs | undefined;
  readonly noHeaders: boolean;
}

const NO_HEADERS = Buffer.alloc(0);
const IGNORE = (): void => undefined;

export const NOT_FOUND = statusReply('404 Message Not Found');
const NO_RESULTS = statusReply('404 No Results');
const LOST = statusReply('500 Message Unreadable');
const EMPTY_REQUEST = statusReply('408 Empty Request');
const BAD_REQUEST = statusReply('408 Bad Request');
const TOO_MANY_RESULTS = statusReply('413 Too Many Results');

/** Answers a request from this replica, by runs of replies. Never empty: what can't be answered gets a status line. */
export async function directGet(stream: StreamReader, request: DirectGetRequest, runtime: Runtime): Promise<Buffer[]> {
  const refusal = refusalOf(request);
  if (refusal !== undefined) return [refusal];
  const response = new Response(stream.config.name, request);
  if (request.multiLast.length > 0) return getMultiLast(stream, request, response, runtime);
  if (request.batch > 0) return getBatch(stream, request, response, runtime);
  const found = await lookUpMessage(stream, request);
  switch (found.kind) {
    case 'found':
      return [singleReply(stream, found.message, request.noHeaders)];
    case 'notFound':
      return [NOT_FOUND];
    case 'lost':
      return [LOST];
  }
}

function singleReply(stream: StreamReader, message: StoredMessage, noHeaders: boolean): Buffer {
  const { buffer, payloadStart, end } = message;
  if (noHeaders) return replyRun(NO_HEADERS, buffer.subarray(payloadStart, end));
  const writer = new ReplyWriter(stream.config.name);
  writer.overwrite(message);
  return writer.buffer.subarray(0, writer.end);
}

function refusalOf(request: DirectGetRequest): Buffer | undefined {
  const seq = request.seq > 0;
  const last = request.lastBySubject !== '';
  const next = request.nextBySubject !== '';
  const time = request.startTimeUs !== undefined;
  const multi = request.multiLast.length > 0;
  if (!seq && !last && !next && !time && !multi) return EMPTY_REQUEST;
  const contradiction =
    (seq && (last || time)) ||
    (last && (time || next || multi || request.batch > 0)) ||
    (next && multi) ||
    (request.upToSeq > 0 && request.upToTimeUs !== undefined);
  return contradiction ? BAD_REQUEST : undefined;
}

/** Gathers the messages of one response within its bounds. */
class Response {
  /** Progress of the message added last. */
  numPending = 0;
  lastSeq = 0;
  messages = 0;
  readonly #runs: Buffer[] = [];
  readonly #writer: ReplyWriter;
  readonly #noHeaders: boolean;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  /** As the client counts: subject, headers and payload as stored. */
  #bytes = 0;
  /** In runs that are full. */
  #memoryBytes = 0;

  constructor(stream: string, request: DirectGetRequest) {
    this.#writer = new ReplyWriter(stream);
    this.#noHeaders = request.noHeaders && request.multiLast.length === 0;
    this.#maxMessages = request.batch > 0 ? request.batch : Number.MAX_SAFE_INTEGER;
    this.#maxBytes = request.maxBytes > 0 ? request.maxBytes : Number.MAX_SAFE_INTEGER;
  }

  get isFull(): boolean {
    return (
      this.messages >= this.#maxMessages || this.#bytes >= this.#maxBytes || this.#memoryBytes >= MAX_RESPONSE_BYTES
    );
  }

  add(message: StoredMessage, numPending: number): void {
    const writer = this.#writer;
    if (!writer.hasRoomFor(message)) {
      this.#takeRun();
      writer.renew(message);
    }
    this.numPending = numPending;
    if (this.#noHeaders) writer.addPayload(message);
    else writer.add(message, this);
    this.lastSeq = message.seq;
    this.messages++;
    this.#bytes += message.end - message.subjectStart;
  }

  /** The whole of it, with `last` behind the messages. */
  end(last: Buffer): Buffer[] {
    this.#takeRun();
    this.#runs.push(last);
    return this.#runs;
  }

  #takeRun(): void {
    const { buffer, end } = this.#writer;
    if (end === 0) return;
    this.#runs.push(buffer.subarray(0, end));
    this.#memoryBytes += buffer.length;
  }
}

async function getBatch(
  stream: StreamReader,
  request: DirectGetRequest,
  response: Response,
  runtime: Runtime,
): Promise<Buffer[]> {
  const filter = request.nextBySubject === '' ? undefined : new SubjectMatcher([request.nextBySubject]);
  const reading = new Reading(stream, { position: lowerBound(stream, request), filter }, runtime);
  let pending = reading.countPending();
  try {
    while (!response.isFull) {
      const step = reading.step();
      if (step === 'end') break;
      if (step === 'later') {
        await reading.again();
        continue;
      }
      pending = Math.max(pending - 1, 0);
      response.add(reading.view, pending);
    }
    if (response.messages === 0) return [NOT_FOUND];
    return response.end(endOfBatchReply({ numPending: pending, lastSeq: response.lastSeq }));
  } finally {
    reading.close();
  }
}

async function getMultiLast(
  stream: StreamReader,
  request: DirectGetRequest,
  response: Response,
  runtime: Runtime,
): Promise<Buffer[]> {
  const upToSeq = upperBound(stream, request);
  const filter = new SubjectMatcher(request.multiLast);
  const found =
    upToSeq >= stream.state().lastSeq
      ? stream.lastSeqPerSubject(filter, MAX_SUBJECTS)
      : await lastSeqsUpTo(stream, filter, upToSeq, runtime);
  if (found.length > MAX_SUBJECTS) return [TOO_MANY_RESULTS];
  if (found.length === 0) return [NO_RESULTS];
  const seqs = found.filter((seq) => seq >= request.seq);

  const message = emptyStoredMessage();
  let pending = seqs.length;
  for (const seq of seqs) {
    if (response.isFull) break;
    // Most are in memory: nothing is waited for that is there.
    let step = stream.read(seq as Seq, message, IGNORE);
    if (step === 'wait') step = await readMessage(stream, seq as Seq, message);
    if (step !== 'message') return response.end(NOT_FOUND);
    pending--;
    response.add(message, pending);
  }
  return response.end(endOfBatchReply({ numPending: pending, lastSeq: response.lastSeq }, upToSeq));
}

function upperBound(stream: StreamReader, request: DirectGetRequest): number {
  if (request.upToSeq > 0) return request.upToSeq;
  return request.upToTimeUs === undefined ? stream.state().lastSeq : stream.seqAtTime(request.upToTimeUs) - 1;
}

/** The last sequence at or below `upToSeq` of each matching subject, ascending; stops when there are too many. */
async function lastSeqsUpTo(
  stream: StreamReader,
  filter: SubjectMatcher,
  upToSeq: number,
  runtime: Runtime,
): Promise<Float64Array> {
  const lastBySubject = new Map<string, Seq>();
  const reading = new Reading(stream, { position: 1 as Seq, filter }, runtime);
  try {
    for (;;) {
      const step = reading.step();
      if (step === 'later') {
        await reading.again();
        continue;
      }
      if (step === 'end' || reading.view.seq > upToSeq) break;
      const { buffer, subjectStart, headersStart, seq } = reading.view;
      lastBySubject.set(buffer.toString('utf8', subjectStart, headersStart), seq);
      if (lastBySubject.size > MAX_SUBJECTS) break;
    }
  } finally {
    reading.close();
  }
  return Float64Array.from(lastBySubject.values()).sort();
}

/** A cursor that waits for the disk, and lets others have their turn. Lost messages are passed over. */
class Reading {
  readonly #cursor: StreamCursor;
  readonly #runtime: Runtime;
  #sinceTurn = 0;
  /** Of the step taken last: when it pays to take it again. */
  #ready: Promise<void> | undefined;
  #wake: () => void = () => undefined;

  constructor(
    stream: StreamReader,
    range: { readonly position: Seq; readonly filter: SubjectMatcher | undefined },
    runtime: Runtime,
  ) {
    this.#runtime = runtime;
    this.#cursor = stream.openCursor({
      ...range,
      onReady: () => {
        this.#wake();
      },
    });
  }

  get view(): StoredMessage {
    return this.#cursor.view;
  }

  countPending(): number {
    return this.#cursor.countPending();
  }

  /** `later`: after `again`, which resolves when the message has come from the disk, or others have had their turn. */
  step(): 'message' | 'end' | 'later' {
    if (++this.#sinceTurn >= MESSAGES_PER_TURN) {
      this.#sinceTurn = 0;
      this.#ready = turnOver(this.#runtime);
      return 'later';
    }
    for (;;) {
      const step = this.#cursor.advance();
      if (step === 'message' || step === 'end') return step;
      if (step === 'lost') continue;
      // Whoever waits for the disk is called in another turn, so it is not too late to listen.
      this.#ready = new Promise((resolve) => {
        this.#wake = resolve;
      });
      return 'later';
    }
  }

  again(): Promise<void> {
    return this.#ready ?? Promise.resolve();
  }

  close(): void {
    this.#cursor.close();
  }
}
