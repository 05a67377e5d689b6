/** The door of raft/. */
export type { CheckpointPolicy } from './checkpoints/checkpointer.ts';
export { createRaftHost, type RaftHostOptions } from './host.ts';
export type { HostMetrics } from './host-metrics.ts';
export { allocateRecord, RECORD_HEADER_BYTES } from './record.ts';
export type { DiskBatch, KeyRange, KeyValueDisk } from './storage/key-value-disk.ts';
export { NodeStorage, type NodeStorageOptions, type SyncInterval } from './storage/node-storage.ts';
export { openNodeStorage, type OpenNodeStorageOptions } from './storage/open-node-storage.ts';
export { DEFAULT_TIMING, type Timing } from './timing.ts';
export * from './types.ts';
