/** Owns where log lines go: stderr, or a file that can be reopened after it was moved, and sets itself aside by size. */
import { closeSync, fstatSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface LogSink {
  /** Synchronous: what was logged before a crash must be there after it. */
  write(line: string): void;
  /** True if there was something to reopen. */
  reopen(): boolean;
  close(): void;
  /** Lines may carry colours. */
  readonly colored: boolean;
}

export function stderrSink(): LogSink {
  // Whoever read our stderr may have gone; that is no reason to stop serving.
  process.stderr.on('error', () => undefined);
  return {
    write: (line) => {
      process.stderr.write(line);
    },
    reopen: () => false,
    close: () => undefined,
    colored: process.stderr.isTTY,
  };
}

export class LogFile implements LogSink {
  readonly colored = false;
  readonly #path: string;
  readonly #sizeLimitBytes: number;
  readonly #maxFiles: number;
  #descriptor: number;
  #sizeBytes: number;

  /** Limits of 0 are none. @throws what the file system says */
  constructor(path: string, limits: { readonly sizeLimitBytes: number; readonly maxFiles: number }) {
    this.#path = path;
    this.#sizeLimitBytes = limits.sizeLimitBytes;
    this.#maxFiles = limits.maxFiles;
    this.#descriptor = openSync(path, 'a');
    this.#sizeBytes = fstatSync(this.#descriptor).size;
  }

  write(line: string): void {
    try {
      this.#sizeBytes += writeSync(this.#descriptor, line);
      if (this.#sizeLimitBytes > 0 && this.#sizeBytes > this.#sizeLimitBytes) this.#setAside();
    } catch (error) {
      // A full disk must not take the server down by way of its log.
      process.stderr.write(`log file ${this.#path}: ${(error as Error).message}\n${line}`);
    }
  }

  reopen(): boolean {
    const reopened = openSync(this.#path, 'a');
    closeSync(this.#descriptor);
    this.#descriptor = reopened;
    this.#sizeBytes = fstatSync(reopened).size;
    return true;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #setAside(): void {
    renameSync(this.#path, `${this.#path}.${stamp(new Date())}`);
    this.reopen();
    if (this.#maxFiles > 0) this.#removeOldest();
  }

  /** The current file counts. Names sort by time. */
  #removeOldest(): void {
    const directory = dirname(this.#path);
    const prefix = `${basename(this.#path)}.`;
    const old = readdirSync(directory)
      .filter((name) => name.startsWith(prefix) && STAMP.test(name.slice(prefix.length)))
      .sort();
    for (const name of old.slice(0, Math.max(0, old.length - this.#maxFiles + 1))) {
      rmSync(join(directory, name), { force: true });
    }
  }
}

const STAMP = /^\d{4}(\.\d\d){5}\.\d{9}$/;
let lastStampNs = 0;

/** `YYYY.MM.DD.hh.mm.ss.nnnnnnnnn`, never the same twice: a small limit may be reached twice in a millisecond. */
function stamp(now: Date): string {
  const iso = now.toISOString();
  const clockNs = now.getMilliseconds() * 1_000_000;
  lastStampNs = clockNs > lastStampNs ? clockNs : (lastStampNs + 1) % 1_000_000_000;
  return `${iso.slice(0, 19).replace(/[-T:]/g, '.')}.${String(lastStampNs).padStart(9, '0')}`;
}
