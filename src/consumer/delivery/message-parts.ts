/** Owns what consumers make of a stored message before they deliver it: headers added, the payload left out. */
import type { MessageView } from '../../stream/index.ts';

const EMPTY = Buffer.alloc(0);
const LINE_END_BYTES = 2;

export interface MessageParts {
  readonly subject: Buffer;
  readonly headers: Buffer;
  readonly payload: Buffer;
}

export function wholeMessage(message: MessageView): MessageParts {
  const { buffer, subjectStart, headersStart, payloadStart, end } = message;
  return {
    subject: buffer.subarray(subjectStart, headersStart),
    headers: buffer.subarray(headersStart, payloadStart),
    payload: buffer.subarray(payloadStart, end),
  };
}

/** A message without its payload, and a header that tells the payload's size. */
export function headersOnly(message: MessageView): MessageParts {
  const parts = withHeader(wholeMessage(message), `Nats-Msg-Size: ${message.end - message.payloadStart}`);
  return { ...parts, payload: EMPTY };
}

/** With one more header line. */
export function withHeader(parts: MessageParts, line: string): MessageParts {
  const { headers } = parts;
  if (headers.length === 0) return { ...parts, headers: Buffer.from(`NATS/1.0\r\n${line}\r\n\r\n`) };
  // The block ends with a blank line, before which the new header goes.
  const before = headers.subarray(0, headers.length - LINE_END_BYTES);
  return { ...parts, headers: Buffer.concat([before, Buffer.from(`${line}\r\n\r\n`)]) };
}
