/** Owns how much memory and disk JetStream may use where the configuration names no limit. */
import { existsSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { JetStreamOptions } from './options.ts';

/** Leaves room for the system, and for this process beside its messages. */
const SHARE = 0.75;

export interface StorageBudget {
  readonly maxMemoryBytes: number;
  readonly maxFileBytes: number;
}

/** Looks at the machine once, at start: limits that move by themselves could not be reasoned about. */
export function storageBudget(options: JetStreamOptions): StorageBudget {
  return {
    maxMemoryBytes: options.maxMemoryBytes ?? Math.floor(totalmem() * SHARE),
    maxFileBytes: options.maxFileBytes ?? Math.floor(freeBytes(options.storeDir) * SHARE),
  };
}

function freeBytes(directory: string): number {
  // The directory itself may be created only later.
  let existing = resolve(directory);
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}
