/** Owns how far one fast batch has come on the leader, and what its client is told (streams.md 5.6). */
import { FAST_BATCH_UNKNOWN } from '../../base/api-errors.ts';
import type { Seq } from '../../base/brand.ts';
import type { PublishReplies } from '../publish/publish-replies.ts';
import type { SubmissionException, SubmissionOutcome } from '../types.ts';

/** The most messages that are acknowledged at a time, shared by the fast batches of a stream. */
const MAX_FLOW = 500;

/** A message of the batch on its way to the log, or the end of the batch. */
export interface FastItem {
  readonly seq: number;
  /** What the client is told before what becomes of the message. */
  readonly lead: readonly string[];
  /** In stored form, copied; undefined: the batch ends here without storing anything. */
  readonly message: Buffer | undefined;
  readonly isLast: boolean;
  readonly told: (replies: readonly string[]) => void;
}

export interface FastPing {
  /** Messages through here will not come any more; 0: nothing new is known. */
  readonly seq: number;
  readonly lead: readonly string[];
  readonly told: (replies: readonly string[]) => void;
}

export class FastBatch {
  readonly id: string;
  readonly gapOk: boolean;
  /** Arrived while a run was in flight, in order. */
  waiting: FastItem[] = [];
  waitingBytes = 0;
  readonly pings: FastPing[] = [];
  isInFlight = false;
  /** Nothing more is stored for it. */
  isOver = false;
  deadlineMs = 0;
  /** The last of its sequences that arrived. */
  arrived = 0;
  readonly #flow: number;
  readonly #replies: PublishReplies;
  readonly #openBatches: () => number;
  #acked = 0;
  #every: number;
  #lastStored = 0;
  #isBegun = false;

  constructor(options: {
    readonly id: string;
    readonly gapOk: boolean;
    readonly flow: number;
    readonly replies: PublishReplies;
    /** No other fast batch of the stream is open. */
    readonly isOnly: boolean;
    /** Fast batches of the stream that are open. */
    readonly openBatches: () => number;
  }) {
    this.id = options.id;
    this.gapOk = options.gapOk;
    this.#flow = options.flow;
    this.#replies = options.replies;
    this.#openBatches = options.openBatches;
    this.#every = options.isOnly ? Math.min(MAX_FLOW, options.flow) : 1;
  }

  /** What the client was told last, and how many messages later it is told again. */
  get ack(): string {
    return `{"type":"ack","seq":${this.#acked},"msgs":${this.#every}}`;
  }

  /** `seq` came where another one was expected. */
  gap(seq: number): string {
    return `{"type":"gap","last_seq":${this.arrived + 1},"seq":${seq}}`;
  }

  /** Nothing up to `seq` is under way any more. True: it is time to tell the client. */
  advance(seq: number): boolean {
    const steps = Math.floor((seq - this.#acked) / this.#every);
    if (steps <= 0) return false;
    this.#acked += steps * this.#every;
    const share = Math.floor(MAX_FLOW / Math.max(1, this.#openBatches()));
    const target = Math.max(1, Math.min(this.#flow, share));
    if (this.#every < target) this.#every = Math.min(this.#every * 2, target);
    else if (this.#every > target) this.#every = Math.max(this.#every >>> 1, target);
    return true;
  }

  answerPing({ seq, lead, told }: FastPing): void {
    if (seq > 0) this.advance(seq);
    told(this.isOver ? [] : [...lead, this.ack]);
  }

  /** Answers a run of messages whose entry was applied, in order. */
  settle(run: readonly FastItem[], { firstSeq, exceptions }: Extract<SubmissionOutcome, { kind: 'applied' }>): void {
    let seq = firstSeq;
    let next = 0;
    run.forEach((item, at) => {
      const exception = exceptions[next]?.ordinal === at ? exceptions[next++] : undefined;
      if (exception === undefined || exception.stored) {
        this.#lastStored = seq;
        seq = (seq + 1) as Seq;
      }
      // Where a message before it ended the batch, nothing behind that was stored.
      if (this.isOver) item.told([this.#replies.error(FAST_BATCH_UNKNOWN)]);
      else item.told([...item.lead, ...this.#repliesTo(item, exception)]);
    });
  }

  /** Ends the batch, which counts `count` messages. */
  end(count: number): string {
    this.isOver = true;
    return this.#replies.batch(this.#lastStored, this.id, count);
  }

  #repliesTo(item: FastItem, exception: SubmissionException | undefined): string[] {
    const error = exception === undefined || exception.stored ? undefined : errorOf(exception.reply);
    if (error !== undefined) return this.#refused(item, error, exception!.reply!);
    this.#isBegun = true;
    const isDue = this.advance(item.seq);
    const wasStored = exception === undefined || exception.stored;
    const replies = isDue && !(item.isLast && wasStored) ? [this.ack] : [];
    if (item.isLast) replies.push(this.end(item.seq));
    return replies;
  }

  #refused({ seq, isLast }: FastItem, error: object, reply: string): string[] {
    if (!this.gapOk && !this.#isBegun) {
      this.isOver = true;
      return [reply];
    }
    const told = `{"type":"err","seq":${seq},"error":${JSON.stringify(error)}}`;
    return isLast || !this.gapOk ? [told, this.end(seq - 1)] : [told];
  }
}

/** Undefined: the message is not refused, but a duplicate. */
function errorOf(reply: string | undefined): object | undefined {
  return (JSON.parse(reply ?? '{}') as { readonly error?: object }).error;
}
