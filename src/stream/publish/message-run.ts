/** Owns messages of one submission that go to the log together, in order, until something comes between them. */
import type { PublishSink } from './proposer.ts';
import type { SplitSubmission } from './split-submission.ts';

export class MessageRun {
  readonly #split: SplitSubmission;
  readonly #proposer: PublishSink;
  #ordinals: number[] = [];
  #messages: Buffer[] = [];

  constructor(split: SplitSubmission, proposer: PublishSink) {
    this.#split = split;
    this.#proposer = proposer;
  }

  /** `message` is in stored form, and stays as it is until the submission is settled. */
  add(ordinal: number, message: Buffer): void {
    this.#ordinals.push(ordinal);
    const last = this.#messages.at(-1);
    // Neighbours that nobody changed are one slice of what was submitted.
    if (last?.buffer === message.buffer && last.byteOffset + last.length === message.byteOffset) {
      this.#messages[this.#messages.length - 1] = Buffer.from(
        last.buffer,
        last.byteOffset,
        last.length + message.length,
      );
      return;
    }
    this.#messages.push(message);
  }

  /** Proposes what was added since the last time. */
  send(): void {
    const ordinals = this.#ordinals;
    if (ordinals.length === 0) return;
    const messages = this.#messages.length === 1 ? this.#messages[0]! : Buffer.concat(this.#messages);
    this.#ordinals = [];
    this.#messages = [];
    this.#proposer.submit({ messages, count: ordinals.length, settle: this.#split.part(ordinals) });
  }
}
