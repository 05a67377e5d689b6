/**
 * Owns the form of every value that is not an entry: a CRC32C over key and content, then the content. Bound to its key,
 * so that a value that turns up under another one is refused.
 */
import { crc32c } from '../../base/checksum.ts';

const CHECKSUM_BYTES = 4;

export function sealValue(key: Buffer, content: Buffer): Buffer {
  const value = Buffer.allocUnsafe(CHECKSUM_BYTES + content.length);
  content.copy(value, CHECKSUM_BYTES);
  value.writeUInt32BE(crc32c(content, crc32c(key)), 0);
  return value;
}

/** The content, a view of `value`; undefined when the checksum is wrong. */
export function openValue(key: Buffer, value: Buffer): Buffer | undefined {
  if (value.length < CHECKSUM_BYTES) return undefined;
  const content = value.subarray(CHECKSUM_BYTES);
  return crc32c(content, crc32c(key)) === value.readUInt32BE(0) ? content : undefined;
}

export function checksumOfValue(value: Buffer): number {
  return value.readUInt32BE(0);
}

export function sealJson(key: Buffer, content: unknown): Buffer {
  return sealValue(key, Buffer.from(JSON.stringify(content), 'utf8'));
}

/** Undefined when the checksum is wrong. What it proves is that we wrote it, so the content's type is trusted. */
export function openJson(key: Buffer, value: Buffer): unknown {
  const content = openValue(key, value);
  return content === undefined ? undefined : JSON.parse(content.toString('utf8'));
}
