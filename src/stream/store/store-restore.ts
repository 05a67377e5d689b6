/**
 * Owns how a message store comes back from its pages: rows and sides are taken in as they are, and what follows from them
 * is counted once all of them are there.
 */
import type { BlockChunk } from './block-chunk.ts';
import { bloomOf, decodeSide, sideFits } from './block-side.ts';
import type { MessageStore } from './message-store.ts';

/** Between two pauses: below a millisecond of work. */
const MESSAGES_PER_PAUSE = 20_000;

/** Takes in the page of a block's side; its row came before. False: it is not one of ours. */
export function restoreSide(store: MessageStore, entryIndex: number, value: Buffer): boolean {
  const side = store.table.restoredSide(entryIndex);
  const decoded = decodeSide(value);
  if (side === undefined || decoded === undefined) return false;
  Object.assign(side, decoded);
  return true;
}

/**
 * Counts what the blocks hold, once all pages are in. `dead` has the removals by entry index. `pause` is awaited now and
 * then, so that a large stream does not hold up the loop. False: the pages do not fit together.
 */
export async function recount(
  store: MessageStore,
  dead: ReadonlyMap<number, Uint8Array>,
  pause: () => Promise<void>,
): Promise<boolean> {
  let sincePause = 0;
  for (const chunk of store.table.chunks) {
    for (let row = 0; row < chunk.size; row++) {
      const removed = dead.get(chunk.entryIndex[row]!);
      if (removed !== undefined) store.table.restoreDead(chunk, row, removed);
      if (!recountBlock(store, chunk, row)) return false;
      sincePause += chunk.count[row]!;
      if (sincePause < MESSAGES_PER_PAUSE) continue;
      sincePause = 0;
      await pause();
    }
  }
  store.subjects.dropUncounted();
  return true;
}

function recountBlock(store: MessageStore, chunk: BlockChunk, row: number): boolean {
  const { subjects, wantsLinks } = store;
  const first = chunk.firstSeq[row]!;
  const count = chunk.count[row]!;
  const side = chunk.side[row];
  if (side !== undefined && !sideFits(side, count)) return false;
  if (wantsLinks && side?.subjects !== undefined) side.links = new Uint32Array(count);
  let live = 0;
  for (let ordinal = 0; ordinal < count; ordinal++) {
    if (!chunk.isLive(row, ordinal)) continue;
    live++;
    const id = chunk.subjectAt(row, ordinal);
    if (wantsLinks && subjects.isLive(id)) store.link(subjects.lastBound(id), first + ordinal);
    if (!subjects.restored(id, first + ordinal)) return false;
    store.bytes += chunk.sizeAt(row, ordinal);
  }
  if (side?.subjects !== undefined) side.bloom = bloomOf(chunk.subjectBase[row]!, side.subjects);
  chunk.summarise(row);
  chunk.live[row] = live;
  chunk.liveMessages += live;
  if (store.messages === 0 && live > 0) store.firstSeq = store.nextLive(first);
  store.messages += live;
  return true;
}
