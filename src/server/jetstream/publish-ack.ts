/** Owns the replies to publishes: a whole submission's PubAcks in one go, without an allocation per message. */
import type { SubmissionOutcome } from '../../stream/index.ts';
import type { Router } from '../router-types.ts';
import type { OpenSubmission } from './open-submission.ts';

const MAX_SEQ_DIGITS = 16;
const ZERO = 0x30;
const CLOSING_BRACE = 0x7d;

export class PublishAckWriter {
  readonly #router: Router;
  readonly #account: string;
  /** `{"stream":"S","seq":` and room for the digits and the closing brace. */
  readonly #payload: Buffer;
  readonly #prefixBytes: number;

  constructor(router: Router, options: { readonly account: string; readonly stream: string; readonly domain: string }) {
    this.#router = router;
    this.#account = options.account;
    const domain = options.domain === '' ? '' : `"domain":${JSON.stringify(options.domain)},`;
    const prefix = Buffer.from(`{"stream":${JSON.stringify(options.stream)},${domain}"seq":`);
    this.#prefixBytes = prefix.length;
    this.#payload = Buffer.alloc(prefix.length + MAX_SEQ_DIGITS + 1);
    prefix.copy(this.#payload);
  }

  write(submission: OpenSubmission, outcome: SubmissionOutcome & { readonly kind: 'applied' }): void {
    const { exceptions } = outcome;
    let seq: number = outcome.firstSeq;
    let nextException = 0;
    for (let ordinal = 0; ordinal < submission.count; ordinal++) {
      const start = submission.replyStart(ordinal);
      const end = submission.replyEnd(ordinal);
      if (exceptions[nextException]?.ordinal === ordinal) {
        for (let each = exceptions[nextException]; each?.ordinal === ordinal; each = exceptions[++nextException]) {
          if (each.stored) seq++;
          if (end > start && each.reply !== undefined) this.#writeReply(submission, start, end, each.reply);
        }
        continue;
      }
      if (end > start) {
        const payloadBytes = this.#formatAck(seq);
        this.#router.publishReply(this.#account, submission.replies, start, end, this.#payload, payloadBytes);
      }
      seq++;
    }
    this.#router.flushSoon();
  }

  #writeReply(submission: OpenSubmission, start: number, end: number, reply: string): void {
    const payload = Buffer.from(reply);
    this.#router.publishReply(this.#account, submission.replies, start, end, payload, payload.length);
  }

  #formatAck(seq: number): number {
    const end = this.#prefixBytes + decimalDigits(seq);
    let rest = seq;
    for (let at = end - 1; at >= this.#prefixBytes; at--) {
      const tenth = Math.floor(rest / 10);
      this.#payload[at] = ZERO + (rest - tenth * 10);
      rest = tenth;
    }
    this.#payload[end] = CLOSING_BRACE;
    return end + 1;
  }
}

function decimalDigits(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}
