/**
 * Owns a stream's checkpoint: which pages there are, and how the state comes back from them.
 *
 * Keys begin with a byte for the structure, in the order in which a restore needs them: the head (0x20), the stream's
 * configuration (0x21), subjects, blocks, sides, removals, message ids, schedules, and at last the extension's own pages
 * (0x40).
 */
import type { TimestampUs } from '../base/brand.ts';
import { StorageError } from '../base/errors.ts';
import type { LogIndex, PageSink } from '../raft/index.ts';
import { DEDUPE_PAGES } from './publish/dedupe-window.ts';
import type { Sweep } from './removal/limit-sweep.ts';
import type { OpenPurge } from './removal/open-purges.ts';
import { DEAD_PAGES, ROW_PAGES, SIDE_PAGES, SUBJECT_PAGES } from './store/message-store.ts';
import { recount, restoreSide } from './store/store-restore.ts';
import { pageNumber, type PageTracker, type WriteBudget } from './store/page-tracker.ts';
import type { ReplicatedState } from './replicated-state.ts';
import { SCHEDULE_PAGES } from './schedules/schedule-index.ts';
import type { SourcePositions } from './source-positions.ts';
import type { StreamConfig, StreamExtension } from './types.ts';

const HEAD_PAGE = 0x20;
const CONFIG_PAGE = 0x21;
const EXTENSION_PAGES = 0x40;

/** Small numbers that change with every entry. */
interface Head {
  readonly configRevision: number;
  readonly messages: number;
  readonly bytes: number;
  readonly lastSeq: number;
  readonly lastTimestampUs: number;
  readonly removalHash: number;
  readonly digest: number;
  readonly clockUs: number;
  readonly lastMsgId: string;
  readonly dedupeHead: number;
  readonly erasures: readonly number[];
  /** Absent in checkpoints of versions that knew no sources. */
  readonly sources?: ReturnType<SourcePositions['entries']>;
  readonly sweep?: Sweep | undefined;
  readonly purges?: readonly OpenPurge[];
  /** Entries that are dead as of this checkpoint: told again after a restart, should they have been left behind. */
  readonly deadEntries: readonly number[];
}

export class CheckpointPages {
  readonly #state: ReplicatedState;
  readonly #extension: () => StreamExtension;
  readonly #trackers: readonly PageTracker[];
  #head: Buffer | undefined;
  #config: Buffer | undefined;
  #storedRevision = -1;
  /** Dead as of the checkpoint under way. */
  #dying: LogIndex[] = [];
  /** Dead as of a durable checkpoint, and not yet taken. */
  #dead: LogIndex[] = [];
  #frozenRevision = -1;

  constructor(state: ReplicatedState, extension: () => StreamExtension) {
    this.#state = state;
    this.#extension = extension;
    const { table, subjects } = state.store;
    this.#trackers = [
      subjects.pages,
      table.rowPages,
      table.sidePages,
      table.deadPages,
      state.dedupe.pages,
      state.schedules.pages,
    ];
  }

  begin(): void {
    const state = this.#state;
    this.#dying = state.deadEntries;
    state.deadEntries = [];
    this.#head = Buffer.from(JSON.stringify(this.#freezeHead()));
    this.#frozenRevision = state.configRevision;
    this.#config =
      this.#storedRevision === state.configRevision ? undefined : Buffer.from(JSON.stringify(state.config));
    for (const tracker of this.#trackers) tracker.freeze();
    this.#extension().beginCheckpoint();
  }

  write(sink: PageSink, maxBytes: number): boolean {
    const budget: WriteBudget = { left: maxBytes };
    if (this.#head !== undefined) {
      sink.put(Buffer.of(HEAD_PAGE), this.#head);
      budget.left -= this.#head.length;
      this.#head = undefined;
    }
    if (this.#config !== undefined) {
      sink.put(Buffer.of(CONFIG_PAGE), this.#config);
      budget.left -= this.#config.length;
      this.#config = undefined;
    }
    for (const tracker of this.#trackers) if (!tracker.write(sink, budget)) return false;
    return budget.left > 0 && this.#extension().writePages(new PrefixedSink(sink), budget.left);
  }

  end(durable: boolean): void {
    const state = this.#state;
    for (const tracker of this.#trackers) tracker.end(durable);
    this.#extension().endCheckpoint(durable);
    if (durable) {
      this.#storedRevision = this.#frozenRevision;
      this.#dead = this.#dead.concat(this.#dying);
    } else {
      state.deadEntries = this.#dying.concat(state.deadEntries);
    }
    this.#dying = [];
    this.#head = undefined;
    this.#config = undefined;
  }

  takeDeadEntries(): LogIndex[] {
    const dead = this.#dead;
    this.#dead = [];
    return dead;
  }

  /**
   * Fills the state, which is that of a new stream, from the pages; without any it stays one. Resolves with the pages of
   * the extension, which is to be restored when the state is put in place.
   * @throws {StorageError} STORAGE_CORRUPT
   */
  async restore(
    pages: AsyncIterable<readonly [Buffer, Buffer]>,
    pause: () => Promise<void>,
  ): Promise<readonly (readonly [Buffer, Buffer])[]> {
    const removals = new Map<number, Uint8Array>();
    const extensionPages: (readonly [Buffer, Buffer])[] = [];
    let head: Head | undefined;
    let none = true;
    for await (const [key, value] of pages) {
      none = false;
      if (key[0] === HEAD_PAGE) head = this.#restoreHead(value);
      else if (key[0] === EXTENSION_PAGES) extensionPages.push([Buffer.from(key.subarray(1)), value]);
      else if (!this.#restorePage(key, value, removals)) throw corrupt(key);
    }
    if (none) return [];
    if (head === undefined) throw new StorageError('STORAGE_CORRUPT', 'a stream checkpoint without its head');
    const { store, dedupe } = this.#state;
    if (!(await recount(store, removals, pause))) {
      throw new StorageError('STORAGE_CORRUPT', 'the pages of a stream checkpoint do not fit together');
    }
    if (store.messages !== head.messages || store.bytes !== head.bytes) {
      const found = `${store.messages} messages of ${store.bytes} bytes`;
      throw new StorageError(
        'STORAGE_CORRUPT',
        `a stream checkpoint holds ${found} instead of ${head.messages} of ${head.bytes}`,
      );
    }
    dedupe.restoreHead(head.dedupeHead);
    await this.#state.expiries.rebuild(pause);
    this.#storedRevision = head.configRevision;
    return extensionPages;
  }

  #freezeHead(): Head {
    const state = this.#state;
    const { store } = state;
    return {
      configRevision: state.configRevision,
      messages: store.messages,
      bytes: store.bytes,
      lastSeq: store.lastSeq,
      lastTimestampUs: store.lastTimestampUs,
      removalHash: store.removalHash,
      digest: state.digest.value,
      clockUs: state.clockUs,
      lastMsgId: state.lastMsgId.toString('base64', 0, state.lastMsgIdBytes),
      dedupeHead: state.dedupe.head,
      erasures: [...state.erasures],
      sources: state.sources.entries(),
      sweep: state.sweep,
      purges: state.purges.entries(),
      deadEntries: [...this.#dead, ...this.#dying],
    };
  }

  #restoreHead(value: Buffer): Head {
    const head = JSON.parse(value.toString()) as Head;
    const state = this.#state;
    const { store } = state;
    state.configRevision = head.configRevision;
    state.clockUs = head.clockUs as TimestampUs;
    state.digest.value = head.digest;
    const lastMsgId = Buffer.from(head.lastMsgId, 'base64');
    state.setLastMsgId(lastMsgId, 0, lastMsgId.length);
    store.lastSeq = head.lastSeq;
    store.firstSeq = head.lastSeq + 1;
    store.lastTimestampUs = head.lastTimestampUs as TimestampUs;
    store.removalHash = head.removalHash;
    state.sources.restore(head.sources ?? []);
    state.sweep = head.sweep;
    state.purges.restore(head.purges ?? []);
    for (const blockSeq of head.erasures) state.erasures.add(blockSeq);
    this.#dead = head.deadEntries as LogIndex[];
    return head;
  }

  /** False: not a page of ours. */
  #restorePage(key: Buffer, value: Buffer, removals: Map<number, Uint8Array>): boolean {
    const { store, dedupe, schedules } = this.#state;
    if (key[0] === CONFIG_PAGE) {
      this.#state.config = JSON.parse(value.toString()) as StreamConfig;
      return true;
    }
    const page = pageNumber(key);
    if (page === undefined) return false;
    switch (key[0]) {
      case SUBJECT_PAGES:
        return store.subjects.restorePage(page, value);
      case ROW_PAGES:
        return store.table.restoreRows(page, value);
      case SIDE_PAGES:
        return restoreSide(store, page, value);
      case DEAD_PAGES:
        removals.set(page, new Uint8Array(value));
        return true;
      case DEDUPE_PAGES:
        return dedupe.restorePage(page, value);
      case SCHEDULE_PAGES:
        return schedules.restorePage(page, value);
      case undefined:
      default:
        return false;
    }
  }
}

/** The extension's pages among the stream's. */
class PrefixedSink implements PageSink {
  readonly #sink: PageSink;

  constructor(sink: PageSink) {
    this.#sink = sink;
  }

  put(key: Buffer, value: Buffer): void {
    this.#sink.put(Buffer.concat([Buffer.of(EXTENSION_PAGES), key]), value);
  }

  delete(key: Buffer): void {
    this.#sink.delete(Buffer.concat([Buffer.of(EXTENSION_PAGES), key]));
  }
}

function corrupt(key: Buffer): StorageError {
  return new StorageError(
    'STORAGE_CORRUPT',
    `a stream checkpoint has a page ${key.toString('hex')} that makes no sense`,
  );
}
