/**
 * Owns what a leader sends to each member, and when: entries as far as the member's limits allow, heartbeats, and word
 * that its log has to come from disk or by a checkpoint.
 */
import type { NodeId } from '../../base/brand.ts';
import type { AppendEntries } from '../messages.ts';
import type { Entry, LogIndex } from '../types.ts';
import type { Effects } from './effects.ts';
import type { Progress } from './progress.ts';
import type { Replica } from './replica.ts';
import type { Rounds } from './rounds.ts';

const NO_ENTRIES: readonly Entry[] = [];

export class Replicator {
  readonly #replica: Replica;
  readonly #peers: ReadonlyMap<NodeId, Progress>;
  readonly #rounds: Rounds;
  /** Goes with every message, for the host to compare. */
  digest = { index: 0 as LogIndex, digest: 0 };
  /** The leader has fallen silent; its last heartbeat says so. */
  hibernating = false;
  /** What followers are told, with every message. */
  transfersOver = true;

  constructor(replica: Replica, peers: ReadonlyMap<NodeId, Progress>, rounds: Rounds) {
    this.#replica = replica;
    this.#peers = peers;
    this.#rounds = rounds;
  }

  /** A heartbeat to everybody, with entries where there are some to send. */
  broadcast(effects: Effects): void {
    for (const [node, progress] of this.#peers) {
      if (!this.replicate(node, progress, effects)) this.#sendAppend(node, progress, NO_ENTRIES, effects);
    }
  }

  replicateAll(effects: Effects): void {
    for (const [node, progress] of this.#peers) this.replicate(node, progress, effects);
  }

  /** Sends what the member lacks, as far as its limits allow. True if anything was sent. */
  replicate(node: NodeId, progress: Progress, effects: Effects): boolean {
    const { log, limits } = this.#replica;
    // A term that is not on disk must not be heard of: after a crash we might lead it again, with another log.
    if (!this.#replica.termIsDurable) return false;
    let sent = false;
    while (!progress.paused && progress.nextIndex <= log.lastIndex) {
      if (progress.nextIndex <= log.snapshotIndex) {
        progress.needsSnapshot(log.snapshotIndex);
        effects.snapshots.push({ to: node, index: log.snapshotIndex });
        break;
      }
      const entries = log.slice(progress.nextIndex, log.lastIndex, limits.maxAppendBytes);
      if (entries === undefined) {
        this.#load(node, progress, effects);
        break;
      }
      this.#sendAppend(node, progress, entries, effects);
      sent = true;
    }
    return sent;
  }

  #load(node: NodeId, progress: Progress, effects: Effects): void {
    if (progress.loading) return;
    progress.loading = true;
    const { log, limits } = this.#replica;
    const through = (log.firstInMemory - 1) as LogIndex;
    effects.load.push({ to: node, from: progress.nextIndex, through, maxBytes: limits.maxAppendBytes });
  }

  #sendAppend(node: NodeId, progress: Progress, entries: readonly Entry[], effects: Effects): void {
    if (!this.#replica.termIsDurable) return;
    const { log } = this.#replica;
    const prevLogIndex = Math.max(progress.nextIndex - 1, log.snapshotIndex) as LogIndex;
    const { repair } = progress;
    const message: AppendEntries = {
      kind: 'appendEntries',
      from: this.#replica.node,
      to: node,
      term: this.#replica.currentTerm,
      prevLogIndex,
      prevLogTerm: log.termAt(prevLogIndex)!,
      leaderCommit: this.#replica.commitIndex,
      entries,
      readContext: this.#rounds.latest,
      digestIndex: this.digest.index,
      digest: this.digest.digest,
      hibernate: this.hibernating,
      // Only together with the proof that it holds the log that far.
      repaired: repair?.throughIndex !== undefined && prevLogIndex >= repair.throughIndex ? repair.number : 0,
      transfersOver: this.transfersOver,
    };
    effects.send.push(message);
    const through = (prevLogIndex + entries.length) as LogIndex;
    progress.toldCommitIndex = Math.min(through, message.leaderCommit) as LogIndex;
    if (entries.length === 0) return;
    let bytes = 0;
    for (const entry of entries) bytes += entry.record.length;
    progress.sent(entries[entries.length - 1]!.index, bytes);
  }

  /** Entries that `#load` asked for have been read. */
  loaded(to: NodeId, entries: readonly Entry[], effects: Effects): void {
    const progress = this.#peers.get(to);
    if (progress === undefined) return;
    progress.loading = false;
    const first = entries[0];
    const last = entries[entries.length - 1];
    // Things may have moved on while they were read: the member, the log's beginning, or, over an election, the log.
    if (first === undefined || last === undefined || progress.paused || first.index !== progress.nextIndex) return;
    const { log } = this.#replica;
    if (first.index <= log.snapshotIndex || log.termAt(last.index) !== last.term) return;
    this.#sendAppend(to, progress, entries, effects);
    this.replicate(to, progress, effects);
  }

  /** While its log was a guess it could not be told: what was committed then would wait for the next heartbeat. */
  tellCommit(node: NodeId, progress: Progress, effects: Effects): void {
    const { log, commitIndex } = this.#replica;
    if (progress.matchIndex !== log.lastIndex || commitIndex !== log.lastIndex) return;
    if (progress.toldCommitIndex < commitIndex) this.#sendAppend(node, progress, NO_ENTRIES, effects);
  }

  snapshotSent(to: NodeId, index: LogIndex, success: boolean, effects: Effects): void {
    const progress = this.#peers.get(to);
    if (progress === undefined) return;
    progress.snapshotEnded(index, success);
    this.replicate(to, progress, effects);
  }
}
