/**
 * Owns the sending of checkpoints to followers that the log does not reach any more: pages, and of the entries that are
 * still needed those that the follower lacks. It goes over the bulk link, a few chunks ahead of the acknowledgements.
 */
import type { NodeId } from '../../base/brand.ts';
import { StorageError } from '../../base/errors.ts';
import type { Checkpointer } from './checkpointer.ts';
import { encodeMembership } from '../core/membership.ts';
import type { Group } from '../group.ts';
import type { HostContext } from '../host-context.ts';
import type { InstallSnapshotReply } from '../messages.ts';
import type { SnapshotItem } from '../wire/node-frame.ts';
import type { CheckpointRoot, PageVersion } from '../storage/checkpoint-store.ts';
import { IndexRanges } from '../storage/index-ranges.ts';
import type { LogIndex } from '../types.ts';

const CHUNK_BYTES = 512 * 1024;
/** Sent, not yet acknowledged. */
const MAX_CHUNKS_AHEAD = 4;
/** No more is put on a link on which so much is waiting. */
const MAX_PENDING_BYTES = 4 * 1024 * 1024;
/** Election timeouts without a word from the receiver after which a transfer is given up. */
const PATIENCE_TIMEOUTS = 10;

/** What an offer says about the checkpoint, besides the message's own fields. */
export interface SnapshotOffer {
  readonly checksum: number;
  /** Base64. */
  readonly membership: string;
  readonly digest: number;
  /** Entries that belong to it. */
  readonly entries: readonly (readonly [number, number])[];
}

interface Transfer {
  readonly to: NodeId;
  readonly number: number;
  readonly root: CheckpointRoot;
  /** The live pages of `root`; later checkpoints have others. */
  readonly pages: readonly PageVersion[];
  /** Entries that belong to it. */
  entries: IndexRanges;
  /** What is still to be sent, once the receiver told what it lacks. */
  items: AsyncIterator<SnapshotItem> | undefined;
  exhausted: boolean;
  sent: number;
  acknowledged: number;
  pumping: boolean;
  ended: boolean;
  lastHeardMs: number;
  bytes: number;
}

export class SnapshotSender {
  readonly #context: HostContext;
  readonly #group: Group;
  readonly #checkpointer: Checkpointer;
  readonly #transfers = new Map<NodeId, Transfer>();
  /** Entries that made a transfer fail. */
  readonly #unreadable = new Set<LogIndex>();
  #lastTransfer = 0;

  constructor(context: HostContext, group: Group, checkpointer: Checkpointer) {
    this.#context = context;
    this.#group = group;
    this.#checkpointer = checkpointer;
  }

  get isSending(): boolean {
    return this.#transfers.size > 0;
  }

  isSendingTo(node: NodeId): boolean {
    return this.#transfers.has(node);
  }

  /** `to` needs a checkpoint at or behind `index`. */
  offer(to: NodeId, index: LogIndex): void {
    this.#end(to, undefined);
    const { root } = this.#group.storage.checkpoints;
    if (root === undefined || root.index < index) {
      this.#group.step({ kind: 'snapshotSent', to, index, success: false });
      return;
    }
    this.#lastTransfer = Math.max(this.#lastTransfer + 1, Math.floor(this.#context.runtime.wallUs()));
    const transfer: Transfer = {
      to,
      number: this.#lastTransfer,
      root,
      pages: this.#group.storage.checkpoints.livePages(),
      entries: new IndexRanges(),
      items: undefined,
      exhausted: false,
      sent: 0,
      acknowledged: -1,
      pumping: false,
      ended: false,
      lastHeardMs: this.#context.runtime.monotonicMs(),
      bytes: 0,
    };
    this.#transfers.set(to, transfer);
    this.#checkpointer.pin();
    void this.#sendOffer(transfer);
  }

  async #sendOffer(transfer: Transfer): Promise<void> {
    const { root } = transfer;
    const entries = await this.#group.storage.heldEntries(root.index).catch((error: unknown) => {
      this.#context.readFailed(error);
      return undefined;
    });
    if (transfer.ended || entries === undefined) return;
    transfer.entries = entries;
    const offer: SnapshotOffer = {
      checksum: root.checksum,
      membership: encodeMembership(root.membership).toString('base64'),
      digest: root.digest,
      entries: entries.ranges(),
    };
    this.#context.send(this.#group.id, {
      kind: 'installSnapshot',
      from: this.#context.node,
      to: transfer.to,
      term: this.#group.term,
      lastIncludedIndex: root.index,
      lastIncludedTerm: root.term,
      transfer: transfer.number,
      body: Buffer.from(JSON.stringify(offer), 'utf8'),
    });
    this.#context.markDirty(this.#group);
  }

  reply(reply: InstallSnapshotReply): void {
    const transfer = this.#transfers.get(reply.from);
    if (transfer === undefined || transfer.number !== reply.transfer) return;
    transfer.lastHeardMs = this.#context.runtime.monotonicMs();
    switch (reply.stage) {
      case 'accepted':
        if (transfer.items !== undefined) return;
        this.#begin(transfer, reply.body);
        return;
      case 'progress':
        transfer.acknowledged = Math.max(transfer.acknowledged, reply.position);
        void this.#pump(transfer);
        return;
      case 'done':
        this.#context.metrics.snapshotSent(transfer.bytes);
        this.#end(transfer.to, true);
        return;
      case 'refused':
        this.#end(transfer.to, false);
    }
  }

  #begin(transfer: Transfer, body: Buffer): void {
    const wanted = parseRanges(body);
    if (wanted === undefined) {
      this.#end(transfer.to, false);
      return;
    }
    transfer.items = this.#items(transfer.pages, transfer.entries.and(wanted));
    void this.#pump(transfer);
  }

  async *#items(pages: readonly PageVersion[], wanted: IndexRanges): AsyncGenerator<SnapshotItem> {
    const { storage } = this.#group;
    for (const { page, version } of pages) {
      yield { kind: 'page', key: page, value: await storage.checkpoints.readPage(page, version) };
    }
    for (const [first, last] of wanted.ranges()) {
      for (let index = first as LogIndex; index <= last; index++) {
        const record = await this.#readRecord(index);
        if (record !== undefined) yield { kind: 'entry', record };
      }
    }
  }

  /**
   * An entry that is damaged here fails one transfer, while its repair is under way. If there is none by the next, maybe
   * because it is dead everywhere else, it is left out: should the receiver ever read it, it asks the others as well.
   */
  async #readRecord(index: LogIndex): Promise<Buffer | undefined> {
    try {
      return await this.#group.readRecord(index);
    } catch (error) {
      const isDamaged = error instanceof StorageError && error.code === 'STORAGE_CORRUPT';
      if (isDamaged && this.#unreadable.has(index)) return undefined;
      if (isDamaged) this.#unreadable.add(index);
      throw error;
    }
  }

  /** Sends chunks as far as the receiver and the link keep up. */
  async #pump(transfer: Transfer): Promise<void> {
    if (transfer.pumping || transfer.items === undefined) return;
    transfer.pumping = true;
    try {
      while (!transfer.ended && this.#mayContinue(transfer)) await this.#sendChunk(transfer, transfer.items);
    } catch (error) {
      this.#context.logger.warn({ group: this.#group.id, to: transfer.to, error }, 'snapshot.unreadable');
      this.#end(transfer.to, false);
    } finally {
      transfer.pumping = false;
    }
  }

  #mayContinue(transfer: Transfer): boolean {
    return (
      !transfer.exhausted &&
      transfer.sent - transfer.acknowledged <= MAX_CHUNKS_AHEAD &&
      this.#context.pendingBulkBytes(transfer.to) < MAX_PENDING_BYTES
    );
  }

  async #sendChunk(transfer: Transfer, source: AsyncIterator<SnapshotItem>): Promise<void> {
    const items: SnapshotItem[] = [];
    let bytes = 0;
    let last = false;
    while (bytes < CHUNK_BYTES && !last) {
      const next = await source.next();
      if (next.done === true) last = true;
      else {
        items.push(next.value);
        bytes +=
          next.value.kind === 'page' ? next.value.key.length + next.value.value.length : next.value.record.length;
      }
    }
    if (transfer.ended) return;
    const { number } = transfer;
    const chunk = {
      kind: 'chunk',
      group: this.#group.id,
      transfer: number,
      number: transfer.sent,
      last,
      items,
    } as const;
    this.#context.sendFrame(transfer.to, chunk, 'bulk');
    transfer.bytes += bytes;
    transfer.sent++;
    transfer.exhausted = last;
  }

  /** Called every heartbeat: links that had been full may go on, and receivers that fell silent are given up. */
  tick(): void {
    const now = this.#context.runtime.monotonicMs();
    const patience = this.#context.timing.electionTimeoutMinMs * PATIENCE_TIMEOUTS;
    for (const transfer of [...this.#transfers.values()]) {
      if (now - transfer.lastHeardMs > patience) this.#end(transfer.to, false);
      else void this.#pump(transfer);
    }
  }

  stop(): void {
    this.#unreadable.clear();
    for (const to of [...this.#transfers.keys()]) this.#end(to, undefined);
  }

  /** `success` undefined: nobody asks any more. */
  #end(to: NodeId, success: boolean | undefined): void {
    const transfer = this.#transfers.get(to);
    if (transfer === undefined) return;
    transfer.ended = true;
    this.#transfers.delete(to);
    this.#checkpointer.unpin();
    if (success !== undefined) {
      this.#group.step({ kind: 'snapshotSent', to, index: transfer.root.index, success });
    }
  }
}

/** Ranges as a peer sent them; undefined when they are none. */
function parseRanges(body: Buffer): IndexRanges | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined; // Whatever it is, it is no list of ranges.
  }
  return isRanges(parsed) ? IndexRanges.from(parsed) : undefined;
}

export function isRanges(value: unknown): value is [number, number][] {
  return (
    Array.isArray(value) &&
    value.every(
      (range) => Array.isArray(range) && range.length === 2 && range.every(Number.isSafeInteger) && range[0] > 0,
    )
  );
}
