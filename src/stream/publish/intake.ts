/**
 * Owns what the leader does to publishes before they are proposed, on streams whose configuration asks for it: messages
 * are rewritten, those of batches wait for their commit, and some are answered at once. The order of arrival stays. Other
 * streams' publishes never come here.
 */
import type { GroupStatus, Term } from '../../raft/index.ts';
import { AtomicIntake, type AtomicIntakeOptions } from '../batches/atomic-intake.ts';
import type { CounterSink } from '../counters/counter-sink.ts';
import { FastIntake } from '../batches/fast-intake.ts';
import { MessageDraft } from '../messages/message-draft.ts';
import { emptyMessageView, holdsMessages, readMessage } from '../messages/message-format.ts';
import { MessageRun } from './message-run.ts';
import type { PublishSink } from './proposer.ts';
import { BATCH_COMMIT, BATCH_ID } from '../messages/publish-headers.ts';
import type { PublishReplies } from './publish-replies.ts';
import type { MessageRewriter } from './rewriters.ts';
import { SplitSubmission } from './split-submission.ts';
import type { StreamConfig, Submission } from '../types.ts';

export class PublishIntake {
  readonly #proposer: PublishSink;
  readonly #counters: CounterSink | undefined;
  readonly #replies: PublishReplies;
  readonly #rewritersFor: (config: StreamConfig) => readonly MessageRewriter[];
  readonly #atomic: AtomicIntake;
  readonly #fast: FastIntake;
  readonly #view = emptyMessageView();
  readonly #draft = new MessageDraft();
  #config: StreamConfig;
  #rewriters: readonly MessageRewriter[];
  #term: Term | undefined;

  constructor(
    options: AtomicIntakeOptions & {
      readonly config: StreamConfig;
      readonly rewritersFor: (config: StreamConfig) => readonly MessageRewriter[];
      /** The way into the log of a counter stream, which is one from its beginning. */
      readonly counters?: CounterSink | undefined;
    },
  ) {
    this.#counters = options.counters;
    this.#proposer = options.counters ?? options.proposer;
    this.#replies = options.replies;
    this.#rewritersFor = options.rewritersFor;
    this.#atomic = new AtomicIntake({ ...options, proposer: this.#proposer });
    this.#fast = new FastIntake({ ...options, proposer: this.#proposer });
    this.#config = options.config;
    this.#rewriters = this.#rewritersFor(options.config);
  }

  /** False: these publishes go to the log as they come. */
  isNeededFor({ batchReplies }: Submission): boolean {
    if (batchReplies !== undefined) return true;
    return this.#rewriters.length > 0 || this.#config.allowAtomic || this.#counters !== undefined;
  }

  configChanged(config: StreamConfig): void {
    this.#config = config;
    this.#rewriters = this.#rewritersFor(config);
    if (!config.allowAtomic) this.#atomic.dropAll();
    if (!config.allowBatched) this.#fast.dropAll();
  }

  statusChanged({ role, term }: GroupStatus): void {
    const led = role === 'leader' ? term : undefined;
    if (led !== this.#term) this.#dropBatches();
    this.#term = led;
    this.#counters?.pump();
  }

  /** Entries were applied, or proposals are welcome. */
  pump(): void {
    this.#counters?.pump();
  }

  close(): void {
    this.#dropBatches();
    this.#counters?.refuseAll();
  }

  submit(submission: Submission): void {
    const { messages, count, batchReplies } = submission;
    if (!this.#proposer.isLeading) {
      submission.settle({ kind: 'refused', reason: 'notLeader' });
      return;
    }
    if (!holdsMessages(messages, count)) {
      submission.settle({ kind: 'refused', reason: 'overloaded' });
      return;
    }
    const split = new SplitSubmission(submission, this.#replies);
    const run = new MessageRun(split, this.#proposer);
    let nextReply = 0;
    for (let ordinal = 0, at = 0; ordinal < count; ordinal++, at = this.#view.end) {
      readMessage(messages, at, messages.length, this.#view);
      this.#draft.load(this.#view);
      const fast = batchReplies?.[nextReply]?.ordinal === ordinal ? batchReplies[nextReply++]!.reply : undefined;
      if (!this.#rewrite(this.#draft, ordinal, split)) continue;
      if (fast !== undefined) this.#fast.take(this.#draft, fast, this.#config, split.defer(ordinal));
      else this.#take(this.#draft, ordinal, split, run);
    }
    this.#draft.clear();
    run.send();
    split.close();
  }

  /** False: the message is answered. */
  #rewrite(message: MessageDraft, ordinal: number, split: SplitSubmission): boolean {
    for (const rewriter of this.#rewriters) {
      const error = rewriter.rewrite(message);
      if (error === undefined) continue;
      split.answer(ordinal, this.#replies.error(error));
      return false;
    }
    return true;
  }

  #take(message: MessageDraft, ordinal: number, split: SplitSubmission, run: MessageRun): void {
    if (this.#config.allowAtomic && message.honoured.has(BATCH_ID)) this.#takeMember(message, ordinal, split, run);
    else run.add(ordinal, message.toStored());
  }

  #takeMember(message: MessageDraft, ordinal: number, split: SplitSubmission, run: MessageRun): void {
    // What came before the batch is proposed before it.
    if (message.honoured.has(BATCH_COMMIT)) run.send();
    const told = split.defer(ordinal);
    this.#atomic.take(message, this.#config, (reply) => {
      told(reply === undefined ? [] : [reply]);
    });
  }

  #dropBatches(): void {
    this.#atomic.dropAll();
    this.#fast.dropAll();
  }
}
