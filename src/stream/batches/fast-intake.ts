/**
 * Owns the publishes of fast batches on the leader (streams.md 5.6). Messages of a batch go to the log in order, one run
 * of them at a time, so that one that is refused can end the batch; what arrives meanwhile makes the next run. All that is
 * told goes to the reply subject of the message that led to it.
 *
 * Differs from the reference server: a change of leader ends fast batches, and their next message finds none.
 */
import {
  API_LEVEL_REQUIRED,
  FAST_BATCH_ID_INVALID,
  FAST_BATCH_UNKNOWN,
  FAST_PATTERN_INVALID,
  FAST_PUBLISH_DISABLED,
  JETSTREAM_UNAVAILABLE,
  MESSAGE_TOO_LARGE,
  STREAM_SEALED,
  TOO_MANY_FAST_BATCHES,
  type ApiError,
} from '../../base/api-errors.ts';
import { isSupportedLevel } from '../../base/api-level.ts';
import type { Runtime, Timer } from '../../base/runtime.ts';
import type { BatchBudget } from './batch-limits.ts';
import { ENTRY_PREFIX_BATCH } from '../entries/entry-format.ts';
import { FastBatch, type FastItem, type FastPing } from './fast-batch.ts';
import { parseFastReply, type FastMessage } from './fast-reply.ts';
import type { MessageDraft } from '../messages/message-draft.ts';
import type { PublishSink } from '../publish/proposer.ts';
import { REQUIRED_API_LEVEL } from '../messages/publish-headers.ts';
import type { PublishReplies } from '../publish/publish-replies.ts';
import type { StreamConfig } from '../types.ts';

const MAX_ID_BYTES = 64;
/** Of one batch, while a run of it is in flight; its client heeds acknowledgements, or loses the batch. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const REQUIRED_API_LEVEL_HEADER = 'Nats-Required-Api-Level';

/** Called once, with all that the client is told about a message. */
export type FastAnswer = (replies: readonly string[]) => void;

export class FastIntake {
  readonly #proposer: PublishSink;
  readonly #replies: PublishReplies;
  readonly #budget: BatchBudget;
  readonly #runtime: Runtime;
  /** The one that was idle longest comes first. */
  readonly #batches = new Map<string, FastBatch>();
  #timer: Timer | undefined;

  constructor(options: {
    readonly proposer: PublishSink;
    readonly replies: PublishReplies;
    readonly budget: BatchBudget;
    readonly runtime: Runtime;
  }) {
    this.#proposer = options.proposer;
    this.#replies = options.replies;
    this.#budget = options.budget;
    this.#runtime = options.runtime;
  }

  /** Takes a message whose reply subject is that of a fast batch. */
  take(message: MessageDraft, reply: string, config: StreamConfig, told: FastAnswer): void {
    const parsed = parseFastReply(reply);
    const error = refusal(message, parsed, config) ?? this.#missing(parsed!);
    if (error !== undefined) {
      told([this.#replies.error(error)]);
      return;
    }
    message.removeHeader(REQUIRED_API_LEVEL_HEADER);
    const batch = this.#batches.get(parsed!.id) ?? this.#open(parsed!);
    if (batch === undefined) told([this.#replies.error(TOO_MANY_FAST_BATCHES)]);
    else this.#join(batch, parsed!, message, told);
  }

  /** Nothing more is gathered here: this node does not lead any longer, or the stream takes no fast batches. */
  dropAll(): void {
    for (const batch of this.#batches.values()) {
      batch.isOver = true;
      for (const { told } of [...batch.waiting.splice(0), ...batch.pings.splice(0)]) told([]);
      this.#close(batch);
    }
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #missing({ id, seq, op }: FastMessage): ApiError | undefined {
    const begins = seq === 1 && op !== 'ping';
    return begins || this.#batches.has(id) ? undefined : FAST_BATCH_UNKNOWN;
  }

  #open({ id, flow, gapOk }: FastMessage): FastBatch | undefined {
    const { limits } = this.#budget;
    if (this.#batches.size >= limits.maxOpenFastPerStream || !this.#budget.openFast()) return undefined;
    const openBatches = (): number => this.#batches.size;
    const isOnly = this.#batches.size === 0;
    const batch = new FastBatch({ id, flow, gapOk, isOnly, replies: this.#replies, openBatches });
    this.#batches.set(id, batch);
    return batch;
  }

  #join(batch: FastBatch, { seq, op }: FastMessage, message: MessageDraft, told: FastAnswer): void {
    this.#touch(batch);
    const lead = op === 'start' && batch.arrived === 0 ? [batch.ack] : [];
    const came = op === 'ping' ? seq + 1 : seq;
    const isLate = op === 'ping' ? false : came <= batch.arrived;
    const isEarly = came > batch.arrived + 1;
    if (isLate || isEarly) lead.push(batch.gap(came));
    if (isLate || (isEarly && !batch.gapOk)) {
      // The batch counts what came in order.
      this.#enqueue(batch, { seq: batch.arrived + 1, lead, message: undefined, isLast: true, told });
    } else if (op === 'ping') {
      batch.arrived = Math.max(batch.arrived, seq);
      this.#ping(batch, { seq: isEarly ? seq : 0, lead, told });
    } else {
      batch.arrived = seq;
      const stored = op === 'end' ? undefined : Buffer.from(message.toStored());
      this.#enqueue(batch, { seq, lead, message: stored, isLast: op === 'commit' || op === 'end', told });
    }
  }

  /** What a ping passes over counts as settled, once all that is under way is. */
  #ping(batch: FastBatch, ping: FastPing): void {
    if (ping.seq === 0 || !batch.isInFlight) batch.answerPing(ping);
    else batch.pings.push(ping);
  }

  /** From its last item on, a batch takes no more, though its last run may still be under way. */
  #enqueue(batch: FastBatch, item: FastItem): void {
    batch.waiting.push(item);
    batch.waitingBytes += item.message?.length ?? 0;
    const isOverrun = batch.waitingBytes > MAX_WAITING_BYTES;
    if (item.isLast || isOverrun) this.#close(batch);
    this.#send(batch);
  }

  #send(batch: FastBatch): void {
    if (batch.isInFlight || batch.waiting.length === 0) return;
    const items = batch.waiting;
    batch.waiting = [];
    batch.waitingBytes = 0;
    const run = items.filter(({ message }) => message !== undefined);
    const [end] = items.filter(({ message }) => message === undefined);
    if (run.length === 0) {
      this.#finish(batch, end);
      return;
    }
    batch.isInFlight = true;
    this.#proposer.submit({
      messages: Buffer.concat(run.map(({ message }) => message!)),
      count: run.length,
      ...(!batch.gapOk && { kind: ENTRY_PREFIX_BATCH }),
      settle: (outcome) => {
        batch.isInFlight = false;
        if (outcome.kind === 'applied') batch.settle(run, outcome);
        else this.#lost(batch, run, outcome.kind);
        if (batch.isOver) this.#close(batch);
        this.#finish(batch, end);
        this.#send(batch);
        this.#answerPings(batch);
      },
    });
  }

  #answerPings(batch: FastBatch): void {
    if (!batch.isInFlight) for (const ping of batch.pings.splice(0)) batch.answerPing(ping);
  }

  /** Answers what stands behind the last message, and whatever waits for a batch that is over. */
  #finish(batch: FastBatch, end: FastItem | undefined): void {
    end?.told(batch.isOver ? [] : [...end.lead, batch.end(end.seq - 1)]);
    if (!batch.isOver) return;
    for (const { told } of batch.waiting.splice(0)) told([this.#replies.error(FAST_BATCH_UNKNOWN)]);
  }

  #lost(batch: FastBatch, run: readonly FastItem[], why: 'refused' | 'unknown'): void {
    batch.isOver = true;
    const reply = why === 'refused' ? [this.#replies.error(JETSTREAM_UNAVAILABLE)] : [];
    for (const { told } of run) told(reply);
  }

  #close(batch: FastBatch): void {
    if (this.#batches.get(batch.id) !== batch) return;
    this.#batches.delete(batch.id);
    this.#budget.closeFast();
  }

  #touch(batch: FastBatch): void {
    batch.deadlineMs = this.#runtime.monotonicMs() + this.#budget.limits.timeoutMs;
    this.#batches.delete(batch.id);
    this.#batches.set(batch.id, batch);
    this.#watch();
  }

  #watch(): void {
    const [oldest] = this.#batches.values();
    if (this.#timer !== undefined || oldest === undefined) return;
    this.#timer = this.#runtime.after(Math.max(0, oldest.deadlineMs - this.#runtime.monotonicMs()), () => {
      this.#timer = undefined;
      const nowMs = this.#runtime.monotonicMs();
      for (const batch of this.#batches.values()) {
        if (batch.deadlineMs > nowMs) break;
        this.#close(batch);
      }
      this.#watch();
    });
  }
}

/** What is wrong with a message by itself. */
function refusal(
  message: MessageDraft,
  parsed: FastMessage | undefined,
  { sealed, maxMsgSize, allowBatched }: StreamConfig,
): ApiError | undefined {
  if (sealed) return STREAM_SEALED;
  if (maxMsgSize >= 0 && message.headers.length + message.payload.length > maxMsgSize) return MESSAGE_TOO_LARGE;
  if (!allowBatched) return FAST_PUBLISH_DISABLED;
  if (parsed === undefined) return FAST_PATTERN_INVALID;
  if (Buffer.byteLength(parsed.id) > MAX_ID_BYTES) return FAST_BATCH_ID_INVALID;
  const { honoured } = message;
  const isTooNew = honoured.has(REQUIRED_API_LEVEL) && !isSupportedLevel(honoured.text(REQUIRED_API_LEVEL));
  return isTooNew ? API_LEVEL_REQUIRED : undefined;
}
