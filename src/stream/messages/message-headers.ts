/** Owns header blocks taken apart, for messages that the stream itself makes: few of them, so as text. */
import { MESSAGE_PREFIX_BYTES, storedMessageBytes, writeMessagePrefix } from './message-format.ts';
import type { MessageParts } from '../records/message-reader.ts';

const VERSION_LINE = 'NATS/1.0';
const CRLF = '\r\n';

/** Header lines in their order. Names are case-sensitive. Text is latin1, so that every byte comes back. */
export class MessageHeaders {
  #lines: { readonly name: string; readonly line: string }[] = [];

  static parse(block: Buffer): MessageHeaders {
    const headers = new MessageHeaders();
    const [, ...lines] = block.toString('latin1').split(CRLF);
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon > 0) headers.#lines.push({ name: line.slice(0, colon), line });
    }
    return headers;
  }

  /** The first value of that name. */
  get(name: string): string | undefined {
    const found = this.#lines.find((each) => each.name === name);
    return found && Buffer.from(found.line.slice(name.length + 1).trimStart(), 'latin1').toString();
  }

  add(name: string, value: string): void {
    this.#lines.push({ name, line: `${name}: ${Buffer.from(value).toString('latin1')}` });
  }

  remove(isUnwanted: (name: string) => boolean): void {
    this.#lines = this.#lines.filter(({ name }) => !isUnwanted(name));
  }

  encode(): Buffer {
    const lines = this.#lines.map(({ line }) => `${line}${CRLF}`).join('');
    return Buffer.from(`${VERSION_LINE}${CRLF}${lines}${CRLF}`, 'latin1');
  }
}

/** A message in stored form. */
export function encodeMessage({ subject, headers, payload }: MessageParts): Buffer {
  const lengths = { subject: subject.length, headers: headers.length, payload: payload.length };
  const message = Buffer.allocUnsafeSlow(storedMessageBytes(lengths.subject, lengths.headers, lengths.payload));
  writeMessagePrefix(message, 0, lengths);
  let at = MESSAGE_PREFIX_BYTES;
  at += subject.copy(message, at);
  at += headers.copy(message, at);
  payload.copy(message, at);
  return message;
}
