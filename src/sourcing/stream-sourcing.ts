/**
 * Owns what feeds one stream: on its leader, and only there, one way to each origin. Whoever leads begins where the stored
 * state says; who does not lead any more just stops.
 */
import type { Logger } from '../base/logger.ts';
import type { Runtime } from '../base/runtime.ts';
import type { GroupStatus } from '../raft/index.ts';
import { originsOf, transformOf, type StreamConfig, type StreamInstance, type StreamSource } from '../stream/index.ts';
import { MirrorFeed } from './mirror-feed.ts';
import { consumerName, SubjectPath, type OriginKind, type Taker } from './origin.ts';
import { SourceFeed } from './source-feed.ts';
import type { MirrorProgress, OriginInfo, UpstreamPort } from './types.ts';
import { Upstream } from './upstream.ts';

/** Fewer messages than this behind, a mirror counts as caught up with its origin, as in the reference server. */
const MIN_BEHIND = 10;

export interface StreamSourcingOptions {
  readonly stream: StreamInstance;
  readonly port: UpstreamPort;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** Empty: none. */
  readonly domain: string;
}

interface Way {
  readonly source: StreamSource;
  readonly upstream: Upstream;
  readonly feed: SourceFeed | MirrorFeed;
}

export class StreamSourcing {
  readonly #options: StreamSourcingOptions;
  /** By everything that makes them what they are. */
  readonly #ways = new Map<string, Way>();
  #isLeading = false;

  constructor(options: StreamSourcingOptions) {
    this.#options = options;
  }

  statusChanged(status: GroupStatus): void {
    const leads = status.role === 'leader' && status.ready;
    if (leads === this.#isLeading) return;
    this.#isLeading = leads;
    if (leads) this.#align(this.#options.stream.config);
    else this.close();
  }

  /** Takes effect in a turn of its own: the stream is in the middle of an entry now. */
  configChanged(): void {
    this.#options.runtime.defer(() => {
      if (this.#isLeading) this.#align(this.#options.stream.config);
    });
  }

  /** In the order of the configuration; empty on a node that does not lead. */
  info(): readonly OriginInfo[] {
    // The configuration may just have changed: whoever asks sees what it is now.
    if (this.#isLeading) this.#align(this.#options.stream.config);
    return [...this.#ways.values()].map(({ source, upstream, feed }) => ({
      source,
      lag: upstream.lag,
      activeMs: upstream.activeMs,
      seq: feed instanceof SourceFeed ? feed.seq : 0,
      error: upstream.error,
    }));
  }

  /** Of a stream that is a mirror. */
  mirrorProgress(): MirrorProgress {
    const way = this.#ways.values().next().value;
    if (way === undefined) return 'unknown';
    if (way.upstream.lag >= MIN_BEHIND) return 'behind';
    return way.upstream.isRunning ? 'caughtUp' : 'unknown';
  }

  close(): void {
    for (const { upstream } of this.#ways.values()) upstream.stop();
    this.#ways.clear();
  }

  /** The stream is deleted: what it had upstream is not needed any more. */
  deleted(): void {
    for (const { upstream } of this.#ways.values()) upstream.retire();
    this.#ways.clear();
  }

  #align(config: StreamConfig): void {
    const wanted = new Map(
      originsOf(config).map((source) => [JSON.stringify([source, config.subjectTransform]), source]),
    );
    for (const [key, { upstream }] of this.#ways) {
      if (wanted.has(key)) continue;
      upstream.retire();
      this.#ways.delete(key);
    }
    for (const [key, source] of wanted) {
      const open = this.#ways.get(key);
      const way = open ?? this.#open(config, source);
      this.#ways.delete(key);
      this.#ways.set(key, way);
      if (open === undefined) way.upstream.start();
    }
  }

  #open(config: StreamConfig, source: StreamSource): Way {
    const { stream, port, runtime, logger, domain } = this.#options;
    const kind: OriginKind = source === config.mirror ? 'mirror' : 'source';
    const taker: Taker = { stream: config.name, account: stream.account, domain };
    const isRepeated = config.sources.some((other) => other !== source && other.name === source.name);
    const random = (): number => runtime.random();
    const path = new SubjectPath(source, transformOf(config.subjectTransform, random), random);
    const rewind = (reason: string): void => {
      upstream.restart(reason);
    };
    const feedOptions = { stream, source, path, runtime, rewind };
    const feed = kind === 'mirror' ? new MirrorFeed(feedOptions) : new SourceFeed(feedOptions);
    const name = consumerName(kind, taker, source, isRepeated);
    const upstream: Upstream = new Upstream({ kind, taker, source, name, port, runtime, logger, sink: feed });
    return { source, upstream, feed };
  }
}
