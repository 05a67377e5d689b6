/**
 * Owns what a start makes of the log: which batches the index may lack. Replaying is harmless where the index has them
 * already, as long as nothing is left out up to the last one: an older batch must never have the last word on a key.
 */
import type { BatchLog, LoggedBatch, LogPosition } from './batch-log.ts';
import type { ValueIndex } from './value-index.ts';

export interface Replay {
  readonly batches: readonly LoggedBatch[];
  /** Of the last batch that is known of. */
  readonly lastNumber: number;
  /** Behind everything that is there. */
  readonly end: LogPosition;
}

export async function findReplay(log: BatchLog, index: ValueIndex): Promise<Replay> {
  const start = index.replayStart;
  const segments = log.sealedSegments();
  let batches: LoggedBatch[] = [];
  let lastNumber = start.number;
  for (const segment of segments) {
    if (segment < start.segment) continue;
    for await (const batch of log.batches(segment, segment === start.segment ? start.offset : 0)) {
      // One between them is damaged. Unless the index has it, the node's journal has a hole now, and will say so.
      if (batch.number !== lastNumber + 1) batches = [];
      batches.push(batch);
      lastNumber = batch.number;
    }
  }
  // The index follows the log. If it is ahead, the end of the log is damaged, and what is left of it would set it back.
  if (lastNumber < index.latest) return { batches: [], lastNumber: index.latest, end: endOf(segments) };
  return { batches, lastNumber, end: endOf(segments) };
}

function endOf(segments: readonly number[]): LogPosition {
  return { segment: (segments.at(-1) ?? 0) + 1, offset: 0 };
}
