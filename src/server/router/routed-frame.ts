/**
 * Owns the frames in which messages travel to other nodes' subscribers.
 *
 * frame:  `u8 version | length account | record…`
 * record: `u8 flags | length subject | [length wireSubject] | [length reply] | [length headers] | length payload |
 *          [count | (length group)…] | subject | wireSubject | reply | groups | headers | payload`
 *
 * Lengths and counts are LEB128 varints. Parts in brackets are there if their flag is set. `subject` is what the message is
 * routed by; `wireSubject` is what its receivers see, where that differs. A group is `filter name`; the sender has picked the
 * receiving node to serve these groups, and PLAIN says that its plain subscribers are to be served as well. Receivers
 * deliver to their own subscribers only: a message is never forwarded twice.
 */
import { copyBytes, enlarged } from '../../base/byte-writing.ts';
import { type Message, NO_BYTES } from '../protocol/index.ts';

const VERSION = 1;
const PLAIN = 1;
const WIRE_SUBJECT = 2;
const REPLY = 4;
const HEADERS = 8;
const GROUPS = 16;

const INITIAL_FRAME_BYTES = 4 * 1024;
const MAX_VARINT_BYTES = 5;
/** Flags and six varints. */
const RECORD_FRAMING_BYTES = 1 + 6 * MAX_VARINT_BYTES;

/** Gathers records for one node and one account. */
export class FrameBuilder {
  #frame: Buffer = NO_BYTES;
  #used = 0;

  get bytes(): number {
    return this.#used;
  }

  begin(account: string): void {
    const name = Buffer.from(account);
    this.#frame = Buffer.allocUnsafeSlow(INITIAL_FRAME_BYTES + name.length);
    this.#frame[0] = VERSION;
    this.#used = copyBytes(this.#frame, writeVarint(this.#frame, 1, name.length), name, 0, name.length);
  }

  /** `routeSubject`: what to route by, where that is not the message's own subject. */
  add(
    message: Message,
    route: { readonly subject: Buffer | undefined; readonly plain: boolean; readonly groups: readonly Buffer[] },
  ): void {
    const wireBytes = message.subjectEnd - message.subjectStart;
    const replyBytes = message.replyEnd - message.replyStart;
    const headerBytes = message.headersEnd - message.headersStart;
    const payloadBytes = message.payloadEnd - message.payloadStart;
    let groupBytes = 0;
    for (const group of route.groups) groupBytes += group.length + MAX_VARINT_BYTES;
    const routeBytes = route.subject?.length ?? 0;
    this.#reserve(RECORD_FRAMING_BYTES + routeBytes + wireBytes + replyBytes + groupBytes + headerBytes + payloadBytes);

    const frame = this.#frame;
    let at = this.#used + 1;
    frame[this.#used] =
      (route.plain ? PLAIN : 0) |
      (route.subject === undefined ? 0 : WIRE_SUBJECT) |
      (replyBytes > 0 ? REPLY : 0) |
      (headerBytes > 0 ? HEADERS : 0) |
      (route.groups.length > 0 ? GROUPS : 0);
    if (route.subject !== undefined) at = writeVarint(frame, at, routeBytes);
    at = writeVarint(frame, at, wireBytes);
    if (replyBytes > 0) at = writeVarint(frame, at, replyBytes);
    if (headerBytes > 0) at = writeVarint(frame, at, headerBytes);
    at = writeVarint(frame, at, payloadBytes);
    if (route.groups.length > 0) at = writeVarint(frame, at, route.groups.length);
    for (const group of route.groups) at = writeVarint(frame, at, group.length);

    if (route.subject !== undefined) at = copyBytes(frame, at, route.subject, 0, routeBytes);
    at = copyBytes(frame, at, message.subjectBuffer, message.subjectStart, message.subjectEnd);
    at = copyBytes(frame, at, message.replyBuffer, message.replyStart, message.replyEnd);
    for (const group of route.groups) at = copyBytes(frame, at, group, 0, group.length);
    at = copyBytes(frame, at, message.buffer, message.headersStart, message.headersEnd);
    this.#used = copyBytes(frame, at, message.buffer, message.payloadStart, message.payloadEnd);
  }

  /** The finished frame; it belongs to the caller. */
  take(): Buffer {
    const frame = this.#frame.subarray(0, this.#used);
    this.#frame = NO_BYTES;
    this.#used = 0;
    return frame;
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed > this.#frame.length) this.#frame = enlarged(this.#frame, this.#used, needed);
  }
}

/** Walks the records of a frame. It comes from outside: every length is checked against the frame's end. */
export class FrameReader {
  /** As a receiver sees it. */
  account = '';
  subjectStart = 0;
  subjectEnd = 0;
  plain = false;
  groupCount = 0;
  groupStarts: number[] = [];
  groupEnds: number[] = [];
  #frame: Buffer = NO_BYTES;
  #at = 0;
  #broken = true;

  /** False: not a frame of this version. */
  open(frame: Buffer): boolean {
    this.#frame = frame;
    this.#at = 1;
    this.#broken = false;
    const end = this.#end(this.#length());
    if (end < 0 || frame[0] !== VERSION) {
      this.#broken = true;
      return false;
    }
    this.account = frame.toString('utf8', this.#at, end);
    this.#at = end;
    return true;
  }

  /** Reads the next record; the message's parts point into the frame. False at the end, or when broken. */
  next(message: Message): boolean {
    const frame = this.#frame;
    if (this.#broken || this.#at >= frame.length) return false;
    const flags = frame[this.#at++]!;
    const subjectBytes = this.#length();
    const wireBytes = (flags & WIRE_SUBJECT) === 0 ? 0 : this.#length();
    const replyBytes = (flags & REPLY) === 0 ? 0 : this.#length();
    const headerBytes = (flags & HEADERS) === 0 ? 0 : this.#length();
    const payloadBytes = this.#length();
    this.#readGroupLengths((flags & GROUPS) === 0 ? 0 : this.#length());
    this.plain = (flags & PLAIN) !== 0;

    this.subjectStart = this.#at;
    this.subjectEnd = this.#take(subjectBytes);
    const wireStart = this.#at;
    const wireEnd = this.#take(wireBytes);
    const replyStart = this.#at;
    const replyEnd = this.#take(replyBytes);
    this.#placeGroups();
    const headersStart = this.#at;
    const payloadStart = this.#take(headerBytes);
    const end = this.#take(payloadBytes);
    if (end < 0) return false;
    if (wireBytes > 0) message.setSubject(frame, wireStart, wireEnd);
    else message.setSubject(frame, this.subjectStart, this.subjectEnd);
    message.setRoute(frame, this.subjectStart, wireBytes > 0 ? this.subjectEnd : this.subjectStart);
    message.setReply(frame, replyStart, replyEnd);
    message.setBody(frame, headersStart, payloadStart, end);
    return true;
  }

  #readGroupLengths(count: number): void {
    this.groupCount = 0;
    // Each takes a byte at least, so a count beyond the frame's end is a lie.
    if (this.#end(count) < 0) return;
    for (let i = 0; i < count && !this.#broken; i++) this.groupEnds[this.groupCount++] = this.#length();
  }

  #placeGroups(): void {
    for (let i = 0; i < this.groupCount; i++) {
      this.groupStarts[i] = this.#at;
      this.groupEnds[i] = this.#take(this.groupEnds[i]!);
    }
  }

  /** Where a part of `length` bytes beginning here ends; marks the frame broken if that is outside. */
  #end(length: number): number {
    const end = this.#at + length;
    if (end > this.#frame.length) this.#broken = true;
    return this.#broken ? -1 : end;
  }

  #take(length: number): number {
    const end = this.#end(length);
    if (end >= 0) this.#at = end;
    return end;
  }

  #length(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#frame[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    this.#broken = true;
    return 0;
  }
}

function writeVarint(target: Buffer, at: number, value: number): number {
  let rest = value;
  let to = at;
  while (rest >= 0x80) {
    target[to++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[to] = rest;
  return to + 1;
}
