/**
 * Owns the publishes of atomic batches on the leader (streams.md 5.6): a batch's messages are kept here until its commit
 * makes one entry of them. What is told by a single message is checked on arrival; whether the batch may be stored is
 * decided as a whole when its entry is applied. A change of leader ends open batches: the next message finds none.
 */
import {
  API_LEVEL_REQUIRED,
  ATOMIC_BATCH_ID_INVALID,
  ATOMIC_BATCH_INCOMPLETE,
  ATOMIC_COMMIT_INVALID,
  ATOMIC_SEQUENCE_MISSING,
  atomicBatchTooLarge,
  JETSTREAM_UNAVAILABLE,
  MESSAGE_TOO_LARGE,
  STREAM_SEALED,
  TOO_MANY_ATOMIC_BATCHES,
  type ApiError,
} from '../../base/api-errors.ts';
import { isSupportedLevel } from '../../base/api-level.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { BatchBudget } from './batch-limits.ts';
import { ENTRY_ATOMIC_BATCH } from '../entries/entry-format.ts';
import { MessageDraft } from '../messages/message-draft.ts';
import { emptyMessageView, readMessage } from '../messages/message-format.ts';
import { OpenBatches, type OpenBatch } from './open-batches.ts';
import type { PublishSink } from '../publish/proposer.ts';
import { BATCH_COMMIT, BATCH_ID, BATCH_SEQUENCE, REQUIRED_API_LEVEL } from '../messages/publish-headers.ts';
import type { PublishReplies } from '../publish/publish-replies.ts';
import type { StreamConfig, SubmissionOutcome } from '../types.ts';

const MAX_ID_BYTES = 64;
const REQUIRED_API_LEVEL_HEADER = 'Nats-Required-Api-Level';
const COMMIT_HEADER = 'Nats-Batch-Commit';
/** Values of the commit header: this message is the last one, or the one before it was. */
const COMMIT_WITH_THIS = '1';
const COMMIT_WITHOUT_THIS = 'eob';

/** Why a batch was given up; as advisories name it. */
export type AbandonReason = 'timeout' | 'incomplete' | 'large' | 'unsupported';

export interface AtomicIntakeOptions {
  readonly proposer: PublishSink;
  readonly replies: PublishReplies;
  readonly budget: BatchBudget;
  readonly runtime: Runtime;
  readonly abandoned: (batch: string, reason: AbandonReason) => void;
}

/** A message of a batch, its headers read. */
interface Member {
  readonly message: MessageDraft;
  readonly seq: number;
  readonly commit: string;
}

export class AtomicIntake {
  readonly #options: AtomicIntakeOptions;
  readonly #batches: OpenBatches;

  constructor(options: AtomicIntakeOptions) {
    this.#options = options;
    this.#batches = new OpenBatches({
      budget: options.budget,
      runtime: options.runtime,
      expired: (id) => {
        options.abandoned(id, 'timeout');
      },
    });
  }

  /**
   * Takes a message with a batch id. `answer` is called once, with the reply: empty for a message that was kept, or what
   * became of the batch; undefined when nobody knows.
   */
  take(message: MessageDraft, config: StreamConfig, answer: (reply: string | undefined) => void): void {
    const { replies } = this.#options;
    const id = message.honoured.text(BATCH_ID);
    const member = { message, seq: memberSeq(message), commit: message.honoured.text(BATCH_COMMIT) };
    const error = this.#refusal(id, member, config);
    if (error !== undefined) {
      answer(replies.error(error));
      return;
    }
    const batch = this.#batches.get(id) ?? this.#batches.open(id);
    if (batch === undefined) {
      answer(replies.error(TOO_MANY_ATOMIC_BATCHES));
      return;
    }
    const failure = this.#join(batch, member);
    if (failure !== undefined) answer(replies.error(failure));
    else if (member.commit === '') answer('');
    else this.#commit(batch, answer);
  }

  /** Nothing more is gathered here: this node does not lead any longer, or the stream takes no batches. */
  dropAll(): void {
    this.#batches.closeAll();
  }

  /** What is wrong with a message by itself. A batch that is open stays open, unless it has become too large. */
  #refusal(id: string, { message, seq, commit }: Member, config: StreamConfig): ApiError | undefined {
    const { maxMsgs } = this.#options.budget.limits;
    if (config.sealed) return STREAM_SEALED;
    const bytes = message.headers.length + message.payload.length;
    if (config.maxMsgSize >= 0 && bytes > config.maxMsgSize) return MESSAGE_TOO_LARGE;
    if (Buffer.byteLength(id) > MAX_ID_BYTES) return ATOMIC_BATCH_ID_INVALID;
    if (seq < 0) return ATOMIC_SEQUENCE_MISSING;
    const batch = this.#batches.get(id);
    if ((commit === COMMIT_WITHOUT_THIS ? seq - 1 : seq) > maxMsgs) {
      if (batch !== undefined) this.#abandon(batch, 'large');
      return atomicBatchTooLarge(maxMsgs);
    }
    return batch === undefined && seq !== 1 ? ATOMIC_BATCH_INCOMPLETE : undefined;
  }

  /** Puts the message into its batch. Whatever is wrong with it now ends the batch. */
  #join(batch: OpenBatch, { message, seq, commit }: Member): ApiError | undefined {
    if (commit !== '' && commit !== COMMIT_WITH_THIS && commit !== COMMIT_WITHOUT_THIS) {
      this.#batches.close(batch);
      return ATOMIC_COMMIT_INVALID;
    }
    const { honoured } = message;
    if (honoured.has(REQUIRED_API_LEVEL)) {
      if (!isSupportedLevel(honoured.text(REQUIRED_API_LEVEL))) {
        this.#abandon(batch, 'unsupported');
        return API_LEVEL_REQUIRED;
      }
      message.removeHeader(REQUIRED_API_LEVEL_HEADER);
    }
    if (seq !== batch.messages.length + 1 || (commit === COMMIT_WITHOUT_THIS && seq === 1)) {
      this.#abandon(batch, 'incomplete');
      return ATOMIC_BATCH_INCOMPLETE;
    }
    if (commit === COMMIT_WITHOUT_THIS) {
      batch.messages.push(asLast(batch.messages.pop()!));
      return undefined;
    }
    if (this.#batches.add(batch, Buffer.from(message.toStored()))) return undefined;
    this.#abandon(batch, 'large');
    return atomicBatchTooLarge('64 MiB');
  }

  #abandon(batch: OpenBatch, reason: AbandonReason): void {
    this.#batches.close(batch);
    this.#options.abandoned(batch.id, reason);
  }

  #commit(batch: OpenBatch, answer: (reply: string | undefined) => void): void {
    const count = batch.messages.length;
    this.#batches.close(batch);
    this.#options.proposer.submit({
      messages: Buffer.concat(batch.messages),
      count,
      kind: ENTRY_ATOMIC_BATCH,
      settle: (outcome) => {
        answer(this.#reply(batch.id, count, outcome));
      },
    });
  }

  #reply(id: string, count: number, outcome: SubmissionOutcome): string | undefined {
    const { replies } = this.#options;
    switch (outcome.kind) {
      case 'applied':
        return outcome.exceptions[0]?.reply ?? replies.batch(outcome.firstSeq + count - 1, id, count);
      case 'refused':
        return replies.error(JETSTREAM_UNAVAILABLE);
      case 'unknown':
        return undefined;
    }
  }
}

/** -1: it has none, or one that is no number. */
function memberSeq({ honoured }: MessageDraft): number {
  return honoured.has(BATCH_SEQUENCE) ? honoured.sequence(BATCH_SEQUENCE) : -1;
}

/** The message, told to be the last of its batch. */
function asLast(stored: Buffer): Buffer {
  const view = emptyMessageView();
  const message = new MessageDraft();
  readMessage(stored, 0, stored.length, view);
  message.load(view);
  message.setHeader(COMMIT_HEADER, COMMIT_WITH_THIS);
  return message.toStored();
}
