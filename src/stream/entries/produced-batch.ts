/**
 * Owns the form of a produced batch: messages that the stream makes by itself, each because of one that it holds.
 *
 * Behind the entry header: `u32 count`, then `count` messages in stored form, as in any batch, then for each of them
 * `f64 basis | f64 dueUs`. A message is stored only where its basis still holds, so what two leaders proposed is applied
 * once:
 * - a delete marker (`dueUs` is 0), while its basis is the only message of its subject; otherwise the basis just goes;
 * - the product of a schedule, while its basis is a schedule that has not fired for `dueUs` or later.
 */
import { BATCH_HEADER_BYTES, ENTRY_HEADER_BYTES } from './entry-format.ts';
import { MESSAGE_PREFIX_BYTES } from '../messages/message-format.ts';

const REASON_BYTES = 16;

export interface ProducedMessage {
  /** In stored form. */
  readonly message: Buffer;
  /** The sequence that it is made for. */
  readonly basis: number;
  /** When the schedule was due; 0 for a marker. */
  readonly dueUs: number;
}

/** What goes behind the entry header. */
export function encodeProducedBatch(batch: readonly ProducedMessage[]): Buffer {
  const messageBytes = batch.reduce((sum, { message }) => sum + message.length, 0);
  const payload = Buffer.allocUnsafeSlow(4 + messageBytes + batch.length * REASON_BYTES);
  let at = payload.writeUInt32BE(batch.length, 0);
  for (const { message } of batch) at += message.copy(payload, at);
  for (const { basis, dueUs } of batch) {
    at = payload.writeDoubleBE(basis, at);
    at = payload.writeDoubleBE(dueUs, at);
  }
  return payload;
}

/** Where the parts of a produced batch are in its entry's body. */
export interface ProducedBatchLayout {
  readonly count: number;
  /** Behind the last message. */
  readonly messagesEnd: number;
}

/** Undefined: the lengths do not fit together. */
export function producedBatchLayout(body: Buffer): ProducedBatchLayout | undefined {
  const count = body.readUInt32BE(ENTRY_HEADER_BYTES);
  const messagesEnd = body.length - count * REASON_BYTES;
  return messagesEnd < BATCH_HEADER_BYTES + count * MESSAGE_PREFIX_BYTES ? undefined : { count, messagesEnd };
}

/** Why message number `ordinal` was made. */
export function producedReason(
  body: Buffer,
  { messagesEnd }: ProducedBatchLayout,
  ordinal: number,
): Omit<ProducedMessage, 'message'> {
  const at = messagesEnd + ordinal * REASON_BYTES;
  return { basis: body.readDoubleBE(at), dueUs: body.readDoubleBE(at + 8) };
}
