/** Owns what one write to the disk holds: the changes of all groups of a turn, and the checksum the journal keeps of it. */
import { crc32c } from '../../base/checksum.ts';
import type { DiskBatch } from './key-value-disk.ts';
import { checksumOfValue } from './sealed-value.ts';

export class WriteBatch implements DiskBatch {
  readonly disk: DiskBatch;
  #bytes = 0;
  #checksum = 0;
  #operations = 0;

  constructor(disk: DiskBatch) {
    this.disk = disk;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#operations === 0;
  }

  /** Over all keys and the checksums that their values begin with: as good as over all bytes, and much cheaper. */
  get checksum(): number {
    return this.#checksum;
  }

  put(key: Buffer, value: Buffer): void {
    this.#operations++;
    this.#bytes += key.length + value.length;
    this.#checksum = (crc32c(key, this.#checksum) ^ checksumOfValue(value)) >>> 0;
    this.disk.put(key, value);
  }

  delete(key: Buffer): void {
    this.#operations++;
    this.#bytes += key.length;
    this.#checksum = crc32c(key, this.#checksum);
    this.disk.delete(key);
  }
}
