/** Owns subject delete markers (streams.md 7.5): what they look like, and what gets none. */
import { goDurationText } from '../../base/duration-text.ts';
import { encodeMessage, MessageHeaders } from '../messages/message-headers.ts';
import type { MessageParts } from '../records/message-reader.ts';

const NO_PAYLOAD = Buffer.alloc(0);

/** The marker for the subject of `expired`, in stored form. */
export function deleteMarker(expired: MessageParts, ttlMs: number): Buffer {
  const headers = new MessageHeaders();
  headers.add('Nats-Marker-Reason', 'MaxAge');
  headers.add('Nats-TTL', goDurationText(Math.floor(ttlMs / 1000) * 1000));
  headers.add('Nats-Rollup', 'sub');
  return encodeMessage({ subject: expired.subject, headers: headers.encode(), payload: NO_PAYLOAD });
}

/** A marker, or a key's purge: its subject is known to be empty. */
export function isDeleteMarker({ headers }: MessageParts): boolean {
  const parsed = MessageHeaders.parse(headers);
  return (parsed.get('Nats-Marker-Reason') ?? '') !== '' || parsed.get('KV-Operation') === 'PURGE';
}
