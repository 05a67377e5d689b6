/** Owns the chunks that output is gathered in: a few sizes, reused, with a bound on how much is kept for later. */

export const MIN_CHUNK_BYTES = 2 * 1024;
export const MAX_CHUNK_BYTES = 64 * 1024;
const KEPT_BYTES_PER_SIZE = 8 * 1024 * 1024;
const SIZES = Math.log2(MAX_CHUNK_BYTES / MIN_CHUNK_BYTES) + 1;

export class ChunkPool {
  readonly #free: Buffer[][] = Array.from({ length: SIZES }, () => []);

  /** A chunk of at least `bytes`: a pooled one up to MAX_CHUNK_BYTES, else one made to measure. */
  take(bytes: number): Buffer {
    if (bytes > MAX_CHUNK_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const size = sizeIndex(bytes);
    return this.#free[size]!.pop() ?? Buffer.allocUnsafeSlow(MIN_CHUNK_BYTES << size);
  }

  giveBack(chunk: Buffer): void {
    if (chunk.length > MAX_CHUNK_BYTES) return;
    const free = this.#free[sizeIndex(chunk.length)]!;
    if ((free.length + 1) * chunk.length <= KEPT_BYTES_PER_SIZE) free.push(chunk);
  }
}

function sizeIndex(bytes: number): number {
  let index = 0;
  while (MIN_CHUNK_BYTES << index < bytes) index++;
  return index;
}
