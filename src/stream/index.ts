/** The door of stream/. */
export type * from './types.ts';
export * from './config/config.ts';
export * from './messages/message-format.ts';
export type { AbandonReason } from './batches/atomic-intake.ts';
export { BatchBudget, type BatchLimits } from './batches/batch-limits.ts';
export { FAST_REPLY_SUFFIX } from './batches/fast-reply.ts';
export { emptyStoredMessage } from './records/block-cursor.ts';
export { ReadBudget } from './records/read-budget.ts';
export { createStream, type StreamEvents, type StreamOptions } from './stream.ts';
export { emptyPlacedBatch, PlacedBatchWriter } from './entries/placed-batch.ts';
export { subjectFilter } from './store/subject-filter.ts';
export { originsOf } from './config/origin-rules.ts';
export type { SourcePosition } from './source-positions.ts';
export { transformOf } from './publish/subject-rewriter.ts';
export { leastTtl, raisedTtl } from './expiry/ttl-rewriter.ts';
