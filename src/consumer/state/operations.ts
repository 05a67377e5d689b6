/** Owns the operations on consumers as they travel in the log: plain JSON, versioned. */
import type { TimestampUs } from '../../base/brand.ts';
import { invariant } from '../../base/errors.ts';
import type { ArchivedConsumerState } from './archived-state.ts';
import type { ConsumerConfig } from '../types.ts';

export type ConsumerAction = 'create' | 'update' | '';

export type ConsumerOperation =
  | { readonly op: 'create'; readonly config: ConsumerConfig; readonly action: ConsumerAction }
  /** A new consumer that goes on where an archived one was. */
  | {
      readonly op: 'restore';
      readonly config: ConsumerConfig;
      readonly state: ArchivedConsumerState;
      /** Replicated milliseconds: the ack waits of what is pending begin anew. */
      readonly nowMs: number;
    }
  | { readonly op: 'pause'; readonly name: string; readonly untilUs: TimestampUs | undefined }
  /** `seq`: where delivery begins anew; 0: behind the ack floor. */
  | { readonly op: 'reset'; readonly name: string; readonly seq: number }
  /** `id`: only if it is still this very consumer. */
  | { readonly op: 'delete'; readonly name: string; readonly id?: number };

const VERSION = 1;

export function encodeOperation(operation: ConsumerOperation): Buffer {
  return Buffer.from(JSON.stringify({ version: VERSION, operation }));
}

export function decodeOperation(body: Buffer): ConsumerOperation {
  const { version, operation } = JSON.parse(body.toString('utf8')) as {
    readonly version: number;
    readonly operation: ConsumerOperation;
  };
  invariant(version === VERSION, `unknown version ${version} of a consumer operation`);
  return operation;
}
