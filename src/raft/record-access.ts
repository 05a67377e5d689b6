/** Owns a group's way to its stored records: reading, verified, and rewriting them without what is dead. */
import { invariant, StorageError } from '../base/errors.ts';
import type { LoadRequest } from './core/effects.ts';
import type { Group } from './group.ts';
import type { HostContext } from './host-context.ts';
import { openRecord } from './record.ts';
import type { LogIndex } from './types.ts';

export class RecordAccess {
  readonly #context: HostContext;
  readonly #group: Group;

  constructor(context: HostContext, group: Group) {
    this.#context = context;
    this.#group = group;
  }

  /** Answers a core that needs entries which are not in memory any more. */
  async load(load: LoadRequest): Promise<void> {
    const { storage } = this.#group;
    const entries = await storage.readEntries(load.from, load.through, load.maxBytes).catch((error: unknown) => {
      this.#context.readFailed(error);
      return [];
    });
    if (entries.length === 0) this.#context.repairRecord(this.#group, load.from);
    this.#group.step({ kind: 'loaded', to: load.to, entries });
  }

  /** What is not stored here is fetched from a peer. @throws {StorageError} STORAGE_CORRUPT for this time. */
  async read(index: LogIndex): Promise<Buffer> {
    try {
      return await this.#group.storage.readRecord(index);
    } catch (error) {
      if (error instanceof StorageError && error.code === 'STORAGE_CORRUPT') {
        this.#context.repairRecord(this.#group, index);
      }
      throw error;
    }
  }

  compact(index: LogIndex, body: Buffer): void {
    const group = this.#group;
    invariant(index <= group.compactableThrough, `group ${group.id}: entry ${index} may be applied again`);
    void group.storage.readRecord(index).then(
      (record) => {
        const entry = openRecord(record, { group: group.id, index });
        if (typeof entry === 'string') return;
        group.put((batch) => {
          group.storage.putCompacted(batch, entry, body);
        });
      },
      () => {
        this.#context.repairRecord(group, index);
      },
    );
  }
}
