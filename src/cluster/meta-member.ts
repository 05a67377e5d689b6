/** Owns this node's part in the meta group: the group's handle, the catalogue it keeps, and who hears of changes. */
import type { NodeId } from '../base/brand.ts';
import { NotLeaderError } from '../base/errors.ts';
import { META_GROUP } from '../raft/index.ts';
import type { GroupHandle, GroupStatus, RaftHost } from '../raft/index.ts';
import { CatalogueMachine } from './catalogue-machine.ts';
import { CatalogueState } from './catalogue-state.ts';
import { CatalogueWriter, type CatalogueWriterOptions } from './catalogue-writer.ts';

const META_GROUP_NAME = '_meta_';

export class MetaMember {
  readonly catalogue = new CatalogueState();
  readonly writer: CatalogueWriter;
  readonly #host: RaftHost;
  readonly #statusChanged: (status: GroupStatus) => void;
  #handle: GroupHandle | undefined;

  constructor(
    host: RaftHost,
    options: Omit<CatalogueWriterOptions, 'state'> & {
      /** May come before `open` has resolved. */
      readonly statusChanged: (status: GroupStatus) => void;
    },
  ) {
    this.#host = host;
    this.#statusChanged = options.statusChanged;
    this.writer = new CatalogueWriter({ ...options, state: this.catalogue });
  }

  get node(): NodeId {
    return this.#host.node;
  }

  get status(): GroupStatus | undefined {
    return this.#handle?.status;
  }

  /** @throws {NotLeaderError} when there is no meta group here yet, or another node leads it. */
  leading(): GroupHandle {
    const handle = this.#handle;
    if (handle?.status.role !== 'leader') throw new NotLeaderError('this node does not lead the meta group', true);
    return handle;
  }

  /** Creates the group with this membership, or recovers it with the one stored. The first of the voters leads first. */
  async open(membership: { readonly voters: readonly NodeId[]; readonly learners: readonly NodeId[] }): Promise<void> {
    const firstLeader = membership.learners.length === 0 ? membership.voters[0] : undefined;
    const handle = await this.#host.openGroup({
      id: META_GROUP,
      name: META_GROUP_NAME,
      storage: 'file',
      bootstrap: { ...membership, ...(firstLeader === undefined ? {} : { firstLeader }) },
      machine: (group) => {
        this.writer.attach(group);
        return new CatalogueMachine(this.catalogue, {
          applied: (entry, results) => {
            this.writer.applied(entry, results);
          },
          statusChanged: (status) => {
            this.writer.statusChanged(status);
            this.#statusChanged(status);
          },
          proposalsWelcome: () => {
            this.writer.proposalsWelcome();
          },
          closed: () => {
            this.writer.closed();
          },
        });
      },
    });
    this.#handle = handle;
    this.writer.statusChanged(handle.status);
    this.#statusChanged(handle.status);
  }
}
