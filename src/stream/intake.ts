/**
 * Owns what the leader does to publishes before they are proposed, on streams whose configuration asks for it: messages
 * are rewritten, and those that are answered at once leave the rest. The order of arrival stays. Other streams' publishes
 * never come here.
 */
import { MessageDraft } from './message-draft.ts';
import { emptyMessageView, holdsMessages, readMessage } from './message-format.ts';
import { MessageRun } from './message-run.ts';
import type { PublishSink } from './proposer.ts';
import type { PublishReplies } from './publish-replies.ts';
import type { MessageRewriter } from './rewriters.ts';
import { SplitSubmission } from './split-submission.ts';
import type { StreamConfig, Submission } from './types.ts';

export class PublishIntake {
  readonly #proposer: PublishSink;
  readonly #replies: PublishReplies;
  readonly #getConfig: () => StreamConfig;
  readonly #rewritersFor: (config: StreamConfig) => readonly MessageRewriter[];
  readonly #view = emptyMessageView();
  readonly #draft = new MessageDraft();
  /** The configuration that the members below were made for. */
  #config: StreamConfig | undefined;
  #rewriters: readonly MessageRewriter[] = [];

  constructor(options: {
    readonly proposer: PublishSink;
    readonly replies: PublishReplies;
    readonly config: () => StreamConfig;
    readonly rewritersFor: (config: StreamConfig) => readonly MessageRewriter[];
  }) {
    this.#proposer = options.proposer;
    this.#replies = options.replies;
    this.#getConfig = options.config;
    this.#rewritersFor = options.rewritersFor;
  }

  /** False: publishes go to the log as they come. */
  get isNeeded(): boolean {
    this.#followConfig();
    return this.#rewriters.length > 0;
  }

  submit(submission: Submission): void {
    const { messages, count } = submission;
    if (!this.#proposer.isLeading) {
      submission.settle({ kind: 'refused', reason: 'notLeader' });
      return;
    }
    if (!holdsMessages(messages, count)) {
      submission.settle({ kind: 'refused', reason: 'overloaded' });
      return;
    }
    this.#followConfig();
    const split = new SplitSubmission(submission, this.#replies);
    const run = new MessageRun(split, this.#proposer);
    for (let ordinal = 0, at = 0; ordinal < count; ordinal++, at = this.#view.end) {
      readMessage(messages, at, messages.length, this.#view);
      this.#draft.load(this.#view);
      this.#take(this.#draft, ordinal, split, run);
    }
    this.#draft.clear();
    run.send();
    split.close();
  }

  #take(message: MessageDraft, ordinal: number, split: SplitSubmission, run: MessageRun): void {
    for (const rewriter of this.#rewriters) {
      const error = rewriter.rewrite(message);
      if (error === undefined) continue;
      split.answer(ordinal, this.#replies.error(error));
      return;
    }
    run.add(ordinal, message.toStored());
  }

  #followConfig(): void {
    const config = this.#getConfig();
    if (config === this.#config) return;
    this.#config = config;
    this.#rewriters = this.#rewritersFor(config);
  }
}
