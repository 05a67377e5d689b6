/**
 * Owns which mirrors answer direct gets in their origin's place (streams.md 3.9): those with `mirrorDirect`, by the origin's
 * name, kept up with the catalogue so that a request costs a look at a map.
 *
 * Only a mirror's leader knows how far behind it is: while the origin answers itself, no other replica stands in for it.
 * Without the origin, what a replica holds is the best there is.
 */
import type { Catalogue, ClusterNode, StreamAssignment } from '../../cluster/index.ts';
import type { StreamConfig, StreamInstance, StreamSource } from '../../stream/index.ts';
import type { LocalStream, LocalStreams } from './local-streams.ts';

const NO_MIRRORS: readonly StreamAssignment[] = [];

export class DirectMirrors {
  readonly #cluster: ClusterNode;
  readonly #catalogue: Catalogue;
  readonly #streams: LocalStreams;
  /** By account, then by origin; without empty lists. */
  readonly #byOrigin = new Map<string, Map<string, readonly StreamAssignment[]>>();

  /** `catalogue`: as clients see it. */
  constructor(options: {
    readonly cluster: ClusterNode;
    readonly catalogue: Catalogue;
    readonly streams: LocalStreams;
  }) {
    this.#cluster = options.cluster;
    this.#catalogue = options.catalogue;
    this.#streams = options.streams;
  }

  start(): void {
    const { catalogue } = this.#cluster;
    for (const account of catalogue.accounts()) {
      for (const assignment of catalogue.streams(account)) this.#add(assignment);
    }
    this.#cluster.onCatalogueChange(({ previous, current }) => {
      if (previous !== undefined) this.#remove(previous);
      if (current !== undefined) this.#add(current);
    });
  }

  of(account: string, origin: string): readonly StreamAssignment[] {
    return this.#byOrigin.get(account)?.get(origin) ?? NO_MIRRORS;
  }

  /** A replica here of a mirror that answers for the origin now. */
  local(account: string, origin: string): StreamInstance | undefined {
    for (const { group } of this.of(account, origin)) {
      if (!this.#streams.isReadable(group)) continue;
      const local = this.#streams.get(group);
      if (local !== undefined && this.#answers(local)) return local.instance;
    }
    return undefined;
  }

  #answers({ instance, sourcing }: LocalStream): boolean {
    const { mirror } = instance.config;
    if (mirror === undefined || instance.state().lastSeq === 0) return false;
    const progress = sourcing.mirrorProgress();
    if (progress === 'behind') return false;
    return (progress === 'caughtUp' && isWhole(mirror)) || !this.#originAnswers(instance.account, mirror.name);
  }

  #originAnswers(account: string, origin: string): boolean {
    const assignment = this.#catalogue.stream(account, origin);
    if (assignment === undefined || !configOf(assignment).allowDirect) return false;
    return this.#cluster.nodes().some(({ node, up }) => up && assignment.members.includes(node));
  }

  #add(assignment: StreamAssignment): void {
    const origin = originOf(configOf(assignment));
    if (origin === undefined) return;
    const { account } = assignment;
    const origins = this.#byOrigin.get(account) ?? new Map<string, readonly StreamAssignment[]>();
    this.#byOrigin.set(account, origins.set(origin, [...this.of(account, origin), assignment]));
  }

  #remove(assignment: StreamAssignment): void {
    const origin = originOf(configOf(assignment));
    const origins = this.#byOrigin.get(assignment.account);
    if (origin === undefined || origins === undefined) return;
    const others = this.of(assignment.account, origin).filter(({ group }) => group !== assignment.group);
    if (others.length > 0) origins.set(origin, others);
    else origins.delete(origin);
    if (origins.size === 0) this.#byOrigin.delete(assignment.account);
  }
}

function configOf({ config }: StreamAssignment): StreamConfig {
  return config as unknown as StreamConfig;
}

/** Of which stream of its account the mirror is to answer direct gets; undefined: of none. */
function originOf({ mirror, mirrorDirect, restoring }: StreamConfig): string | undefined {
  return mirrorDirect && mirror?.external === undefined && restoring !== true ? mirror?.name : undefined;
}

/** What a mirror of some messages only, or under other subjects, does not find may be there all the same. */
function isWhole({ filterSubject, subjectTransforms, optStartSeq, optStartTimeUs }: StreamSource): boolean {
  return filterSubject === '' && subjectTransforms.length === 0 && optStartSeq === 0 && optStartTimeUs === undefined;
}
