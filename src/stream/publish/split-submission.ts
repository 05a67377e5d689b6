/**
 * Owns the outcome of a submission whose messages do not share one fate: parts of it go to the log in entries of their
 * own, some messages are answered at once, others are kept for later. Its submitter is told once, when all is known.
 */
import { JETSTREAM_UNAVAILABLE } from '../../base/api-errors.ts';
import type { Seq } from '../../base/brand.ts';
import type { PublishReplies } from './publish-replies.ts';
import type { Submission, SubmissionException, SubmissionOutcome } from '../types.ts';

type Applied = Extract<SubmissionOutcome, { readonly kind: 'applied' }>;
type Refused = Extract<SubmissionOutcome, { readonly kind: 'refused' }>;

export class SplitSubmission {
  readonly #submission: Submission;
  readonly #replies: PublishReplies;
  /** Of each message: where it was stored; 0 if it was not, or not under a sequence that is known. */
  readonly #seqs: Float64Array;
  /** Of each message: what it is answered instead of the plain acknowledgement. */
  readonly #own: (readonly string[] | undefined)[];
  #undecided = 1;
  /** The outcome of a part that holds all messages as they came. */
  #whole: SubmissionOutcome | undefined;
  #refused: Refused | undefined;
  /** Something came of the submission that must not be repeated. */
  #isSpent = false;

  constructor(submission: Submission, replies: PublishReplies) {
    this.#submission = submission;
    this.#replies = replies;
    this.#seqs = new Float64Array(submission.count);
    this.#own = new Array<readonly string[] | undefined>(submission.count);
  }

  /** The message gets these replies, none at all perhaps, whatever becomes of the others. */
  answer(ordinal: number, ...replies: readonly string[]): void {
    this.#own[ordinal] = replies;
    this.#isSpent = true;
  }

  /** The messages at `ordinals` go on together; the function returned is to be told their outcome, once. */
  part(ordinals: readonly number[]): (outcome: SubmissionOutcome) => void {
    this.#undecided++;
    return (outcome) => {
      if (ordinals.length === this.#submission.count) this.#whole = outcome;
      else this.#settlePart(ordinals, outcome);
      this.#decided();
    };
  }

  /** One message waits for an outcome of another kind; the function returned is to be told its replies, once. */
  defer(ordinal: number): (replies: readonly string[]) => void {
    this.#undecided++;
    return (replies) => {
      this.answer(ordinal, ...replies);
      this.#decided();
    };
  }

  /** Nothing more is added. */
  close(): void {
    this.#decided();
  }

  #settlePart(ordinals: readonly number[], outcome: SubmissionOutcome): void {
    switch (outcome.kind) {
      case 'applied':
        this.#isSpent = true;
        this.#spread(ordinals, outcome);
        return;
      case 'unknown':
        this.#isSpent = true;
        for (const ordinal of ordinals) this.#own[ordinal] = [];
        return;
      case 'refused': {
        this.#refused = outcome;
        const reply = this.#replies.error(JETSTREAM_UNAVAILABLE);
        for (const ordinal of ordinals) this.#own[ordinal] = [reply];
      }
    }
  }

  #spread(ordinals: readonly number[], { firstSeq, exceptions }: Applied): void {
    let seq: number = firstSeq;
    let next = 0;
    ordinals.forEach((ordinal, at) => {
      let isStored = true;
      for (let exception = exceptions[next]; exception?.ordinal === at; exception = exceptions[++next]) {
        isStored = exception.stored;
        const { reply } = exception;
        this.#own[ordinal] = [...(this.#own[ordinal] ?? []), ...(reply === undefined ? [] : [reply])];
      }
      if (isStored) this.#seqs[ordinal] = seq++;
    });
  }

  #decided(): void {
    if (--this.#undecided === 0) this.#submission.settle(this.#outcome());
  }

  #outcome(): SubmissionOutcome {
    if (this.#whole !== undefined) return this.#whole;
    if (!this.#isSpent && this.#refused !== undefined) return this.#refused;
    const firstSeq = this.#seqs.find((seq) => seq > 0) ?? 0;
    const exceptions: SubmissionException[] = [];
    let expected = firstSeq;
    this.#seqs.forEach((seq, ordinal) => {
      const stored = seq > 0 && seq === expected;
      if (stored) expected++;
      const own = this.#own[ordinal] ?? (stored ? undefined : [this.#replies.stored(seq)]);
      if (own !== undefined) exceptions.push(...exceptionsOf(ordinal, stored, own));
    });
    return { kind: 'applied', firstSeq: firstSeq as Seq, exceptions };
  }
}

/** All replies to one message; the last exception says whether it took a sequence. */
function exceptionsOf(ordinal: number, stored: boolean, replies: readonly string[]): SubmissionException[] {
  if (replies.length === 0) return [{ ordinal, stored, reply: undefined }];
  return replies.map((reply, at) => ({ ordinal, stored: stored && at === replies.length - 1, reply }));
}
