/** The door of stream/. */
export type * from './types.ts';
export * from './config.ts';
export * from './message-format.ts';
export type { AbandonReason } from './atomic-intake.ts';
export { BatchBudget, type BatchLimits } from './batch-limits.ts';
export { FAST_REPLY_SUFFIX } from './fast-reply.ts';
export { emptyStoredMessage } from './block-cursor.ts';
export { createStream, type StreamEvents, type StreamOptions } from './stream.ts';
export { emptyPlacedBatch, PlacedBatchWriter } from './placed-batch.ts';
export { subjectFilter } from './subject-filter.ts';
export { originsOf } from './origin-rules.ts';
export type { SourcePosition } from './source-positions.ts';
export { transformOf } from './subject-rewriter.ts';
