/**
 * Owns the steps of one consumer as they are written into progress entries: what was delivered, acked, given up. Equal
 * steps on neighbouring sequences merge into ranges, so a batch of 500 deliveries and its acks take a few bytes.
 *
 * A step is `u8 kind`, then what the kind needs: sequences as signed differences to the step before, times too.
 */
import { ByteWriter, type ByteReader } from './compact-bytes.ts';
import { invariant } from '../../base/errors.ts';

const STEP = {
  deliver: 1,
  redeliver: 2,
  finish: 3,
  finishThrough: 4,
  exhaust: 5,
  touch: 6,
  wait: 7,
  unwait: 8,
  pin: 9,
} as const;

/** Steps on [seq, seq + count). */
export interface ProgressSteps {
  deliver(seq: number, count: number, atMs: number): void;
  redeliver(seq: number, count: number, atMs: number): void;
  finish(seq: number, count: number): void;
  finishThrough(consumerSeq: number, seq: number): void;
  exhaust(seq: number): void;
  touch(seq: number, deliveredMs: number): void;
  wait(inbox: string): void;
  unwait(inbox: string): void;
  pin(id: string, sinceUs: number): void;
}

type RangeKind = typeof STEP.deliver | typeof STEP.redeliver | typeof STEP.finish;

/** The leader's notes about one consumer since its last progress entry. */
export class ProgressLog {
  readonly #writer = new ByteWriter();
  #lastSeq = 0;
  #lastMs = 0;
  /** The range being gathered; 0: none. */
  #openKind: RangeKind | 0 = 0;
  #openSeq = 0;
  #openCount = 0;
  #openMs = 0;

  get empty(): boolean {
    return this.#openKind === 0 && this.#writer.length === 0;
  }

  /** Bytes noted, without the range being gathered. */
  get bytes(): number {
    return this.#writer.length;
  }

  deliver(seq: number, atMs: number): void {
    this.#range(STEP.deliver, seq, atMs);
  }

  redeliver(seq: number, atMs: number): void {
    this.#range(STEP.redeliver, seq, atMs);
  }

  finish(seq: number): void {
    this.#range(STEP.finish, seq, 0);
  }

  finishThrough(consumerSeq: number, seq: number): void {
    this.#step(STEP.finishThrough);
    this.#writer.number(consumerSeq);
    this.#seq(seq);
  }

  exhaust(seq: number): void {
    this.#step(STEP.exhaust);
    this.#seq(seq);
  }

  touch(seq: number, deliveredMs: number): void {
    this.#step(STEP.touch);
    this.#seq(seq);
    this.#ms(deliveredMs);
  }

  wait(inbox: string): void {
    this.#step(STEP.wait);
    this.#writer.text(inbox);
  }

  unwait(inbox: string): void {
    this.#step(STEP.unwait);
    this.#writer.text(inbox);
  }

  pin(id: string, sinceUs: number): void {
    this.#step(STEP.pin);
    this.#writer.text(id);
    this.#writer.number(sinceUs);
  }

  /** All steps noted so far go into `entry`, length first; the log starts anew. */
  takeInto(entry: ByteWriter): void {
    this.#closeRange();
    entry.bytes(this.#writer.view());
    this.#writer.clear();
    this.#lastSeq = 0;
    this.#lastMs = 0;
  }

  /** What was noted is nobody's business. */
  clear(): void {
    this.#openKind = 0;
    this.#writer.clear();
    this.#lastSeq = 0;
    this.#lastMs = 0;
  }

  #range(kind: RangeKind, seq: number, atMs: number): void {
    if (this.#openKind === kind && seq === this.#openSeq + this.#openCount && atMs === this.#openMs) {
      this.#openCount++;
      return;
    }
    this.#closeRange();
    this.#openKind = kind;
    this.#openSeq = seq;
    this.#openCount = 1;
    this.#openMs = atMs;
  }

  #closeRange(): void {
    if (this.#openKind === 0) return;
    const kind = this.#openKind;
    this.#openKind = 0;
    this.#writer.byte(kind);
    this.#seq(this.#openSeq);
    this.#writer.number(this.#openCount);
    this.#lastSeq = this.#openSeq + this.#openCount;
    if (kind !== STEP.finish) this.#ms(this.#openMs);
  }

  #step(kind: number): void {
    this.#closeRange();
    this.#writer.byte(kind);
  }

  #seq(seq: number): void {
    this.#writer.signed(seq - this.#lastSeq);
    this.#lastSeq = seq;
  }

  #ms(ms: number): void {
    this.#writer.signed(ms - this.#lastMs);
    this.#lastMs = ms;
  }
}

/** Takes the steps that one `takeInto` wrote, in order. */
export function replaySteps(reader: ByteReader, steps: ProgressSteps): void {
  let lastSeq = 0;
  let lastMs = 0;
  while (!reader.atEnd) {
    const kind = reader.byte();
    switch (kind) {
      case STEP.deliver:
      case STEP.redeliver:
      case STEP.finish: {
        const seq = lastSeq + reader.signed();
        const count = reader.number();
        lastSeq = seq + count;
        if (kind === STEP.finish) {
          steps.finish(seq, count);
          break;
        }
        lastMs += reader.signed();
        if (kind === STEP.deliver) steps.deliver(seq, count, lastMs);
        else steps.redeliver(seq, count, lastMs);
        break;
      }
      case STEP.finishThrough: {
        const consumerSeq = reader.number();
        lastSeq += reader.signed();
        steps.finishThrough(consumerSeq, lastSeq);
        break;
      }
      case STEP.exhaust:
        lastSeq += reader.signed();
        steps.exhaust(lastSeq);
        break;
      case STEP.touch:
        lastSeq += reader.signed();
        lastMs += reader.signed();
        steps.touch(lastSeq, lastMs);
        break;
      case STEP.wait:
        steps.wait(reader.text());
        break;
      case STEP.unwait:
        steps.unwait(reader.text());
        break;
      case STEP.pin:
        steps.pin(reader.text(), reader.number());
        break;
      default:
        invariant(false, `unknown progress step ${kind}`);
    }
  }
}
