/** Owns what `headers_only` consumers get: a message without its payload, and a header that tells the payload's size. */
import type { MessageView } from '../stream/index.ts';

const EMPTY = Buffer.alloc(0);
const LINE_END_BYTES = 2;

export function headersOnly(message: MessageView): {
  readonly subject: Buffer;
  readonly headers: Buffer;
  readonly payload: Buffer;
} {
  const size = `Nats-Msg-Size: ${message.end - message.payloadStart}\r\n\r\n`;
  const block = message.buffer.subarray(message.headersStart, message.payloadStart);
  return {
    subject: message.buffer.subarray(message.subjectStart, message.headersStart),
    // The block ends with a blank line, before which the new header goes.
    headers:
      block.length === 0
        ? Buffer.from(`NATS/1.0\r\n${size}`)
        : Buffer.concat([block.subarray(0, block.length - LINE_END_BYTES), Buffer.from(size)]),
    payload: EMPTY,
  };
}
