/**
 * Owns the consumers' part of checkpoints: which pages changed, and the image that a checkpoint freezes. A page is encoded
 * when it is written, or just before its consumer changes while the checkpoint is still being written.
 */
import type { PageSink } from '../../raft/index.ts';
import { LIST_PAGE_SEQS, encodeConsumer, encodeList } from './consumer-page.ts';
import type { ReplicatedConsumer } from './replicated-state.ts';

const PAGE = { globals: 0, consumer: 1, list: 2 } as const;
const ID_BYTES = 4;

const GLOBALS_KEY = Buffer.from([PAGE.globals]);

function consumerKey(id: number): Buffer {
  const key = Buffer.alloc(1 + ID_BYTES);
  key[0] = PAGE.consumer;
  key.writeUInt32BE(id, 1);
  return key;
}

function listKey(id: number, chunk: number): Buffer {
  const key = Buffer.alloc(1 + 2 * ID_BYTES);
  key[0] = PAGE.list;
  key.writeUInt32BE(id, 1);
  key.writeUInt32BE(chunk, 1 + ID_BYTES);
  return key;
}

/** What a page holds, by its key. */
export type PageKey =
  | { readonly kind: 'globals' }
  | { readonly kind: 'consumer'; readonly id: number }
  | { readonly kind: 'list'; readonly id: number; readonly chunk: number };

export function parsePageKey(key: Buffer): PageKey {
  if (key[0] === PAGE.globals) return { kind: 'globals' };
  const id = key.readUInt32BE(1);
  if (key[0] === PAGE.consumer) return { kind: 'consumer', id };
  return { kind: 'list', id, chunk: key.readUInt32BE(1 + ID_BYTES) };
}

/** One page to write; without a value it is deleted. */
type PendingPage = { readonly key: Buffer; readonly value: Buffer | undefined };

export class CheckpointPages {
  readonly #encodeGlobals: () => Buffer;
  #changed = new Set<ReplicatedConsumer>();
  /** Consumers whose initial list was never part of a checkpoint. */
  #newLists = new Set<ReplicatedConsumer>();
  #deleted: Buffer[] = [];
  #frozen: { changed: Set<ReplicatedConsumer>; newLists: Set<ReplicatedConsumer>; deleted: Buffer[] } | undefined;
  /** Of the frozen image: to be encoded when it is their turn, and encoded already. */
  readonly #toEncode = new Set<ReplicatedConsumer>();
  #encoded: PendingPage[] = [];

  constructor(encodeGlobals: () => Buffer) {
    this.#encodeGlobals = encodeGlobals;
  }

  /** Call before `consumer` changes. */
  willChange(consumer: ReplicatedConsumer): void {
    if (this.#toEncode.delete(consumer)) this.#encoded.push(pageOf(consumer));
    this.#changed.add(consumer);
  }

  created(consumer: ReplicatedConsumer): void {
    this.#changed.add(consumer);
    if (consumer.initial.length > 0) this.#newLists.add(consumer);
  }

  deleted(consumer: ReplicatedConsumer): void {
    this.willChange(consumer);
    this.#changed.delete(consumer);
    this.#newLists.delete(consumer);
    this.#deleted.push(consumerKey(consumer.id));
    for (let from = 0, chunk = 0; from < consumer.initial.length; from += LIST_PAGE_SEQS, chunk++) {
      this.#deleted.push(listKey(consumer.id, chunk));
    }
  }

  begin(): void {
    this.#frozen = { changed: this.#changed, newLists: this.#newLists, deleted: this.#deleted };
    this.#changed = new Set();
    this.#newLists = new Set();
    this.#deleted = [];
    this.#toEncode.clear();
    for (const consumer of this.#frozen.changed) this.#toEncode.add(consumer);
    this.#encoded = [{ key: GLOBALS_KEY, value: this.#encodeGlobals() }];
    for (const key of this.#frozen.deleted) this.#encoded.push({ key, value: undefined });
    for (const consumer of this.#frozen.newLists) this.#encodeList(consumer);
  }

  /** True when everything is written. */
  write(sink: PageSink, maxBytes: number): boolean {
    let bytes = 0;
    while (bytes < maxBytes) {
      const page = this.#nextPage();
      if (page === undefined) return true;
      if (page.value === undefined) sink.delete(page.key);
      else sink.put(page.key, page.value);
      bytes += page.key.length + (page.value?.length ?? 0);
    }
    return false;
  }

  end(durable: boolean): void {
    const frozen = this.#frozen;
    this.#frozen = undefined;
    this.#toEncode.clear();
    this.#encoded = [];
    if (durable || frozen === undefined) return;
    const gone = new Set(this.#deleted.map((key) => key.toString('hex')));
    for (const consumer of frozen.changed) {
      if (!gone.has(consumerKey(consumer.id).toString('hex'))) this.#changed.add(consumer);
    }
    for (const consumer of frozen.newLists) this.#newLists.add(consumer);
    this.#deleted = [...frozen.deleted, ...this.#deleted];
  }

  /** All consumers were replaced by those of a checkpoint: what those before had changed is history. */
  restored(): void {
    this.#frozen = undefined;
    this.#changed = new Set();
    this.#newLists = new Set();
    this.#deleted = [];
    this.#toEncode.clear();
    this.#encoded = [];
  }

  #nextPage(): PendingPage | undefined {
    const page = this.#encoded.pop();
    if (page !== undefined) return page;
    for (const consumer of this.#toEncode) {
      this.#toEncode.delete(consumer);
      return pageOf(consumer);
    }
    return undefined;
  }

  /** Lists never change, so they need no freezing; encoding them now keeps their pages with the consumer's. */
  #encodeList(consumer: ReplicatedConsumer): void {
    for (let from = 0, chunk = 0; from < consumer.initial.length; from += LIST_PAGE_SEQS, chunk++) {
      this.#encoded.push({ key: listKey(consumer.id, chunk), value: encodeList(consumer.initial, from) });
    }
  }
}

function pageOf(consumer: ReplicatedConsumer): PendingPage {
  return { key: consumerKey(consumer.id), value: encodeConsumer(consumer) };
}
