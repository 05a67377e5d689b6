/**
 * Owns the receiving of a checkpoint: pages and entries are stored as they come, and have no effect until all of it is
 * there and the core lets it take force, in one batch. Entries that arrived survive a broken transfer: the next one asks
 * only for the rest.
 */
import type { NodeId } from '../../base/brand.ts';
import type { SnapshotPoint } from '../core/input.ts';
import { decodeMembership } from '../core/membership.ts';
import type { Group } from '../group.ts';
import type { HostContext } from '../host-context.ts';
import type { InstallSnapshot, InstallSnapshotReply } from '../messages.ts';
import type { SnapshotChunk, SnapshotItem } from '../wire/node-frame.ts';
import { openRecord } from '../record.ts';
import { isRanges, type SnapshotOffer } from './snapshot-sender.ts';
import { IndexRanges } from '../storage/index-ranges.ts';
import type { WriteBatch } from '../storage/write-batch.ts';
import type { Entry, LogIndex, Term } from '../types.ts';

/** Election timeouts without a chunk after which the transfer is given up; the leader will offer another. */
const PATIENCE_TIMEOUTS = 10;

interface Reception {
  readonly from: NodeId;
  readonly term: Term;
  readonly transfer: number;
  readonly point: SnapshotPoint;
  readonly digest: number;
  readonly entries: IndexRanges;
  next: number;
  lastHeardMs: number;
  bytes: number;
  /** Everything is on disk; the core decides. */
  complete: boolean;
}

export class SnapshotReceiver {
  readonly #context: HostContext;
  readonly #group: Group;
  #reception: Reception | undefined;
  /** Entries of snapshots that arrived and are not in force yet. */
  #staged = new IndexRanges();

  constructor(context: HostContext, group: Group) {
    this.#context = context;
    this.#group = group;
  }

  get isReceiving(): boolean {
    return this.#reception !== undefined;
  }

  offered(message: InstallSnapshot): void {
    const offer = parseOffer(message);
    if (offer === undefined) return;
    // Both would write the same pages, and restore the same machine: the leader is to come again.
    if (this.#reception?.complete === true || this.#group.isReplacing) {
      this.#reply(message, 'refused', 0);
      return;
    }
    this.giveUp();
    if (offer.point.index <= this.#group.commitIndex) {
      this.#reply(message, 'done', 0);
      this.#group.step({ kind: 'snapshotReceived', from: message.from, snapshot: offer.point });
      return;
    }
    const reception: Reception = {
      from: message.from,
      term: message.term,
      transfer: message.transfer,
      point: offer.point,
      digest: offer.digest,
      entries: offer.entries,
      next: 0,
      lastHeardMs: this.#context.runtime.monotonicMs(),
      bytes: 0,
      complete: false,
    };
    this.#reception = reception;
    this.#group.abandonCheckpoint();
    void this.#accept(reception, message);
  }

  /** Tells which of the entries are lacking here. */
  async #accept(reception: Reception, message: InstallSnapshot): Promise<void> {
    const { storage, commitIndex } = this.#group;
    const held = await storage.heldEntries(commitIndex).catch((error: unknown) => {
      this.#context.readFailed(error);
      return new IndexRanges();
    });
    if (this.#reception !== reception) return;
    storage.checkpoints.begin(true);
    const missing = reception.entries.without(held).without(this.#staged);
    // What we hold and the leader does not need is dead; it goes once the checkpoint is in force.
    storage.markDead(held.without(reception.entries));
    this.#reply(message, 'accepted', 0, Buffer.from(JSON.stringify(missing.ranges()), 'utf8'));
    this.#context.markDirty(this.#group);
  }

  chunk(from: NodeId, chunk: SnapshotChunk): void {
    const reception = this.#reception;
    if (reception?.from !== from || reception.transfer !== chunk.transfer || reception.complete) return;
    if (chunk.number !== reception.next) return;
    const entries = openEntries(this.#group, chunk.items, reception.point.index);
    if (entries === undefined) {
      this.#refuse(reception);
      return;
    }
    reception.next++;
    reception.lastHeardMs = this.#context.runtime.monotonicMs();
    for (const { index } of entries) this.#staged.add(index);
    this.#group.put(
      (batch) => {
        if (this.#reception === reception) this.#store(batch, chunk.items, entries, reception);
      },
      () => {
        if (this.#reception === reception) this.#stored(reception, chunk);
      },
    );
  }

  #store(batch: WriteBatch, items: readonly SnapshotItem[], entries: readonly Entry[], reception: Reception): void {
    const { storage } = this.#group;
    const data = storage.dataBatch(batch);
    storage.checkpoints.writeInto(data);
    storage.markInstalling(batch, this.#staged);
    for (const item of items) {
      if (item.kind !== 'page') continue;
      storage.checkpoints.put(item.key, item.value);
      reception.bytes += item.value.length;
    }
    for (const entry of entries) {
      storage.putEntry(batch, entry);
      reception.bytes += entry.record.length;
    }
  }

  #stored(reception: Reception, chunk: SnapshotChunk): void {
    this.#send(reception, chunk.last ? 'done' : 'progress', chunk.number);
    if (!chunk.last) return;
    reception.complete = true;
    this.#context.metrics.snapshotReceived(reception.bytes);
    this.#group.step({ kind: 'snapshotReceived', from: reception.from, snapshot: reception.point });
    // The core had got further meanwhile, and has no use for it.
    if (!this.#group.installs) this.giveUp();
  }

  /** The core lets the checkpoint take force: with `batch`, and all at once. */
  install(batch: WriteBatch, snapshot: SnapshotPoint, keepLog: boolean): void {
    const reception = this.#reception;
    const { storage } = this.#group;
    this.#reception = undefined;
    this.#staged = new IndexRanges();
    const dead = storage.dead.ranges();
    storage.checkpoints.complete(storage.dataBatch(batch), { ...snapshot, digest: reception?.digest ?? 0, dead });
    storage.unmarkInstalling(batch);
    if (!keepLog) storage.deleteBehind(batch, snapshot.index);
  }

  /** Entries that an earlier life received of a snapshot. */
  recovered(staged: IndexRanges): void {
    this.#staged = staged;
  }

  tick(): void {
    const reception = this.#reception;
    if (reception === undefined || reception.complete) return;
    const patience = this.#context.timing.electionTimeoutMinMs * PATIENCE_TIMEOUTS;
    if (this.#context.runtime.monotonicMs() - reception.lastHeardMs > patience) this.giveUp();
  }

  #refuse(reception: Reception): void {
    this.#send(reception, 'refused', reception.next);
    this.giveUp();
  }

  /** What is arriving is of no use. */
  giveUp(): void {
    if (this.#reception === undefined) return;
    this.#reception = undefined;
    this.#group.storage.checkpoints.abandon();
  }

  #send(reception: Reception, stage: InstallSnapshotReply['stage'], position: number): void {
    const { from, transfer, term } = reception;
    this.#reply({ from, transfer, term, lastIncludedIndex: reception.point.index }, stage, position);
  }

  #reply(
    message: Pick<InstallSnapshot, 'from' | 'transfer' | 'term' | 'lastIncludedIndex'>,
    stage: InstallSnapshotReply['stage'],
    position: number,
    body: Buffer = Buffer.alloc(0),
  ): void {
    this.#context.send(this.#group.id, {
      kind: 'installSnapshotReply',
      from: this.#context.node,
      to: message.from,
      term: message.term,
      stage,
      lastIncludedIndex: message.lastIncludedIndex,
      transfer: message.transfer,
      position,
      body,
    });
    this.#context.markDirty(this.#group);
  }
}

function parseOffer(
  message: InstallSnapshot,
): { readonly point: SnapshotPoint; readonly digest: number; readonly entries: IndexRanges } | undefined {
  let offer: Partial<SnapshotOffer>;
  try {
    offer = JSON.parse(message.body.toString('utf8')) as Partial<SnapshotOffer>;
  } catch {
    return undefined; // Not from one of us; the leader will notice that nobody answers.
  }
  const membership = decodeMembership(Buffer.from(String(offer.membership), 'base64'));
  if (membership === undefined || !Number.isSafeInteger(offer.checksum) || !isRanges(offer.entries)) return undefined;
  const { lastIncludedIndex: index, lastIncludedTerm: term } = message;
  return {
    point: { index, term, checksum: offer.checksum!, membership },
    digest: Number(offer.digest) >>> 0,
    entries: IndexRanges.from(offer.entries),
  };
}

/** The entries among `items`, verified, on memory of their own; undefined if one is not what it should be. */
function openEntries(group: Group, items: readonly SnapshotItem[], through: LogIndex): Entry[] | undefined {
  const entries: Entry[] = [];
  for (const item of items) {
    if (item.kind !== 'entry') continue;
    const entry = openRecord(item.record, { group: group.id });
    if (typeof entry === 'string' || entry.index > through) return undefined;
    entries.push(entry);
  }
  return entries;
}
