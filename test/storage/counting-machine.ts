/** Owns a state machine for tests: it keeps every applied body, in pages of a few, and counts what it was told. */
import { crc32c } from '../../src/base/checksum.ts';
import {
  allocateRecord,
  RECORD_HEADER_BYTES,
  type Entry,
  type GroupHandle,
  type GroupStatus,
  type LogIndex,
  type PageSink,
  type StateMachine,
} from '../../src/raft/index.ts';

const BODIES_PER_PAGE = 8;

export function recordOf(text: string): Buffer {
  const body = Buffer.from(text, 'utf8');
  const record = allocateRecord(body.length);
  body.copy(record, RECORD_HEADER_BYTES);
  return record;
}

export class CountingMachine implements StateMachine {
  readonly group: GroupHandle;
  bodies: string[] = [];
  indexes: LogIndex[] = [];
  restored = 0;
  checkpoints = 0;
  status: GroupStatus | undefined;
  closed = false;
  /** A restore is not over before this. */
  restoreGate: Promise<void> = Promise.resolve();
  #restoring = false;
  /** Reported dead with the next checkpoint. */
  dead: LogIndex[] = [];
  #digest = 0;
  #durablePages = 0;
  #frozen: { readonly pages: Map<number, string>; readonly digest: number } | undefined;

  constructor(group: GroupHandle) {
    this.group = group;
  }

  apply(entries: readonly Entry[]): void {
    if (this.#restoring) throw new Error(`entry ${entries[0]!.index} came while the machine was being restored`);
    for (const entry of entries) {
      this.bodies.push(entry.body.toString('utf8'));
      this.indexes.push(entry.index);
      this.#digest = crc32c(entry.body, this.#digest);
    }
  }

  /** Damages the state, as a defect of the machine or of memory would. */
  corrupt(bits = 1): void {
    this.#digest = (this.#digest ^ bits) >>> 0;
  }

  statusChanged(status: GroupStatus): void {
    this.status = status;
  }

  proposalsWelcome(): void {
    // Tests propose when they like.
  }

  digest(): number {
    return this.#digest;
  }

  beginCheckpoint(): void {
    const pages = new Map<number, string>();
    for (let page = this.#durablePages; page * BODIES_PER_PAGE < this.bodies.length; page++) {
      pages.set(page, JSON.stringify(this.bodies.slice(page * BODIES_PER_PAGE, (page + 1) * BODIES_PER_PAGE)));
    }
    this.#frozen = { pages, digest: this.#digest };
  }

  writePages(sink: PageSink, maxBytes: number): boolean {
    let bytes = 0;
    const { pages, digest } = this.#frozen!;
    for (const [page, text] of pages) {
      if (bytes >= maxBytes) return false;
      sink.put(keyOf(page), Buffer.from(text, 'utf8'));
      pages.delete(page);
      bytes += text.length;
    }
    sink.put(Buffer.from('digest'), Buffer.from(String(digest), 'utf8'));
    return true;
  }

  endCheckpoint(durable: boolean): void {
    if (!durable) return;
    this.checkpoints++;
    this.#durablePages = Math.max(0, Math.floor(this.bodies.length / BODIES_PER_PAGE) - 1);
  }

  takeDeadEntries(): LogIndex[] {
    return this.dead.splice(0);
  }

  async restore(checkpoint: {
    readonly appliedIndex: LogIndex;
    readonly pages: AsyncIterable<readonly [Buffer, Buffer]>;
  }): Promise<void> {
    const bodies: string[] = [];
    this.#restoring = true;
    this.#digest = 0;
    for await (const [key, value] of checkpoint.pages) {
      if (key.toString('latin1') === 'digest') this.#digest = Number(value.toString('utf8'));
      else bodies.push(...(JSON.parse(value.toString('utf8')) as string[]));
    }
    await this.restoreGate;
    this.#restoring = false;
    this.bodies = bodies;
    this.indexes = [];
    this.#durablePages = 0;
    this.restored++;
  }

  close(): void {
    this.closed = true;
  }
}

function keyOf(page: number): Buffer {
  const key = Buffer.alloc(5, 'p');
  key.writeUInt32BE(page, 1);
  return key;
}
