/** Owns writing small files so that they survive power loss: the content is synced, and so is the directory that names it. */
import { open } from 'node:fs/promises';

/** Resolves when the content is on disk. The name is only once the directory is synced as well. */
export async function writeDurably(path: string, content: Buffer | string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes created, renamed and removed names of this directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
