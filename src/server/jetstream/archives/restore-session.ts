/**
 * Owns receiving one archive (streams.md 3.12): takes chunk after chunk from its sender, brings what is in them to the
 * stream's leader, and acknowledges each chunk when that is done.
 */
import { byteString } from '../../../base/byte-string.ts';
import type { Seq, TimestampUs } from '../../../base/brand.ts';
import type { Runtime, Timer } from '../../../base/runtime.ts';
import { ArchiveError, ArchiveReader, FrameDecoder } from '../../../archive/index.ts';
import type { ArchivedMessage } from '../../../archive/index.ts';
import type { StreamAssignment } from '../../../cluster/index.ts';
import {
  emptyPlacedBatch,
  MAX_CHOSEN_SEQ,
  MAX_MESSAGE_BYTES,
  PlacedBatchWriter,
  storedMessageBytes,
} from '../../../stream/index.ts';
import type { RestoreRequest } from '../../api/index.ts';
import type { ReceivedMessage, Router } from '../../router-types.ts';
import type { ArchivePart, RestoreTarget } from './restore-target.ts';

/** A sender that says nothing for so long has gone. */
const IDLE_TIMEOUT_MS = 5_000;
/** Chunks that wait for their turn: a sender that does not wait for its acks is dropped. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const MAX_CONSUMERS = 100_000;
const MAX_CONSUMER_BYTES = 64 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

export interface RestoreSessionOptions {
  readonly router: Router;
  readonly runtime: Runtime;
  readonly target: RestoreTarget;
  readonly assignment: StreamAssignment;
  readonly request: RestoreRequest;
  readonly deliverSubject: string;
  /** Called once: the archive was loaded and its stream shown, or (a problem) given up. */
  readonly ended: (problem: string | undefined, receivedBytes: number) => void;
}

export class RestoreSession {
  readonly #options: RestoreSessionOptions;
  readonly #decoder = new FrameDecoder();
  readonly #reader: ArchiveReader;
  readonly #unsubscribe: () => void;
  #writer = new PlacedBatchWriter();
  /** Complete parts of the chunk at hand. */
  #parts: ArchivePart[] = [];
  /** Created once the messages are there: what is pending for them must exist. */
  readonly #consumers: ArchivePart[] = [];
  #consumerBytes = 0;
  #lastSeq = 0;
  #receivedBytes = 0;
  /** Why the archive can't be loaded: what still comes of it is thrown away. */
  #problem: string | undefined;
  readonly #waiting: ReceivedMessage[] = [];
  #waitingBytes = 0;
  #working = false;
  #ended = false;
  #idle: Timer | undefined;

  constructor(options: RestoreSessionOptions) {
    this.#options = options;
    const listener = {
      state: (json: Buffer) => {
        this.#readState(json);
      },
      consumer: (name: string, json: Buffer) => {
        this.#keepConsumer(name, json);
      },
      message: (message: ArchivedMessage) => {
        this.#place(message);
      },
    };
    this.#reader = new ArchiveReader(listener, MAX_MESSAGE_BYTES);
    const { router, assignment, deliverSubject } = options;
    this.#unsubscribe = router.subscribe(assignment.account, byteString(deliverSubject), (message) => {
      this.#receive(message);
    });
    this.#watchIdleness();
  }

  /** Gives the restore up: this node is no longer the one to finish it. */
  abandon(problem: string): void {
    this.#end(problem);
  }

  #receive(message: ReceivedMessage): void {
    if (this.#ended) return;
    this.#waitingBytes += message.payload.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#end('chunks come without waiting for their acknowledgement');
      return;
    }
    this.#waiting.push(message);
    void this.#work();
  }

  /** One chunk after the other, however fast they come. */
  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    this.#idle?.cancel();
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      this.#waitingBytes -= message.payload.length;
      await this.#take(message);
      if (this.#ended) return;
    }
    this.#working = false;
    this.#watchIdleness();
  }

  async #take({ payload, reply }: ReceivedMessage): Promise<void> {
    try {
      if (payload.length === 0) {
        await this.#finish(reply);
        return;
      }
      this.#receivedBytes += payload.length;
      if (this.#problem === undefined) await this.#load(payload);
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      this.#problem = error.message;
      // The sender learns of it at the end, for that is where it expects an answer.
      if (payload.length === 0) this.#refuse(reply, this.#problem);
    }
    if (payload.length > 0) this.#answer(reply, NOTHING);
  }

  async #load(chunk: Buffer): Promise<void> {
    this.#decoder.decode(chunk, (data) => {
      this.#reader.read(data);
    });
    await this.#sendParts();
  }

  async #finish(reply: string): Promise<void> {
    if (this.#problem !== undefined) throw new ArchiveError(this.#problem);
    if (!this.#reader.complete || !this.#decoder.atBoundary) throw new ArchiveError('s2: corrupt input');
    this.#closeBatch();
    this.#parts.push({ consumer: '', body: emptyPlacedBatch((this.#lastSeq + 1) as Seq) }, ...this.#consumers);
    await this.#sendParts();
    const answer = await this.#options.request.complete();
    if (answer === undefined) throw new ArchiveError('the stream could not be made available');
    this.#answer(reply, answer);
    this.#end(undefined);
  }

  async #sendParts(): Promise<void> {
    const { target, assignment } = this.#options;
    const parts = this.#parts;
    this.#parts = [];
    for (const part of parts) {
      const problem = await target.send(assignment, part);
      if (problem !== undefined) throw new ArchiveError(problem);
    }
  }

  #readState(json: Buffer): void {
    let state: unknown;
    try {
      state = JSON.parse(json.toString());
    } catch {
      throw new ArchiveError('the state of the stream is no JSON');
    }
    const lastSeq: unknown = typeof state === 'object' && state !== null && 'last_seq' in state ? state.last_seq : 0;
    if (!isSequence(lastSeq)) throw new ArchiveError('the state of the stream makes no sense');
    this.#lastSeq = lastSeq;
  }

  #keepConsumer(name: string, json: Buffer): void {
    this.#consumerBytes += json.length;
    if (name === '' || this.#consumers.length >= MAX_CONSUMERS || this.#consumerBytes > MAX_CONSUMER_BYTES) {
      throw new ArchiveError('the archive has a consumer without a name, or too many of them');
    }
    this.#consumers.push({ consumer: name, body: Buffer.from(json) });
  }

  #place(message: ArchivedMessage): void {
    if (!isSequence(message.seq)) throw new ArchiveError('a sequence of the archive is too high');
    const { subject, headers, payload } = message;
    const seq = message.seq as Seq;
    const bytes = storedMessageBytes(subject.length, headers.length, payload.length);
    if (!this.#writer.accepts(seq, bytes)) this.#closeBatch();
    this.#writer.add(seq, message.timestampUs as TimestampUs, { subject, headers, payload });
    this.#lastSeq = Math.max(this.#lastSeq, seq);
  }

  #closeBatch(): void {
    if (!this.#writer.isEmpty) this.#parts.push({ consumer: '', body: this.#writer.take() });
  }

  #refuse(reply: string, problem: string): void {
    this.#answer(reply, this.#options.request.refuse(problem));
    this.#end(problem);
  }

  #answer(reply: string, payload: Buffer): void {
    const { router, assignment } = this.#options;
    if (reply === '') return;
    router.publish(assignment.account, { subject: reply, payload });
    router.flushSoon();
  }

  #watchIdleness(): void {
    this.#idle = this.#options.runtime.after(IDLE_TIMEOUT_MS, () => {
      this.#end('no more chunks came');
    });
  }

  #end(problem: string | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#idle?.cancel();
    this.#waiting.length = 0;
    this.#unsubscribe();
    this.#options.ended(problem, this.#receivedBytes);
  }
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_CHOSEN_SEQ;
}
