/**
 * Owns changes of the catalogue on the meta leader: decides what each asks for against what is applied *and* what is in
 * flight, gathers decided records into entries, and tells the outcome once they are applied.
 */
import type { NodeId } from '../base/brand.ts';
import { NotLeaderError } from '../base/errors.ts';
import type { Runtime } from '../base/runtime.ts';
import type { Entry, GroupHandle, GroupId, GroupStatus, LogIndex, Term } from '../raft/index.ts';
import { encodeRecords } from './catalogue-machine.ts';
import {
  type CatalogueRecord,
  type CatalogueState,
  Load,
  type RecordResult,
  settled,
  updated,
} from './catalogue-state.ts';
import { groupName } from './group-name.ts';
import { place, type Candidate, type Placement, type PlacementRules } from './placement.ts';
import type { CatalogueChange, CatalogueResult, PlacementWish, StreamAssignment } from './types.ts';

/** An entry is closed at this many records: a leader's apply must not hold up its loop. */
const RECORDS_PER_ENTRY = 256;
/** Changes that wait for the log. Beyond it they are refused. */
const MAX_QUEUED = 16_384;

const NO_PEERS = 'no suitable peers for placement';

type CreateChange = CatalogueChange & { readonly kind: 'createStream' };

interface Proposal {
  readonly record: CatalogueRecord;
  readonly key: string | undefined;
  resolve(result: RecordResult): void;
  reject(error: Error): void;
}

/** A stream that proposals in flight are about. */
interface InFlight {
  current: StreamAssignment | undefined;
  proposals: number;
  /** Resolves with the last of them, whatever came of it. */
  settled: Promise<unknown>;
}

/**
 * What to do with a change: propose it, answer at once, or wait for what is in flight and look again. `outcome`: how the
 * stream will be once the record is applied; undefined: deleted, or it is about a node.
 */
type Decision =
  | { readonly kind: 'propose'; readonly record: CatalogueRecord; readonly outcome: StreamAssignment | undefined }
  | { readonly kind: 'answer'; readonly result: CatalogueResult }
  | { readonly kind: 'wait'; readonly settled: Promise<unknown> };

export interface CatalogueWriterOptions {
  readonly state: CatalogueState;
  readonly runtime: Runtime;
  readonly clusterName: string;
  /** Nodes that may hold streams. */
  readonly members: () => readonly NodeId[];
  /** What is known of a node now. */
  readonly describe: (node: NodeId) => NodeFacts;
  readonly rules?: PlacementRules | undefined;
}

export interface NodeFacts {
  readonly online: boolean;
  readonly jetstream: boolean;
  readonly tags: readonly string[];
  readonly availableFileBytes?: number | undefined;
  readonly availableMemoryBytes?: number | undefined;
}

export class CatalogueWriter {
  readonly #options: CatalogueWriterOptions;
  #handle: GroupHandle | undefined;
  readonly #queue: Proposal[] = [];
  readonly #proposed = new Map<LogIndex, { readonly term: Term; readonly proposals: readonly Proposal[] }>();
  readonly #inFlight = new Map<string, InFlight>();
  readonly #inFlightLoad = new Load();
  #nextGroup = 0;
  #leading: Term | undefined;
  #flushDue = false;

  constructor(options: CatalogueWriterOptions) {
    this.#options = options;
  }

  attach(handle: GroupHandle): void {
    this.#handle = handle;
  }

  /** @throws {NotLeaderError} */
  async change(change: CatalogueChange): Promise<CatalogueResult> {
    for (;;) {
      this.#checkLeading();
      const decision = this.#decide(change);
      switch (decision.kind) {
        case 'propose':
          return (await this.#propose(decision, keyOf(change))) as CatalogueResult;
        case 'wait':
          await decision.settled;
          break;
        case 'answer':
          return this.#answer(decision.result);
      }
    }
  }

  /** Admits or removes a node; false if that changed nothing. @throws {NotLeaderError} */
  async changeNode(op: 'admit' | 'remove', node: NodeId): Promise<boolean> {
    this.#checkLeading();
    if (this.#options.state.hasNode(node) === (op === 'admit')) return false;
    const result = await this.#propose({ record: { op, node }, outcome: undefined }, undefined);
    return result.kind === 'node' && result.done;
  }

  /** @throws {NotLeaderError} */
  async barrier(): Promise<void> {
    const handle = this.#checkLeading();
    if (!handle.hasReadLease()) await handle.readBarrier();
  }

  applied(entry: Entry, results: readonly RecordResult[]): void {
    const proposed = this.#proposed.get(entry.index);
    if (proposed === undefined) return;
    this.#proposed.delete(entry.index);
    // Statuses come after the apply: an entry of another term may arrive before we hear that we lost the leadership.
    const ours = proposed.term === entry.term;
    for (const [i, proposal] of proposed.proposals.entries()) {
      this.#settle(proposal);
      if (ours) proposal.resolve(results[i]!);
      else proposal.reject(new NotLeaderError('another leader took over', false));
    }
  }

  statusChanged(status: GroupStatus): void {
    const leading = status.role === 'leader' && status.ready ? status.term : undefined;
    if (leading === this.#leading) return;
    if (this.#leading !== undefined) this.#abandon('leadership of the meta group was lost');
    this.#leading = leading;
    this.#nextGroup = 0;
  }

  proposalsWelcome(): void {
    this.#flush();
  }

  closed(): void {
    this.#leading = undefined;
    this.#abandon('the meta group was closed');
  }

  #checkLeading(): GroupHandle {
    if (this.#handle === undefined || this.#leading === undefined) {
      throw new NotLeaderError('this node does not lead the meta group', true);
    }
    return this.#handle;
  }

  /** An answer from what is applied here counts only if no later leader knows better. */
  async #answer(result: CatalogueResult): Promise<CatalogueResult> {
    await this.barrier();
    return result;
  }

  #decide(change: CatalogueChange): Decision {
    if (change.kind === 'createStream') return this.#decideCreate(change);
    const { account, name } = change;
    const inFlight = this.#inFlight.get(keyOf(change));
    const existing = inFlight === undefined ? this.#options.state.stream(account, name) : inFlight.current;
    let result: CatalogueResult | undefined;
    if (existing === undefined) result = { kind: 'notFound' };
    else if (isOutdated(change, existing)) result = { kind: 'conflict', existing };
    // A refusal must not rest on something that may never be committed.
    if (result !== undefined) {
      return inFlight === undefined ? { kind: 'answer', result } : { kind: 'wait', settled: inFlight.settled };
    }
    if (change.kind === 'deleteStream') {
      return { kind: 'propose', record: { op: 'delete', account, name }, outcome: undefined };
    }
    if (change.kind === 'settleStream') {
      const { generation } = change;
      return { kind: 'propose', record: { op: 'settle', account, name, generation }, outcome: settled(existing!) };
    }
    const { config, expectedRevision, members } = change;
    const atUs = this.#options.runtime.wallUs();
    const what = members === undefined ? { config, atUs } : { config, atUs, members };
    const record: CatalogueRecord = { op: 'update', account, name, expectedRevision, ...what };
    return { kind: 'propose', record, outcome: updated(existing!, what) };
  }

  #decideCreate(change: CreateChange): Decision {
    for (const { current, settled } of this.#inFlight.values()) {
      if (current?.account === change.account && conflicts(change, current)) return { kind: 'wait', settled };
    }
    for (const existing of this.#options.state.streamsUnsorted(change.account)) {
      // What is in flight about it decides, and was looked at above.
      if (!conflicts(change, existing) || this.#inFlight.has(keyOf(existing))) continue;
      return { kind: 'answer', result: { kind: 'conflict', existing } };
    }
    const placement = this.place({ maxBytes: 0, ...change });
    if (placement.kind === 'noPeers') return { kind: 'answer', result: placement };
    this.#nextGroup = Math.max(this.#nextGroup, this.#options.state.nextGroup);
    const assignment: StreamAssignment = {
      account: change.account,
      name: change.name,
      group: this.#nextGroup++ as GroupId,
      groupName: groupName(change.replicas, change.storage, this.#options.runtime),
      storage: change.storage,
      members: placement.members,
      generation: 0,
      firstLeader: placement.firstLeader,
      config: change.config,
      revision: 1,
      createdUs: this.#options.runtime.wallUs(),
    };
    return { kind: 'propose', record: { op: 'create', assignment }, outcome: assignment };
  }

  /** Where such a stream would go, counting what is in flight. */
  place(wish: PlacementWish): Placement {
    const cluster = wish.placement?.cluster ?? '';
    if (cluster !== '' && cluster !== this.#options.clusterName) return { kind: 'noPeers', reason: NO_PEERS };
    const { replicas, maxBytes, placement, keep = [], without = [] } = wish;
    const request = { replicas, maxBytes, tags: placement?.tags ?? [], keep, without };
    return place(request, this.#candidates(wish.storage), this.#options.rules);
  }

  #candidates(storage: 'file' | 'memory'): Candidate[] {
    const { state, members, describe } = this.#options;
    return members().map((node) => {
      const { availableFileBytes, availableMemoryBytes, ...facts } = describe(node);
      return {
        node,
        ...facts,
        availableBytes: storage === 'file' ? availableFileBytes : availableMemoryBytes,
        held: state.load.held(node) + this.#inFlightLoad.held(node),
        replicated: state.load.replicated(node) + this.#inFlightLoad.replicated(node),
        led: state.load.led(node) + this.#inFlightLoad.led(node),
      };
    });
  }

  #propose(
    decided: { readonly record: CatalogueRecord; readonly outcome: StreamAssignment | undefined },
    key: string | undefined,
  ): Promise<RecordResult> {
    if (this.#queue.length >= MAX_QUEUED) throw new NotLeaderError('too many changes of the catalogue', true);
    const settled = new Promise<RecordResult>((resolve, reject) => {
      this.#queue.push({ record: decided.record, key, resolve, reject });
    });
    if (key !== undefined) {
      const proposals = (this.#inFlight.get(key)?.proposals ?? 0) + 1;
      const quietly = settled.catch(() => undefined);
      this.#inFlight.set(key, { current: decided.outcome, proposals, settled: quietly });
    }
    if (decided.record.op === 'create') this.#inFlightLoad.count(decided.record.assignment, 1);
    if (!this.#flushDue) {
      this.#flushDue = true;
      this.#options.runtime.defer(() => {
        this.#flushDue = false;
        this.#flush();
      });
    }
    return settled;
  }

  #flush(): void {
    const handle = this.#handle;
    while (this.#queue.length > 0 && this.#leading !== undefined && handle?.canPropose === true) {
      const proposals = this.#queue.splice(0, RECORDS_PER_ENTRY);
      const index = handle.propose(encodeRecords(proposals.map(({ record }) => record)));
      if (index === undefined) {
        for (const proposal of proposals)
          this.#reject(proposal, true, 'this node does not lead the meta group any more');
        return;
      }
      this.#proposed.set(index, { term: this.#leading, proposals });
    }
  }

  /** What was not proposed certainly did not happen; of the rest nothing is known here. */
  #abandon(reason: string): void {
    for (const { proposals } of this.#proposed.values()) {
      for (const proposal of proposals) this.#reject(proposal, false, reason);
    }
    this.#proposed.clear();
    for (const proposal of this.#queue.splice(0)) this.#reject(proposal, true, reason);
  }

  #reject(proposal: Proposal, notProposed: boolean, reason: string): void {
    this.#settle(proposal);
    proposal.reject(new NotLeaderError(reason, notProposed));
  }

  #settle({ record, key }: Proposal): void {
    if (record.op === 'create') this.#inFlightLoad.count(record.assignment, -1);
    if (key === undefined) return;
    const inFlight = this.#inFlight.get(key)!;
    if (--inFlight.proposals === 0) this.#inFlight.delete(key);
  }
}

/** It was decided with another state of the stream in mind. */
function isOutdated(change: CatalogueChange, existing: StreamAssignment): boolean {
  switch (change.kind) {
    case 'updateStream':
      return change.expectedRevision !== existing.revision;
    case 'settleStream':
      return change.generation !== existing.generation || existing.reconfiguration === undefined;
    case 'createStream':
    case 'deleteStream':
      return false;
  }
}

function conflicts(change: CreateChange, existing: StreamAssignment): boolean {
  return existing.name === change.name || change.conflictsWith(existing);
}

/** Names of streams hold no spaces. */
function keyOf({ account, name }: { readonly account: string; readonly name: string }): string {
  return `${name} ${account}`;
}
