/** Owns the fetching of single entries that are missing or damaged here from peers that have them. */
import type { NodeId } from '../../base/brand.ts';
import type { Group } from '../group.ts';
import type { HostContext } from '../host-context.ts';
import { openRecord } from '../record.ts';
import type { LogIndex } from '../types.ts';

/** An entry that was asked for is not asked for again before this. */
const ASK_AGAIN_MS = 1000;
/** Different entries being fetched at once; more wait until somebody reads them again. */
const MAX_OPEN = 1024;

export class RecordRepair {
  readonly #context: HostContext;
  /** By `group:index`, when it was last asked for. */
  readonly #open = new Map<string, number>();

  constructor(context: HostContext) {
    this.#context = context;
  }

  /** Asks every other member: whoever has it answers. */
  wanted(group: Group, index: LogIndex): void {
    const key = `${group.id}:${index}`;
    const now = this.#context.runtime.monotonicMs();
    const asked = this.#open.get(key);
    if ((asked !== undefined && now - asked < ASK_AGAIN_MS) || index > group.commitIndex) return;
    if (asked === undefined && this.#open.size >= MAX_OPEN) this.#open.clear();
    this.#open.set(key, now);
    this.#context.logger.error({ group: group.id, name: group.name, index }, 'record.damaged');
    for (const node of group.members.all) {
      if (node === this.#context.node) continue;
      this.#context.sendFrame(node, { kind: 'recordWanted', group: group.id, index }, 'bulk');
    }
  }

  /** A peer lacks an entry. Only what is committed is the same on both. */
  async asked(group: Group, from: NodeId, index: LogIndex): Promise<void> {
    if (index > group.commitIndex || !group.members.all.includes(from)) return;
    const entry = await group.storage.readEntry(index).catch(() => undefined);
    if (entry === undefined) return;
    this.#context.sendFrame(from, { kind: 'record', group: group.id, index, record: entry.record }, 'bulk');
  }

  async received(group: Group, index: LogIndex, record: Buffer): Promise<void> {
    if (!this.#open.has(`${group.id}:${index}`)) return;
    const entry = openRecord(record, { group: group.id, index });
    if (typeof entry === 'string' || !(await group.storage.fitsBefore(record, index))) {
      this.#context.logger.warn({ group: group.id, index }, 'record.refused');
      return;
    }
    if (!this.#open.delete(`${group.id}:${index}`)) return;
    group.put(
      (batch) => {
        group.storage.putEntry(batch, entry);
      },
      () => {
        this.#context.metrics.recordRepaired();
        this.#context.logger.info({ group: group.id, index }, 'record.repaired');
      },
    );
  }
}
