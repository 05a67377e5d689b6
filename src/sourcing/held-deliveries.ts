/** Owns deliveries that came before the answer that says what they belong to. What a sender may send unasked bounds them. */
import type { Delivery } from './types.ts';

export class HeldDeliveries {
  #deliveries: Delivery[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(delivery: Delivery): void {
    const { subjectBuffer, subjectStart, subjectEnd, replyBuffer, replyStart, replyEnd, buffer } = delivery;
    const { headersStart, payloadStart, payloadEnd } = delivery;
    const whole = Buffer.concat([
      subjectBuffer.subarray(subjectStart, subjectEnd),
      replyBuffer.subarray(replyStart, replyEnd),
      buffer.subarray(headersStart, payloadEnd),
    ]);
    const replyAt = subjectEnd - subjectStart;
    const headersAt = replyAt + replyEnd - replyStart;
    this.#bytes += whole.length;
    this.#deliveries.push({
      subjectBuffer: whole,
      subjectStart: 0,
      subjectEnd: replyAt,
      replyBuffer: whole,
      replyStart: replyAt,
      replyEnd: headersAt,
      buffer: whole,
      headersStart: headersAt,
      payloadStart: headersAt + payloadStart - headersStart,
      payloadEnd: whole.length,
    });
  }

  /** All of them, in order; none are held then. */
  take(): readonly Delivery[] {
    const deliveries = this.#deliveries;
    this.clear();
    return deliveries;
  }

  clear(): void {
    this.#deliveries = [];
    this.#bytes = 0;
  }
}
