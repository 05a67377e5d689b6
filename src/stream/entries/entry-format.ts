/**
 * Owns the bodies of a stream's log entries.
 *
 * Every body starts with `u8 kind | u8 version | f64 timestampUs`, big-endian. Behind that:
 * batch (1): `u32 count`, then `count` messages in stored form; operation (2): JSON; extension operation (3) and
 * extension progress (4): bytes of its own; atomic batch (5): as a batch; placed batch (6): see placed-batch.ts;
 * produced batch (7): see produced-batch.ts; prefix batch (8): as a batch.
 */
import type { TimestampUs } from '../../base/brand.ts';
import { allocateRecord, RECORD_HEADER_BYTES } from '../../raft/index.ts';

export const ENTRY_BATCH = 1;
export const ENTRY_OPERATION = 2;
export const ENTRY_EXTENSION_OPERATION = 3;
export const ENTRY_EXTENSION_PROGRESS = 4;
/** All of its messages are stored, or none. */
export const ENTRY_ATOMIC_BATCH = 5;
export const ENTRY_PLACED_BATCH = 6;
export const ENTRY_PRODUCED_BATCH = 7;
/** What is behind the first message that is refused is refused as well. */
export const ENTRY_PREFIX_BATCH = 8;
export type StreamEntryKind = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
/** Entries that carry publishes. */
export type PublishEntryKind = typeof ENTRY_BATCH | typeof ENTRY_ATOMIC_BATCH | typeof ENTRY_PREFIX_BATCH;

const ENTRY_VERSION = 1;
const AT_VERSION = 1;
const AT_TIMESTAMP = 2;
/** Bytes before what depends on the kind. */
export const ENTRY_HEADER_BYTES = 10;
/** Bytes before the first message of a batch. */
export const BATCH_HEADER_BYTES = ENTRY_HEADER_BYTES + 4;
/** Where the messages of a batch begin within its record. */
export const RECORD_MESSAGES_START = RECORD_HEADER_BYTES + BATCH_HEADER_BYTES;

/** A record with its entry header filled in and room for `payloadBytes` at `RECORD_HEADER_BYTES + ENTRY_HEADER_BYTES`. */
function allocateEntry(kind: StreamEntryKind, timestampUs: TimestampUs, payloadBytes: number): Buffer {
  const record = allocateRecord(ENTRY_HEADER_BYTES + payloadBytes);
  record[RECORD_HEADER_BYTES] = kind;
  record[RECORD_HEADER_BYTES + AT_VERSION] = ENTRY_VERSION;
  record.writeDoubleBE(timestampUs, RECORD_HEADER_BYTES + AT_TIMESTAMP);
  return record;
}

/** A record for a batch of `count` messages; they go to `RECORD_MESSAGES_START`. */
export function allocateBatch(
  timestampUs: TimestampUs,
  count: number,
  messageBytes: number,
  kind: PublishEntryKind = ENTRY_BATCH,
): Buffer {
  const record = allocateEntry(kind, timestampUs, 4 + messageBytes);
  record.writeUInt32BE(count, RECORD_HEADER_BYTES + ENTRY_HEADER_BYTES);
  return record;
}

/** The record of an entry of any other kind, its `payload` copied. */
export function entryWith(kind: StreamEntryKind, timestampUs: TimestampUs, payload: Buffer): Buffer {
  const record = allocateEntry(kind, timestampUs, payload.length);
  payload.copy(record, RECORD_HEADER_BYTES + ENTRY_HEADER_BYTES);
  return record;
}

/** The kind of an entry's body; undefined when this version does not know it. */
export function entryKind(body: Buffer): StreamEntryKind | undefined {
  if (body.length < ENTRY_HEADER_BYTES || body[AT_VERSION] !== ENTRY_VERSION) return undefined;
  switch (body[0]) {
    case ENTRY_BATCH:
      return body.length < BATCH_HEADER_BYTES ? undefined : ENTRY_BATCH;
    case ENTRY_ATOMIC_BATCH:
      return body.length < BATCH_HEADER_BYTES ? undefined : ENTRY_ATOMIC_BATCH;
    case ENTRY_PREFIX_BATCH:
      return body.length < BATCH_HEADER_BYTES ? undefined : ENTRY_PREFIX_BATCH;
    case ENTRY_PLACED_BATCH:
      return body.length < BATCH_HEADER_BYTES ? undefined : ENTRY_PLACED_BATCH;
    case ENTRY_PRODUCED_BATCH:
      return body.length < BATCH_HEADER_BYTES ? undefined : ENTRY_PRODUCED_BATCH;
    case ENTRY_OPERATION:
      return ENTRY_OPERATION;
    case ENTRY_EXTENSION_OPERATION:
      return ENTRY_EXTENSION_OPERATION;
    case ENTRY_EXTENSION_PROGRESS:
      return ENTRY_EXTENSION_PROGRESS;
    case undefined:
    default:
      return undefined;
  }
}

export function entryTimestamp(body: Buffer): TimestampUs {
  return body.readDoubleBE(AT_TIMESTAMP) as TimestampUs;
}

export function batchCount(body: Buffer): number {
  return body.readUInt32BE(ENTRY_HEADER_BYTES);
}

/** View of what is behind the entry header. */
export function entryPayload(body: Buffer): Buffer {
  return body.subarray(ENTRY_HEADER_BYTES);
}
