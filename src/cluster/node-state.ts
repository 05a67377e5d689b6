/** Owns what a node of a cluster must not forget about it, and the file that keeps it. */
import { readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { NodeId } from '../base/brand.ts';
import { syncDirectory, writeDurably } from '../base/durable-files.ts';
import { StorageError } from '../base/errors.ts';
import type { Ballot, MetaGroup } from './formation-protocol.ts';

export interface NodeState {
  readonly promised: Ballot | undefined;
  readonly acceptedBallot: Ballot | undefined;
  readonly accepted: MetaGroup | undefined;
  /** The meta group this node takes part in, with the membership it was opened with. */
  readonly formed: MetaGroup | undefined;
  /** Where other nodes were last reached: a restarted node finds them even if its routes name none of them any more. */
  readonly addresses: ReadonlyMap<NodeId, string>;
}

export const EMPTY_NODE_STATE: NodeState = {
  promised: undefined,
  acceptedBallot: undefined,
  accepted: undefined,
  formed: undefined,
  addresses: new Map(),
};

/** A few bytes that survive power loss. */
export interface DurableState {
  /** Undefined: never saved. */
  load(): Promise<Buffer | undefined>;
  /**
   * Resolves once `bytes` would survive power loss; they replace what was there as a whole. Calls must not overlap.
   * @throws {StorageError} STORAGE_WRITE; what is stored then is the old or the new.
   */
  save(bytes: Buffer): Promise<void>;
}

/** The state in a file of its own: written aside, synced, renamed, and the directory synced. */
export function fileState(path: string): DurableState {
  return {
    async load() {
      try {
        return await readFile(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw new StorageError('STORAGE_READ', `${path} can't be read`, { cause: error });
      }
    },
    async save(bytes) {
      try {
        await writeDurably(`${path}.new`, bytes);
        await rename(`${path}.new`, path);
        await syncDirectory(dirname(path));
      } catch (error) {
        throw new StorageError('STORAGE_WRITE', `${path} can't be written`, { cause: error });
      }
    },
  };
}
