/**
 * Owns the meta group's state machine: entries to records, checkpoints by pages (one per stream), the digest. What the
 * records mean is in catalogue-state.ts, what is proposed in catalogue-writer.ts.
 *
 * The catalogue that this node shows never goes back. A replica that has to build its state anew does so out of sight,
 * until that is as far as what is shown: or else, by a catalogue that does not know them yet, streams would be deleted.
 */
import type { NodeId } from '../base/brand.ts';
import { crc32c } from '../base/checksum.ts';
import { StorageError } from '../base/errors.ts';
import { allocateRecord, RECORD_HEADER_BYTES } from '../raft/index.ts';
import type { Entry, GroupId, GroupStatus, LogIndex, PageSink, StateMachine } from '../raft/index.ts';
import { type CatalogueRecord, CatalogueState, type RecordResult } from './catalogue-state.ts';
import type { StreamAssignment } from './types.ts';

const FORMAT_VERSION = 1;
/** First byte of a page's key. */
const HEAD_PAGE = 1;
const STREAM_PAGE = 2;
const HEAD_KEY = Buffer.from([HEAD_PAGE]);

interface Head {
  readonly version: number;
  readonly nextGroup: GroupId;
  readonly digest: number;
  /** The last entry applied that was not Raft's own. */
  readonly lastEntry: LogIndex;
  readonly nodes: readonly NodeId[];
  readonly removed: readonly NodeId[];
}

/** What the machine tells those who run the meta group. */
export interface MetaListener {
  applied(entry: Entry, results: readonly RecordResult[]): void;
  statusChanged(status: GroupStatus): void;
  proposalsWelcome(): void;
  closed(): void;
}

/** One entry out of many changes: under load an entry carries all that gathered while the one before was in flight. */
export function encodeRecords(records: readonly CatalogueRecord[]): Buffer {
  const json = Buffer.from(JSON.stringify({ version: FORMAT_VERSION, records }));
  const record = allocateRecord(json.length);
  json.copy(record, RECORD_HEADER_BYTES);
  return record;
}

function decodeRecords(body: Buffer): readonly CatalogueRecord[] {
  const { version, records } = JSON.parse(body.toString()) as { version: number; records: CatalogueRecord[] };
  checkVersion(version);
  return records;
}

/** A node that is too old to understand what its cluster decided must not go on with half of it. */
function checkVersion(version: number): void {
  if (version > FORMAT_VERSION) throw new StorageError('STORAGE_READ', `catalogue of version ${version}`);
}

export class CatalogueMachine implements StateMachine {
  /** What this node shows. */
  readonly #shown: CatalogueState;
  #shownThrough = 0 as LogIndex;
  /** What entries are applied to. */
  #state: CatalogueState;
  #lastEntry = 0 as LogIndex;
  readonly #listener: MetaListener;
  #digest = 0;
  /** Groups whose stream changed since the last durable checkpoint. */
  #changed = new Set<GroupId>();
  /** Assignments are never changed in place, so references are a frozen image. Undefined: deleted. */
  #frozen: (readonly [GroupId, StreamAssignment | undefined])[] = [];
  #frozenHead: Head | undefined;
  #written = 0;
  /** Entries applied and not yet reported dead; the first `#frozenEntries` are in the checkpoint that is being written. */
  #entries: LogIndex[] = [];
  #frozenEntries = 0;
  #dead: LogIndex[] = [];

  constructor(state: CatalogueState, listener: MetaListener) {
    this.#shown = state;
    this.#state = state;
    this.#listener = listener;
    this.#watch(state);
  }

  #watch(state: CatalogueState): void {
    state.onChange(({ previous, current }) => this.#changed.add((current ?? previous)!.group));
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#digest = crc32c(entry.body, this.#digest);
      const results = decodeRecords(entry.body).map((record) => this.#state.apply(record));
      this.#entries.push(entry.index);
      this.#lastEntry = entry.index;
      this.#showIfAhead();
      this.#listener.applied(entry, results);
    }
  }

  #showIfAhead(): void {
    if (this.#lastEntry < this.#shownThrough) return;
    this.#shownThrough = this.#lastEntry;
    if (this.#state === this.#shown) return;
    this.#shown.replace(this.#state.content());
    this.#state = this.#shown;
  }

  statusChanged(status: GroupStatus): void {
    this.#listener.statusChanged(status);
  }

  proposalsWelcome(): void {
    this.#listener.proposalsWelcome();
  }

  digest(): number {
    return this.#digest;
  }

  beginCheckpoint(): void {
    this.#frozen = [...this.#changed].map((group) => [group, this.#state.streamOfGroup(group)]);
    this.#changed = new Set();
    this.#written = 0;
    this.#frozenEntries = this.#entries.length;
    this.#frozenHead = {
      version: FORMAT_VERSION,
      nextGroup: this.#state.nextGroup,
      digest: this.#digest,
      lastEntry: this.#lastEntry,
      nodes: this.#state.nodes(),
      removed: this.#state.removedNodes(),
    };
  }

  writePages(sink: PageSink, maxBytes: number): boolean {
    let bytes = 0;
    while (this.#written < this.#frozen.length && bytes < maxBytes) {
      const [group, assignment] = this.#frozen[this.#written++]!;
      const key = streamKey(group);
      if (assignment === undefined) {
        sink.delete(key);
        bytes += key.length;
        continue;
      }
      const page = Buffer.from(JSON.stringify(assignment));
      sink.put(key, page);
      bytes += page.length;
    }
    if (this.#written < this.#frozen.length) return false;
    sink.put(HEAD_KEY, Buffer.from(JSON.stringify(this.#frozenHead)));
    return true;
  }

  endCheckpoint(durable: boolean): void {
    if (durable) this.#dead.push(...this.#entries.splice(0, this.#frozenEntries));
    else for (const [group] of this.#frozen) this.#changed.add(group);
    this.#frozen = [];
    this.#frozenHead = undefined;
    this.#frozenEntries = 0;
  }

  takeDeadEntries(): LogIndex[] {
    const dead = this.#dead;
    this.#dead = [];
    return dead;
  }

  async restore(checkpoint: {
    readonly appliedIndex: LogIndex;
    readonly pages: AsyncIterable<readonly [Buffer, Buffer]>;
  }): Promise<void> {
    let head: Head | undefined;
    const assignments = new Map<GroupId, StreamAssignment>();
    for await (const [key, page] of checkpoint.pages) {
      if (key[0] === HEAD_PAGE) {
        head = JSON.parse(page.toString()) as Head;
        checkVersion(head.version);
      } else {
        const assignment = JSON.parse(page.toString()) as StreamAssignment;
        assignments.set(assignment.group, assignment);
      }
    }
    if (head === undefined && checkpoint.appliedIndex > 0) {
      throw new StorageError('STORAGE_CORRUPT', 'the catalogue has a checkpoint without a head');
    }
    this.#lastEntry = head?.lastEntry ?? (0 as LogIndex);
    this.#digest = head?.digest ?? 0;
    this.#state = new CatalogueState();
    this.#watch(this.#state);
    if (head !== undefined) this.#state.replace({ ...head, assignments });
    this.#showIfAhead();
    this.#changed.clear();
    this.#entries = [];
    this.#frozenEntries = 0;
  }

  close(): void {
    this.#listener.closed();
  }
}

function streamKey(group: GroupId): Buffer {
  const key = Buffer.alloc(9);
  key[0] = STREAM_PAGE;
  key.writeBigUInt64BE(BigInt(group), 1);
  return key;
}
