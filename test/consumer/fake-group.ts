/** Owns a group of fake streams with their consumers: entries commit after a delay, leaders come and go, entries get lost. */
import type { NodeId } from '../../src/base/brand.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createConsumers, type ConsumerConfig, type ConsumerInfo, type ConsumerSet } from '../../src/consumer/index.ts';
import type { Term } from '../../src/raft/index.ts';
import type { StreamConfig } from '../../src/stream/index.ts';
import { Random } from '../sim/random.ts';
import { SimulatedRuntime, VirtualTime } from '../sim/virtual-time.ts';
import { FakeOutlet, type Sent } from './fake-outlet.ts';
import { FakeStream, STATUS_FOLLOWER, encodeMessage, type FakeEntry } from './fake-stream.ts';
import { plainStreamConfig } from '../harness/stream-config.ts';

const COMMIT_DELAY_MS = 1;
const TIME_LIMIT_MS = 60_000;
/** Small, so that a checkpoint takes several steps. */
const PAGE_BYTES = 100;

export interface Replica {
  readonly stream: FakeStream;
  readonly consumers: ConsumerSet;
  readonly outlet: FakeOutlet;
  readonly runtime: SimulatedRuntime;
}

export class FakeGroup {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly replicas: Replica[] = [];
  /** What each replica has stored of its checkpoints, by key. */
  readonly #pages: Map<string, Buffer>[] = [];
  /** False: nothing commits until it is true again. */
  quorum = true;
  #leader = 0;
  #term = 1;
  #uncommitted: { readonly entry: FakeEntry; readonly proposer: number; readonly term: number }[] = [];
  #committing = false;
  readonly committed: FakeEntry[] = [];

  constructor(
    options: { readonly replicas?: number; readonly seed?: number; readonly stream?: Partial<StreamConfig> } = {},
  ) {
    this.random = new Random(options.seed ?? 1);
    const count = options.replicas ?? 1;
    for (let at = 0; at < count; at++) {
      this.replicas.push(this.#newReplica(at, plainStreamConfig(options.stream)));
      this.#pages.push(new Map());
    }
    this.#announce();
  }

  get leader(): Replica {
    return this.replicas[this.#leader]!;
  }

  get leaderAt(): number {
    return this.#leader;
  }

  get outlet(): FakeOutlet {
    return this.leader.outlet;
  }

  get consumers(): ConsumerSet {
    return this.leader.consumers;
  }

  /** Commits at once, unless there is no quorum. */
  store(...messages: (string | readonly [subject: string, payload: string, headers?: string])[]): void {
    const encoded = messages.map((message) =>
      typeof message === 'string' ? encodeMessage(message, '') : encodeMessage(...message),
    );
    this.propose({ kind: 'store', messages: encoded });
    this.#commit();
  }

  storeMany(count: number, subject = 's'): void {
    this.store(...Array.from({ length: count }, (_, at) => [subject, `m${at + 1}`] as const));
  }

  remove(seq: number): void {
    this.propose({ kind: 'remove', seq });
    this.#commit();
  }

  removeBelow(seq: number): void {
    this.propose({ kind: 'removeBelow', seq });
    this.#commit();
  }

  propose(entry: FakeEntry): boolean {
    return this.#proposeAt(this.#leader, entry);
  }

  /** The next in line leads. `lose`: what wasn't committed never is. */
  failOver(options: { readonly lose: boolean; readonly to?: number }): void {
    if (options.lose) this.#uncommitted = [];
    else this.#commit();
    const to = options.to ?? (this.#leader + 1) % this.replicas.length;
    this.#term++;
    const before = this.leader;
    this.#leader = to;
    before.stream.status = this.#statusOf(false);
    before.consumers.statusChanged(before.stream.status);
    this.#announce();
  }

  async run(ms: number): Promise<Sent[]> {
    // Something to stop at: behind a cancelled timer, time would run on to whatever comes next.
    this.time.schedule(ms, () => undefined);
    await this.time.run(ms);
    return this.outlet.take();
  }

  async create(config: ConsumerConfig, action: 'create' | 'update' | '' = ''): Promise<ConsumerInfo> {
    const result = await this.settle(this.consumers.create(config, action));
    if (!result.ok) throw new Error(`${result.error.errCode} ${result.error.description}`);
    return result.value;
  }

  /** Runs virtual time until `promise` settles. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const settled = promise.finally(() => {
      done = true;
    });
    settled.catch(() => undefined);
    // Something to begin with: what is to happen may only be scheduled once promises had their turn.
    this.time.schedule(0, () => undefined);
    await this.time.runUntil(() => done, TIME_LIMIT_MS);
    return settled;
  }

  info(name = 'C'): ConsumerInfo {
    const info = this.consumers.info(name);
    if (info === undefined) throw new Error(`no consumer ${name}`);
    return info;
  }

  pull(body: string | object = '', inbox = 'inbox', name = 'C', headers = ''): boolean {
    return this.consumers.pull(name, {
      reply: inbox,
      headers: Buffer.from(headers),
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    });
  }

  /** `ackSubject`: the reply of a delivered message. False: nobody waits for it. */
  ack(ackSubject: string, payload = '', reply = ''): boolean {
    const [, , , name] = ackSubject.split('.');
    const subject = Buffer.from(ackSubject);
    const body = Buffer.from(payload);
    return this.consumers.ack(name!, {
      subject,
      start: `$JS.ACK.S.${name!}.`.length,
      end: subject.length,
      open: false,
      payload: body,
      payloadStart: 0,
      payloadEnd: body.length,
      reply,
    });
  }

  /** A replica whose memory is lost, and made again from its last checkpoint: one that it took just now. */
  async restart(at: number): Promise<void> {
    const { consumers } = this.replicas[at]!;
    const pages = this.#pages[at]!;
    const sink = {
      put: (key: Buffer, value: Buffer): void => {
        pages.set(key.toString('hex'), value);
      },
      delete: (key: Buffer): void => {
        pages.delete(key.toString('hex'));
      },
    };
    consumers.beginCheckpoint();
    while (!consumers.writePages(sink, PAGE_BYTES)) await Promise.resolve();
    consumers.endCheckpoint(true);
    consumers.restore(
      [...pages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [Buffer.from(key, 'hex'), value]),
    );
    if (at === this.#leader) this.#announce();
  }

  #newReplica(at: number, config: StreamConfig): Replica {
    const runtime = new SimulatedRuntime(this.time, this.random.fork());
    const outlet = new FakeOutlet();
    const stream = new FakeStream(config, { propose: (entry) => this.#proposeAt(at, entry) });
    const consumers = createConsumers(stream, { runtime, outlet, logger: silentLogger });
    stream.extension = consumers;
    return { stream, consumers, outlet, runtime };
  }

  #statusOf(leads: boolean): FakeStream['status'] {
    return {
      ...STATUS_FOLLOWER,
      role: leads ? 'leader' : 'follower',
      ready: leads,
      term: this.#term as Term,
      voters: this.replicas.map((_, at) => `n${at + 1}` as NodeId),
    };
  }

  #announce(): void {
    this.replicas.forEach((replica, at) => {
      replica.stream.status = this.#statusOf(at === this.#leader);
      replica.consumers.statusChanged(replica.stream.status);
    });
  }

  #proposeAt(at: number, entry: FakeEntry): boolean {
    if (at !== this.#leader) return false;
    this.#uncommitted.push({ entry, proposer: at, term: this.#term });
    if (!this.#committing) {
      this.#committing = true;
      this.time.schedule(COMMIT_DELAY_MS, () => {
        this.#committing = false;
        this.#commit();
      });
    }
    return true;
  }

  /** Applies everything proposed, on every replica. */
  #commit(): void {
    if (!this.quorum) return;
    for (let next = this.#uncommitted.shift(); next !== undefined; next = this.#uncommitted.shift()) {
      const { entry, proposer, term } = next;
      this.committed.push(entry);
      const timestampUs = this.leader.runtime.wallUs();
      this.replicas.forEach((replica, at) => {
        replica.stream.apply(entry, { timestampUs, ownProposal: at === proposer && term === this.#term });
      });
    }
  }

  /** Commits what waited for the quorum. */
  heal(): void {
    this.quorum = true;
    this.#commit();
  }
}
