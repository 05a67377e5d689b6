/** Owns the checksum used on every record: CRC32C, computed by the processor's own instruction. */
import { crc32c as nativeCrc32c } from '@node-rs/crc32';

/** CRC32C of `data`, continuing from `previous` (the checksum of the bytes before it). */
export function crc32c(data: Uint8Array, previous = 0): number {
  return nativeCrc32c(data, previous) >>> 0;
}
