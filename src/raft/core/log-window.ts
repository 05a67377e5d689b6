/**
 * Owns what a core knows about its log: of every entry behind the snapshot its term and checksum, and of the most
 * recent ones the entry itself. Older ones are on disk, and come through `load` when somebody lags.
 */
import { invariant } from '../../base/errors.ts';
import { chainChecksum } from '../record.ts';
import type { Entry, LogIndex, Term } from '../types.ts';
import type { RecoveredState } from './input.ts';

const INITIAL_CHECKSUMS = 64;

/**
 * Invariant: snapshotIndex <= lastIndex, durableIndex <= lastIndex, firstInMemory <= lastIndex + 1. The entries in
 * [firstInMemory, lastIndex] are in memory, those that are not durable always among them.
 */
export class LogWindow {
  readonly #maxBytes: number;
  #snapshotIndex = 0 as LogIndex;
  #snapshotTerm = 0 as Term;
  #snapshotChecksum = 0;
  #lastIndex = 0 as LogIndex;
  #durableIndex = 0 as LogIndex;
  /** Terms only change with leaders: runs of equal terms, oldest first. */
  readonly #terms: { readonly from: LogIndex; readonly term: Term }[] = [];
  /** That of entry i at `i - #checksumsFrom`. */
  #checksums = new Uint32Array(INITIAL_CHECKSUMS);
  #checksumsFrom = 1;
  /** The entries in memory begin at `#head`; what is before it was evicted, and is cut off now and then. */
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  constructor(maxBytes: number, recovered?: RecoveredState) {
    this.#maxBytes = maxBytes;
    if (recovered === undefined) return;
    const { snapshot, log } = recovered;
    this.reset(snapshot.index, snapshot.term, snapshot.checksum);
    for (const entry of log) {
      invariant(entry.index === this.#lastIndex + 1, `recovered log has a gap before ${entry.index}`);
      this.#record(entry.index, entry.term, entry.checksum);
    }
    this.#durableIndex = this.#lastIndex;
  }

  get snapshotIndex(): LogIndex {
    return this.#snapshotIndex;
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#terms.length > 0 ? this.#terms[this.#terms.length - 1]!.term : this.#snapshotTerm;
  }

  get durableIndex(): LogIndex {
    return this.#durableIndex;
  }

  get firstInMemory(): LogIndex {
    return (this.#lastIndex + 1 - (this.#entries.length - this.#head)) as LogIndex;
  }

  /** Undefined in front of the snapshot's index and behind the last entry's. */
  termAt(index: LogIndex): Term | undefined {
    if (index < this.#snapshotIndex || index > this.#lastIndex) return undefined;
    if (index === this.#snapshotIndex) return this.#snapshotTerm;
    for (let run = this.#terms.length - 1; run >= 0; run--) {
      if (this.#terms[run]!.from <= index) return this.#terms[run]!.term;
    }
    return this.#snapshotTerm;
  }

  /** The chain checksum of the entry there; undefined as for `termAt`. */
  checksumAt(index: LogIndex): number | undefined {
    if (index < this.#snapshotIndex || index > this.#lastIndex) return undefined;
    return index === this.#snapshotIndex ? this.#snapshotChecksum : this.#checksums[index - this.#checksumsFrom]!;
  }

  /** The last index at or before `index` whose term is at most `term`; never before the snapshot. */
  lastIndexOfTermAtMost(index: LogIndex, term: Term): LogIndex {
    let end = Math.min(index, this.#lastIndex);
    for (let run = this.#terms.length - 1; run >= 0; run--) {
      const { from, term: runTerm } = this.#terms[run]!;
      if (from > end) continue;
      if (runTerm <= term) return end as LogIndex;
      end = from - 1;
    }
    return Math.max(end, this.#snapshotIndex) as LogIndex;
  }

  /** The log reaches at least as far as one that ends with (index, term): the voter's rule (§5.4.1). */
  isUpToDate(index: LogIndex, term: Term): boolean {
    return term > this.lastTerm || (term === this.lastTerm && index >= this.#lastIndex);
  }

  append(entry: Entry): void {
    invariant(entry.index === this.#lastIndex + 1, `entry ${entry.index} does not follow ${this.#lastIndex}`);
    invariant(entry.term >= this.lastTerm, `entry ${entry.index}: term ${entry.term} after ${this.lastTerm}`);
    this.#record(entry.index, entry.term, chainChecksum(entry.record));
    this.#entries.push(entry);
    this.#bytes += entry.record.length;
  }

  #record(index: LogIndex, term: Term, checksum: number): void {
    if (term !== this.lastTerm || this.#terms.length === 0) this.#terms.push({ from: index, term });
    const at = index - this.#checksumsFrom;
    if (at >= this.#checksums.length) {
      const larger = new Uint32Array(this.#checksums.length * 2);
      larger.set(this.#checksums);
      this.#checksums = larger;
    }
    this.#checksums[at] = checksum;
    this.#lastIndex = index;
  }

  /** Forgets the entries at `index` and behind. */
  truncateFrom(index: LogIndex): void {
    invariant(index > this.#snapshotIndex, `truncating at ${index} inside the snapshot`);
    while (this.#entries.length > this.#head && this.#entries[this.#entries.length - 1]!.index >= index) {
      this.#bytes -= this.#entries.pop()!.record.length;
    }
    while (this.#terms.length > 0 && this.#terms[this.#terms.length - 1]!.from >= index) this.#terms.pop();
    this.#lastIndex = Math.min(this.#lastIndex, index - 1) as LogIndex;
    this.#durableIndex = Math.min(this.#durableIndex, this.#lastIndex) as LogIndex;
  }

  /** The log up to (index, term) is on disk, unless that entry was replaced since; a later report tells then. */
  persisted(index: LogIndex, term: Term): void {
    if (index <= this.#durableIndex || this.termAt(index) !== term) return;
    this.#durableIndex = index;
    this.#evict();
  }

  /** Old entries go when they take too much room; never one that could not be loaded again. */
  #evict(): void {
    while (this.#bytes > this.#maxBytes && this.#head < this.#entries.length) {
      const oldest = this.#entries[this.#head]!;
      if (oldest.index > this.#durableIndex) break;
      this.#dropOldest(oldest);
    }
    this.#cutOffHead();
  }

  /** Its record is let go at once, its place later, together with others. */
  #dropOldest(oldest: Entry): void {
    this.#bytes -= oldest.record.length;
    this.#entries[this.#head] = undefined;
    this.#head++;
  }

  #cutOffHead(): void {
    if (this.#head * 2 < this.#entries.length) return;
    this.#entries.splice(0, this.#head);
    this.#head = 0;
  }

  /**
   * Entries from `from` through `through`, at most `maxBytes` of records but at least one.
   * Undefined: the first of them is not in memory.
   */
  slice(from: LogIndex, through: LogIndex, maxBytes: number): Entry[] | undefined {
    if (from < this.firstInMemory) return undefined;
    const end = Math.min(through, this.#lastIndex) - from + 1;
    const start = this.#head + from - this.firstInMemory;
    let count = 0;
    let bytes = 0;
    while (count < end) {
      bytes += this.#entries[start + count]!.record.length;
      if (bytes > maxBytes && count > 0) break;
      count++;
    }
    return this.#entries.slice(start, start + count) as Entry[];
  }

  entryAt(index: LogIndex): Entry | undefined {
    if (index > this.#lastIndex || index < this.firstInMemory) return undefined;
    return this.#entries[this.#head + index - this.firstInMemory];
  }

  /** A durable checkpoint covers everything up to `index`: what is before can't be asked for any more. */
  compactTo(index: LogIndex): void {
    const term = this.termAt(index);
    const checksum = this.checksumAt(index);
    if (term === undefined || checksum === undefined || index === this.#snapshotIndex) return;
    while (this.#head < this.#entries.length && this.#entries[this.#head]!.index <= index) {
      this.#dropOldest(this.#entries[this.#head]!);
    }
    this.#cutOffHead();
    while (this.#terms.length > 1 && this.#terms[1]!.from <= index + 1) this.#terms.shift();
    if (index === this.#lastIndex) this.#terms.length = 0;
    const kept = this.#checksums.slice(index + 1 - this.#checksumsFrom, this.#lastIndex + 1 - this.#checksumsFrom);
    this.#checksums = new Uint32Array(Math.max(INITIAL_CHECKSUMS, kept.length * 2));
    this.#checksums.set(kept);
    this.#checksumsFrom = index + 1;
    this.#snapshotIndex = index;
    this.#snapshotTerm = term;
    this.#snapshotChecksum = checksum;
  }

  /** The log becomes empty behind a snapshot that came from elsewhere, and is durable when `persisted` says so. */
  reset(index: LogIndex, term: Term, checksum: number): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#terms.length = 0;
    this.#checksums = new Uint32Array(INITIAL_CHECKSUMS);
    this.#checksumsFrom = index + 1;
    this.#snapshotIndex = this.#lastIndex = index;
    this.#durableIndex = Math.min(this.#durableIndex, index) as LogIndex;
    this.#snapshotTerm = term;
    this.#snapshotChecksum = checksum;
  }
}
