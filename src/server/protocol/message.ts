/** Owns the message on its way through the router: offsets into the buffers that hold its parts, nothing copied. */
import type { Publication } from '../router-types.ts';
import { NO_BYTES } from './bytes.ts';

/**
 * A publication whose subject and reply may lie in other buffers than its headers and payload, as when a stored message
 * goes out with a reply made up for it. One that came from a client lies in one buffer, `buffer`. Reused: see Publication.
 */
export class Message implements Publication {
  buffer: Buffer = NO_BYTES;
  subjectBuffer: Buffer = NO_BYTES;
  subjectStart = 0;
  subjectEnd = 0;
  replyBuffer: Buffer = NO_BYTES;
  replyStart = 0;
  replyEnd = 0;
  headersStart = 0;
  headersEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** What it is routed by, where that is not its subject; an empty range: its subject. */
  routeBuffer: Buffer = NO_BYTES;
  routeStart = 0;
  routeEnd = 0;

  /** All parts are in `buffer`. */
  setBuffer(buffer: Buffer): void {
    this.buffer = buffer;
    this.subjectBuffer = buffer;
    this.replyBuffer = buffer;
  }

  setSubject(buffer: Buffer, start: number, end: number): void {
    this.subjectBuffer = buffer;
    this.subjectStart = start;
    this.subjectEnd = end;
  }

  setReply(buffer: Buffer, start: number, end: number): void {
    this.replyBuffer = buffer;
    this.replyStart = start;
    this.replyEnd = end;
  }

  setRoute(buffer: Buffer, start: number, end: number): void {
    this.routeBuffer = buffer;
    this.routeStart = start;
    this.routeEnd = end;
  }

  /** Its subject is not what it is routed by. */
  get routedByOther(): boolean {
    return this.routeEnd > this.routeStart;
  }

  /** Becomes what `other` is now. */
  assign(other: Message): void {
    this.setSubject(other.subjectBuffer, other.subjectStart, other.subjectEnd);
    this.setReply(other.replyBuffer, other.replyStart, other.replyEnd);
    this.setBody(other.buffer, other.headersStart, other.payloadStart, other.payloadEnd);
    this.setRoute(other.routeBuffer, other.routeStart, other.routeEnd);
  }

  /** Headers and payload follow one another in `buffer[headersStart, end)`. */
  setBody(buffer: Buffer, headersStart: number, payloadStart: number, end: number): void {
    this.buffer = buffer;
    this.headersStart = headersStart;
    this.headersEnd = payloadStart;
    this.payloadStart = payloadStart;
    this.payloadEnd = end;
  }

  /** Bytes of headers and payload: what the counters of monitoring count. */
  get bodyBytes(): number {
    return this.headersEnd - this.headersStart + this.payloadEnd - this.payloadStart;
  }
}
