/** Owns the catalogue as clients see it: without the streams that are being restored. */
import type { NodeId } from '../../base/brand.ts';
import type { Catalogue, StreamAssignment } from '../../cluster/index.ts';
import type { GroupId } from '../../raft/index.ts';
import { isRestoring } from './archives/archive-service.ts';

export class VisibleCatalogue implements Catalogue {
  readonly #whole: Catalogue;

  constructor(whole: Catalogue) {
    this.#whole = whole;
  }

  stream(account: string, name: string): StreamAssignment | undefined {
    return visible(this.#whole.stream(account, name));
  }

  streamOfGroup(group: GroupId): StreamAssignment | undefined {
    return visible(this.#whole.streamOfGroup(group));
  }

  streams(account: string): readonly StreamAssignment[] {
    const all = this.#whole.streams(account);
    return all.some(({ config }) => isRestoring(config)) ? all.filter(({ config }) => !isRestoring(config)) : all;
  }

  accounts(): readonly string[] {
    return this.#whole.accounts();
  }

  nodes(): readonly NodeId[] {
    return this.#whole.nodes();
  }

  wasRemoved(node: NodeId): boolean {
    return this.#whole.wasRemoved(node);
  }
}

function visible(assignment: StreamAssignment | undefined): StreamAssignment | undefined {
  return assignment !== undefined && isRestoring(assignment.config) ? undefined : assignment;
}
