/**
 * Owns one message on its way to the log while the leader may still change it. Parts are views of what was submitted
 * until they are replaced; a message that nobody changed goes on as the bytes that came.
 */
import {
  copyMessageFlags,
  emptyMessageView,
  storedMessageBytes,
  writeMessagePrefix,
  type MessageView,
} from './message-format.ts';
import { PublishHeaders } from './publish-headers.ts';

const NO_BYTES = Buffer.alloc(0);
const VERSION_LINE = 'NATS/1.0\r\n';
const CRLF = '\r\n';
const LF = 0x0a;
/** Of a block that holds a version line, a blank line, and nothing between them. */
const BARE_BLOCK_BYTES = VERSION_LINE.length + CRLF.length;

export class MessageDraft {
  readonly #view: MessageView = emptyMessageView();
  readonly #scanned = new PublishHeaders();
  #isScanned = false;
  #isChanged = false;
  #subject: Buffer = NO_BYTES;
  #headers: Buffer = NO_BYTES;
  #payload: Buffer = NO_BYTES;

  /** Begins with the message in `view`, whose buffer stays as it is. */
  load({ buffer, start, subjectStart, headersStart, payloadStart, end }: MessageView): void {
    Object.assign(this.#view, { buffer, start, subjectStart, headersStart, payloadStart, end });
    this.#isScanned = false;
    this.#isChanged = false;
    this.#subject = buffer.subarray(subjectStart, headersStart);
    this.#headers = buffer.subarray(headersStart, payloadStart);
    this.#payload = buffer.subarray(payloadStart, end);
  }

  /** Lets go of the message and its buffer. */
  clear(): void {
    this.#view.buffer = NO_BYTES;
    this.#scanned.clear();
    this.#isScanned = false;
    this.#subject = this.#headers = this.#payload = NO_BYTES;
  }

  get isChanged(): boolean {
    return this.#isChanged;
  }

  get subject(): Buffer {
    return this.#subject;
  }

  set subject(subject: Buffer) {
    this.#subject = subject;
    this.#isChanged = true;
  }

  /** From the version line through the blank line; empty if there are none. */
  get headers(): Buffer {
    return this.#headers;
  }

  get payload(): Buffer {
    return this.#payload;
  }

  set payload(payload: Buffer) {
    this.#payload = payload;
    this.#isChanged = true;
  }

  /** The honoured headers as they are now; valid until the next change. */
  get honoured(): PublishHeaders {
    if (!this.#isScanned) this.#scanned.scan(this.#headers, 0, this.#headers.length);
    this.#isScanned = true;
    return this.#scanned;
  }

  /** The value of a header that streams do not honour; undefined if there is none. */
  header(name: string): string | undefined {
    const line = findLine(this.#headers, name);
    return line && this.#headers.toString('utf8', line.start + name.length + 1, line.end).trim();
  }

  /** Bytes of the message in stored form. */
  get storedBytes(): number {
    return storedMessageBytes(this.#subject.length, this.#headers.length, this.#payload.length);
  }

  /** Gives the header this value where it is, or adds it behind the others. */
  setHeader(name: string, value: string): void {
    const line = findLine(this.#headers, name);
    const added = `${name}: ${value}${CRLF}`;
    if (line !== undefined) this.#replaceHeaders(line.start, line.end, added);
    else if (this.#headers.length === 0) this.#setHeaders(Buffer.from(`${VERSION_LINE}${added}${CRLF}`));
    else this.#replaceHeaders(this.#headers.length - CRLF.length, this.#headers.length - CRLF.length, added);
  }

  /** Takes the header out wherever it occurs; a block that has none left goes as well. */
  removeHeader(name: string): void {
    for (let line = findLine(this.#headers, name); line !== undefined; line = findLine(this.#headers, name)) {
      this.#replaceHeaders(line.start, line.end, '');
    }
    if (this.#isChanged && this.#headers.length <= BARE_BLOCK_BYTES) this.#setHeaders(NO_BYTES);
  }

  /** The message in stored form: the very bytes that came, or a copy with the changes. */
  toStored(): Buffer {
    if (!this.#isChanged) return this.#view.buffer.subarray(this.#view.start, this.#view.end);
    const stored = Buffer.allocUnsafeSlow(this.storedBytes);
    const [subject, headers, payload] = [this.#subject, this.#headers, this.#payload];
    const lengths = { subject: subject.length, headers: headers.length, payload: payload.length };
    let at = writeMessagePrefix(stored, 0, lengths);
    copyMessageFlags(this.#view, stored);
    at += subject.copy(stored, at);
    at += headers.copy(stored, at);
    payload.copy(stored, at);
    return stored;
  }

  #replaceHeaders(start: number, end: number, text: string): void {
    this.#setHeaders(Buffer.concat([this.#headers.subarray(0, start), Buffer.from(text), this.#headers.subarray(end)]));
  }

  #setHeaders(headers: Buffer): void {
    this.#headers = headers;
    this.#isScanned = false;
    this.#isChanged = true;
  }
}

/** The first line of that name, its end included. Names are case-sensitive. */
function findLine(headers: Buffer, name: string): { readonly start: number; readonly end: number } | undefined {
  const before = headers.indexOf(`\n${name}:`);
  if (before < 0) return undefined;
  const end = headers.indexOf(LF, before + 1);
  return { start: before + 1, end: end < 0 ? headers.length : end + 1 };
}
