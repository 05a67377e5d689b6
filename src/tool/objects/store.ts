/** Owns finding an object store, and the parameters that its commands share. */
import type { ObjectStore } from '@nats-io/obj';
import type { Context } from '../context.ts';
import { ToolError } from '../failure.ts';
import { bucketArgument, flag } from '../parameters/index.ts';

export const BUCKET = bucketArgument('BUCKET', 'Name of the bucket');
export const FORCE = flag('Do it without asking', { short: 'f' });
export const PREFIX = 'OBJ_';

/** @throws {ToolError} when there is none. */
export async function openStore(context: Context, name: string): Promise<ObjectStore> {
  const { Objm } = await import('@nats-io/obj');
  const manager = new Objm(await context.jetstream());
  return manager.open(name).catch((error: unknown) => {
    if (!(error instanceof Error) || error.message !== 'object store not found') throw error;
    throw new ToolError(`no bucket is called ${name}`, { cause: error });
  });
}
