/** Owns a small file system of its own for tests of a full disk. Making one needs root. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SLICE = Buffer.alloc(64 * 1024);

export class SmallDisk {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Undefined where this process may not mount. */
  static mount(bytes: number): SmallDisk | undefined {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory], { stdio: 'ignore' });
      return new SmallDisk(directory);
    } catch {
      rmdirSync(directory);
      return undefined;
    }
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.directory);
    return bavail * bsize;
  }

  /** Takes space away until only so much is left; 0: until nothing can be written at all. */
  fill(leave: number): void {
    const file = openSync(this.#ballast, 'a');
    try {
      while (leave === 0 || this.freeBytes > leave) writeSync(file, SLICE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  unmount(): void {
    execFileSync('umount', [this.directory]);
    rmdirSync(this.directory);
  }

  get #ballast(): string {
    return join(this.directory, 'ballast');
  }
}
