/** Owns finding the headers that a stream honours on a publish, in place: names are case-sensitive, the first one wins. */

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;

const NAMES = [
  'Nats-Msg-Id',
  'Nats-Expected-Stream',
  'Nats-Expected-Last-Sequence',
  'Nats-Expected-Last-Subject-Sequence',
  'Nats-Expected-Last-Subject-Sequence-Subject',
  'Nats-Expected-Last-Msg-Id',
  'Nats-Rollup',
  'Nats-TTL',
  'Nats-Incr',
  'Nats-Schedule',
  'Nats-Stream-Source',
  'Nats-Batch-Id',
  'Nats-Batch-Sequence',
  'Nats-Batch-Commit',
  'Nats-Schedule-Target',
  'Nats-Schedule-Source',
  'Nats-Schedule-TTL',
  'Nats-Schedule-Rollup',
  'Nats-Schedule-Time-Zone',
  'Nats-Scheduler',
  'Nats-Schedule-Next',
  'Nats-Marker-Reason',
  'Nats-Required-Api-Level',
] as const;
export type PublishHeader = (typeof NAMES)[number];

const NO_BUFFER = Buffer.alloc(0);
const ENCODED = NAMES.map((name) => Buffer.from(name));
/** Where the honoured names differ from others at once: all begin with these. */
const COMMON = Buffer.from('Nats-');
const SLOT: Readonly<Record<PublishHeader, number>> = Object.fromEntries(
  NAMES.map((name, slot) => [name, slot]),
) as Record<PublishHeader, number>;

export const MSG_ID = SLOT['Nats-Msg-Id'];
export const EXPECTED_STREAM = SLOT['Nats-Expected-Stream'];
export const EXPECTED_LAST_SEQUENCE = SLOT['Nats-Expected-Last-Sequence'];
export const EXPECTED_LAST_SUBJECT_SEQUENCE = SLOT['Nats-Expected-Last-Subject-Sequence'];
export const EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT = SLOT['Nats-Expected-Last-Subject-Sequence-Subject'];
export const EXPECTED_LAST_MSG_ID = SLOT['Nats-Expected-Last-Msg-Id'];
export const ROLLUP = SLOT['Nats-Rollup'];
export const TTL = SLOT['Nats-TTL'];
export const INCREMENT = SLOT['Nats-Incr'];
export const SCHEDULE = SLOT['Nats-Schedule'];
export const STREAM_SOURCE = SLOT['Nats-Stream-Source'];
export const BATCH_ID = SLOT['Nats-Batch-Id'];
export const BATCH_SEQUENCE = SLOT['Nats-Batch-Sequence'];
export const BATCH_COMMIT = SLOT['Nats-Batch-Commit'];
export const SCHEDULE_TARGET = SLOT['Nats-Schedule-Target'];
export const SCHEDULE_SOURCE = SLOT['Nats-Schedule-Source'];
export const SCHEDULE_TTL = SLOT['Nats-Schedule-TTL'];
export const SCHEDULE_ROLLUP = SLOT['Nats-Schedule-Rollup'];
export const SCHEDULE_TIME_ZONE = SLOT['Nats-Schedule-Time-Zone'];
export const SCHEDULER = SLOT['Nats-Scheduler'];
export const SCHEDULE_NEXT = SLOT['Nats-Schedule-Next'];
export const REQUIRED_API_LEVEL = SLOT['Nats-Required-Api-Level'];

/** The honoured headers of one message, as offsets. Reused from message to message. */
export class PublishHeaders {
  #buffer: Buffer = NO_BUFFER;
  readonly #starts = new Int32Array(NAMES.length);
  readonly #ends = new Int32Array(NAMES.length);
  /** True when the message has any of them. */
  any = false;
  /** An empty header is the same as none, but for the zone of a schedule, which must not be empty. */
  hasEmptyTimeZone = false;

  get buffer(): Buffer {
    return this.#buffer;
  }

  /** Forgets the message, and with it the buffer. */
  clear(): void {
    if (this.any) this.#ends.fill(0);
    this.any = false;
    this.hasEmptyTimeZone = false;
    this.#buffer = NO_BUFFER;
  }

  /** Looks through the header block buffer[start, end). */
  scan(buffer: Buffer, start: number, end: number): void {
    if (this.any) this.#ends.fill(0);
    this.any = false;
    this.hasEmptyTimeZone = false;
    this.#buffer = buffer;
    let line = start;
    while (line < end) {
      let lineEnd = buffer.indexOf(LF, line);
      if (lineEnd < 0 || lineEnd >= end) lineEnd = end;
      if (buffer[line] === COMMON[0] && buffer[line + 4] === COMMON[4]) this.#readLine(line, lineEnd);
      line = lineEnd + 1;
    }
  }

  /** False for a header that is absent or empty, which is the same. */
  has(header: number): boolean {
    return this.any && this.#ends[header] !== 0;
  }

  start(header: number): number {
    return this.#starts[header]!;
  }

  end(header: number): number {
    return this.#ends[header]!;
  }

  text(header: number): string {
    return this.has(header) ? this.#buffer.toString('utf8', this.#starts[header], this.#ends[header]) : '';
  }

  /** A header that is a sequence; -1, which is never one, when it is anything else. */
  sequence(header: number): number {
    const start = this.#starts[header]!;
    const end = this.#ends[header]!;
    let value = 0;
    for (let at = start; at < end; at++) {
      const digit = this.#buffer[at]!;
      if (digit < ZERO || digit > NINE) return -1;
      value = value * 10 + (digit - ZERO);
    }
    return Number.isSafeInteger(value) ? value : -1;
  }

  #readLine(start: number, lineEnd: number): void {
    const buffer = this.#buffer;
    let colon = start;
    while (colon < lineEnd && buffer[colon] !== COLON) colon++;
    const length = colon - start;
    for (let slot = 0; slot < ENCODED.length; slot++) {
      const name = ENCODED[slot]!;
      if (name.length !== length || buffer.compare(name, 0, length, start, colon) !== 0) continue;
      let from = colon + 1;
      let to = lineEnd;
      if (to > from && buffer[to - 1] === CR) to--;
      while (from < to && buffer[from] === SPACE) from++;
      if (from >= to && slot === SCHEDULE_TIME_ZONE) this.any = this.hasEmptyTimeZone = true;
      if (from >= to || this.#ends[slot] !== 0) return;
      this.#starts[slot] = from;
      this.#ends[slot] = to;
      this.any = true;
      return;
    }
  }
}
