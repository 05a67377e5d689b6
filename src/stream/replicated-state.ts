/** Owns what all replicas of a stream agree on, beside its extension: configuration, messages, ids, and the clock of the log. */
import type { Seq, TimestampUs } from '../base/brand.ts';
import type { LogIndex } from '../raft/index.ts';
import { DedupeWindow } from './publish/dedupe-window.ts';
import { ExpiryIndex } from './expiry/expiry-index.ts';
import type { Sweep } from './removal/limit-sweep.ts';
import { MessageStore, type RemovalListener } from './store/message-store.ts';
import { OpenPurges } from './removal/open-purges.ts';
import { RunningDigest } from './running-digest.ts';
import { ScheduleIndex } from './schedules/schedule-index.ts';
import { SourcePositions } from './source-positions.ts';
import type { StreamConfig, StreamState } from './types.ts';

export class ReplicatedState {
  readonly store: MessageStore;
  readonly dedupe = new DedupeWindow();
  readonly schedules = new ScheduleIndex();
  readonly expiries: ExpiryIndex;
  readonly sources = new SourcePositions();
  readonly purges = new OpenPurges();
  readonly digest = new RunningDigest();
  configRevision: number;
  /** The time of the latest entry. Entries never go back in time: an earlier stamp counts as this. */
  clockUs = 0 as TimestampUs;
  appliedIndex = 0 as LogIndex;
  /** `Nats-Msg-Id` of the message stored last, in the first `lastMsgIdBytes` bytes. */
  lastMsgId = Buffer.alloc(64);
  lastMsgIdBytes = 0;
  /** Entries whose records nobody needs, since the last checkpoint. */
  deadEntries: LogIndex[] = [];
  /** What a change of configuration still has to look at. */
  sweep: Sweep | undefined;
  /** First sequences of blocks whose records still hold a message that must be overwritten. */
  readonly erasures = new Set<number>();
  #config: StreamConfig;

  constructor(config: StreamConfig, revision: number, listener: RemovalListener) {
    this.store = new MessageStore(listener);
    this.expiries = new ExpiryIndex(this.store);
    this.configRevision = revision;
    this.#config = config;
    this.config = config;
    if (config.firstSeq > 1) this.store.skipTo(config.firstSeq);
  }

  get config(): StreamConfig {
    return this.#config;
  }

  set config(config: StreamConfig) {
    this.#config = config;
    // With one message per subject the last one is also the first: no links needed to find the next.
    this.store.wantsLinks = config.maxMsgsPerSubject > 1;
  }

  /** Bytes a message counts for (streams.md 4.1). */
  messageBytes(subject: number, headers: number, payload: number): number {
    if (this.#config.storage === 'memory') return 16 + subject + headers + payload;
    return (headers === 0 ? 30 : 34) + subject + headers + payload;
  }

  setLastMsgId(source: Buffer, start: number, end: number): void {
    this.lastMsgIdBytes = end - start;
    if (this.lastMsgIdBytes > this.lastMsgId.length) this.lastMsgId = Buffer.alloc(this.lastMsgIdBytes);
    source.copy(this.lastMsgId, 0, start, end);
  }

  /** Moves the clock of the log on to an entry's stamp. */
  advanceClock(stampUs: TimestampUs): TimestampUs {
    if (stampUs > this.clockUs) this.clockUs = stampUs;
    return this.clockUs;
  }

  /** Takes what an entry left behind into the digest. */
  mixDigest(): void {
    const { store, digest } = this;
    digest.mix(this.appliedIndex);
    digest.mix(store.lastSeq);
    digest.mix(store.firstSeq);
    digest.mix(store.messages);
    digest.mix(store.bytes);
    digest.mix(store.removalHash);
    digest.mix(this.dedupe.size);
    digest.mix(this.schedules.size);
    digest.mix(this.configRevision);
  }

  summary(consumerCount: number): StreamState {
    const { store } = this;
    const neverUsed = store.lastSeq === 0 && store.messages === 0;
    return {
      messages: store.messages,
      bytes: store.bytes,
      firstSeq: (neverUsed ? 0 : store.firstSeq) as Seq,
      firstTimestampUs: (store.messages === 0 ? 0 : store.timestampOf(store.firstSeq)) as TimestampUs,
      lastSeq: store.lastSeq as Seq,
      lastTimestampUs: store.lastTimestampUs,
      numSubjects: store.subjects.size,
      numDeleted: store.lastSeq > store.firstSeq ? store.lastSeq - store.firstSeq + 1 - store.messages : 0,
      consumerCount,
    };
  }
}
