/** Owns a node for the API to run on: a catalogue in memory, shared by the nodes of a test, and streams that hold nothing. */
import type { NodeId, Seq, TimestampUs } from '../../src/base/brand.ts';
import { NotLeaderError } from '../../src/base/errors.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import type {
  Catalogue,
  CatalogueChange,
  CatalogueResult,
  PlacementResult,
  PlacementWish,
  StreamAssignment,
} from '../../src/cluster/index.ts';
import type { ConsumerSet } from '../../src/consumer/index.ts';
import type { GroupId, GroupStatus, LogIndex, Term } from '../../src/raft/index.ts';
import { Api } from '../../src/server/api/index.ts';
import type { AccountLimits, ApiBackend, ApiRequest, JsonResponse, LocalStream } from '../../src/server/api/index.ts';
import type { StreamConfig, StreamInstance, StreamState } from '../../src/stream/index.ts';

export const UNLIMITED: AccountLimits = {
  maxMemoryBytes: -1,
  maxStorageBytes: -1,
  maxStreams: -1,
  maxConsumers: -1,
  maxAckPending: -1,
  memoryMaxStreamBytes: -1,
  storageMaxStreamBytes: -1,
  maxBytesRequired: false,
};

const EMPTY_STATE: StreamState = {
  messages: 0,
  bytes: 0,
  firstSeq: 0 as Seq,
  firstTimestampUs: 0 as TimestampUs,
  lastSeq: 0 as Seq,
  lastTimestampUs: 0 as TimestampUs,
  numSubjects: 0,
  numDeleted: 0,
  consumerCount: 0,
};

/** What every node was told of every stream. */
export const TOLD_INDEX = 5 as LogIndex;

/** What the nodes of a test share. */
export class FakeCluster {
  readonly nodes = new Map<NodeId, FakeNode>();
  readonly assignments = new Map<string, StreamAssignment>();
  metaLeader: NodeId | undefined;
  /** What was told of streams: account, name, action. */
  readonly announced: string[] = [];
  /** Leader of each stream; those that are not listed have none. */
  readonly leaders = new Map<string, NodeId>();
  limits: AccountLimits | undefined = UNLIMITED;
  #nextGroup = 2;

  constructor(names: readonly string[]) {
    for (const name of names) this.nodes.set(name as NodeId, new FakeNode(this, name as NodeId));
    this.metaLeader = names[0] as NodeId;
  }

  node(name: string): FakeNode {
    return this.nodes.get(name as NodeId)!;
  }

  create(change: Extract<CatalogueChange, { kind: 'createStream' }>): CatalogueResult {
    const conflict = [...this.assignments.values()].find((existing) => change.conflictsWith(existing));
    if (conflict !== undefined) return { kind: 'conflict', existing: conflict };
    const members = [...this.nodes.keys()].slice(0, change.replicas);
    const assignment: StreamAssignment = {
      account: change.account,
      name: change.name,
      group: this.#nextGroup++ as GroupId,
      groupName: `S-R${change.replicas}F-aaaaaaaa`,
      storage: change.storage,
      members,
      generation: 0,
      firstLeader: members[0]!,
      config: change.config,
      revision: 1,
      createdUs: 1_700_000_000_000_000 as TimestampUs,
    };
    this.assignments.set(`${change.account} ${change.name}`, assignment);
    this.leaders.set(change.name, members[0]!);
    return { kind: 'applied', assignment };
  }
}

export class FakeNode implements ApiBackend {
  readonly runtime = new SystemRuntime();
  readonly clusterName = 'C';
  readonly serverVersion = '1.2.3';
  readonly domain = '';
  readonly systemAccount = 'SYS';
  strict = true;
  readonly serverLimits = { maxDuplicateWindowMs: 0, maxAckPending: 0, maxRequestBatch: 0 };
  readonly node: NodeId;
  readonly api: Api;
  readonly #cluster: FakeCluster;
  /** Requests that other nodes passed on to this one. */
  readonly forwarded: string[] = [];
  /** Entries that calls waited for: stream and index. */
  readonly awaited: string[] = [];
  #changes = Promise.resolve();

  constructor(cluster: FakeCluster, node: NodeId) {
    this.#cluster = cluster;
    this.node = node;
    this.api = new Api(this);
  }

  get clustered(): boolean {
    return this.#cluster.nodes.size > 1;
  }

  get catalogue(): Catalogue {
    const { assignments } = this.#cluster;
    return {
      stream: (account, name) => assignments.get(`${account} ${name}`),
      streamOfGroup: (group) => [...assignments.values()].find((assignment) => assignment.group === group),
      streams: (account) =>
        [...assignments.values()]
          .filter((assignment) => assignment.account === account)
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
      accounts: () => [...new Set([...assignments.values()].map(({ account }) => account))],
      nodes: () => [...this.#cluster.nodes.keys()],
      wasRemoved: () => false,
    };
  }

  accountLimits(): AccountLimits | undefined {
    return this.#cluster.limits;
  }

  accountUsage(): Promise<{ memoryBytes: number; storageBytes: number; consumers: number }> {
    return Promise.resolve({ memoryBytes: 1, storageBytes: 2, consumers: 3 });
  }

  isUp(): boolean {
    return true;
  }

  nodes(): readonly { node: NodeId; up: boolean; tags: readonly string[]; lastContactMs: number }[] {
    return [...this.#cluster.nodes.keys()].map((node) => ({ node, up: true, tags: [], lastContactMs: 0 }));
  }

  /** Those who hold it already, and then the first that come. */
  place({ replicas, keep = [], without = [] }: PlacementWish): PlacementResult {
    const free = [...this.#cluster.nodes.keys()].filter((node) => !keep.includes(node) && !without.includes(node));
    const members = [...keep, ...free].slice(0, replicas);
    return members.length < replicas
      ? { kind: 'noPeers', reason: 'no suitable peers for placement' }
      : { kind: 'placed', members };
  }

  removeNode(node: NodeId): Promise<boolean> {
    return Promise.resolve(this.#cluster.nodes.delete(node));
  }

  sendArchive(): void {
    throw new Error('no archives here');
  }

  receiveArchive(): string {
    throw new Error('no archives here');
  }

  /** Takes a turn of the loop, as a commit would. */
  async change(change: CatalogueChange): Promise<CatalogueResult> {
    this.#requireMetaLeader();
    this.#changes = this.#changes.then(() => new Promise((resolve) => setImmediate(resolve)));
    await this.#changes;
    const key = `${change.account} ${change.name}`;
    const existing = this.#cluster.assignments.get(key);
    if (change.kind === 'createStream') return this.#cluster.create(change);
    if (existing === undefined) return { kind: 'notFound' };
    if (change.kind === 'deleteStream') {
      this.#cluster.assignments.delete(key);
      return { kind: 'applied', assignment: existing };
    }
    if (change.kind === 'settleStream') return { kind: 'applied', assignment: existing };
    if (change.expectedRevision !== existing.revision) return { kind: 'conflict', existing };
    const { config, members = existing.members } = change;
    const assignment = { ...existing, config, members, revision: existing.revision + 1 };
    this.#cluster.assignments.set(key, assignment);
    return { kind: 'applied', assignment };
  }

  catalogueBarrier(): Promise<void> {
    this.#requireMetaLeader();
    return Promise.resolve();
  }

  metaLeader(): NodeId | undefined {
    return this.#cluster.metaLeader;
  }

  transferMetaLeadership(to?: NodeId): Promise<boolean> {
    this.#cluster.metaLeader = to ?? [...this.#cluster.nodes.keys()].find((node) => node !== this.node);
    return Promise.resolve(true);
  }

  announce(account: string, stream: string, action: string): void {
    this.#cluster.announced.push(`${account} ${stream} ${action}`);
  }

  localStream(account: string, name: string): LocalStream | undefined {
    const assignment = this.#cluster.assignments.get(`${account} ${name}`);
    if (assignment?.members.includes(this.node) !== true) return undefined;
    return { stream: this.#streamOf(assignment), consumers: NO_CONSUMERS, origins: () => [], leaderSinceUs: undefined };
  }

  directGetReplica(account: string, name: string): StreamInstance | undefined {
    const own = this.localStream(account, name)?.stream;
    return own?.config.allowDirect === true ? own : undefined;
  }

  caughtUp(_account: string, name: string, index: LogIndex): Promise<boolean> {
    this.awaited.push(`${name} ${index}`);
    return Promise.resolve(false);
  }

  toldProgress(): LogIndex {
    return TOLD_INDEX;
  }

  directMirrorsOf(): readonly StreamAssignment[] {
    return [];
  }

  leaderOf(assignment: StreamAssignment): NodeId | undefined {
    return this.#cluster.leaders.get(assignment.name);
  }

  async askStreamLeader(assignment: StreamAssignment, request: ApiRequest): Promise<JsonResponse | undefined> {
    const leader = this.#cluster.leaders.get(assignment.name);
    if (leader === undefined) return undefined;
    const node = this.#cluster.nodes.get(leader)!;
    node.forwarded.push(request.subject);
    const response = await node.api.handle({ ...request, forwarded: true });
    return response.kind === 'json' ? response : undefined;
  }

  /** Handles a call as if it had come in here and been passed on to where it belongs. */
  async call(subject: string, body: object | string = '', account = 'A'): Promise<Record<string, unknown> | undefined> {
    const target = this.api.nodeFor(account, `$JS.API.${subject}`);
    const { api } = target === undefined ? this : this.#cluster.nodes.get(target)!;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await api.handle({
      account,
      subject: `$JS.API.${subject}`,
      headers: Buffer.alloc(0),
      body: Buffer.from(text),
    });
    if (response.kind === 'none') return undefined;
    if (response.kind !== 'json') return { kind: response.kind };
    return JSON.parse(response.body.toString()) as Record<string, unknown>;
  }

  #requireMetaLeader(): void {
    if (this.#cluster.metaLeader !== this.node) throw new NotLeaderError('not the meta leader', true);
  }

  #streamOf(assignment: StreamAssignment): StreamInstance {
    const leader = this.#cluster.leaders.get(assignment.name);
    const status: GroupStatus = {
      role: leader === this.node ? 'leader' : 'follower',
      term: 1 as Term,
      leader,
      ready: leader === this.node,
      commitIndex: 1 as LogIndex,
      lastApplied: 1 as LogIndex,
      voters: assignment.members,
      learners: [],
      repairing: false,
      peers: assignment.members
        .filter((member) => member !== this.node)
        .map((node) => ({ node, matchIndex: 1 as LogIndex, lag: 0, lastContactMs: 5, catchingUp: false })),
    };
    const config = assignment.config as unknown as StreamConfig;
    return {
      config,
      status,
      state: () => EMPTY_STATE,
      transferLeadership: () => Promise.resolve(true),
    } as Partial<StreamInstance> as StreamInstance;
  }
}

const NO_CONSUMERS = { names: () => [], info: () => undefined } as Partial<ConsumerSet> as ConsumerSet;
