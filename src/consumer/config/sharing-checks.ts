/** Owns what a new consumer must respect of those that are there: limits on their number, and work queues (consumers.md 1.4). */
import {
  MAX_CONSUMERS_REACHED,
  WORKQUEUE_FILTER_NOT_UNIQUE,
  WORKQUEUE_MUST_DELIVER_ALL,
  WORKQUEUE_REQUIRES_EXPLICIT_ACK,
  WORKQUEUE_UNFILTERED_NOT_UNIQUE,
  consumerNameTooLong,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import { MAX_NAME_BYTES } from '../../base/asset.ts';
import { subjectsCollide } from '../../base/subjects.ts';
import type { ConsumerConfig } from '../types.ts';
import type { ConsumerSurroundings } from './request.ts';

/** Made by mirrors and sources: not for the users of the stream to count, nor to share messages with. */
export function isSourcing(config: { readonly direct: boolean; readonly sourcing: boolean }): boolean {
  return config.direct || config.sourcing;
}

/** What a consumer is refused for beside its own configuration; for an existing one, what may be changed comes first. */
export function checkSharing(config: ConsumerConfig, surroundings: ConsumerSurroundings): ApiError | undefined {
  return (
    checkNameLength(config.durableName) ??
    checkWorkqueue(config, surroundings) ??
    checkRoom(config, surroundings) ??
    checkNameLength(config.name)
  );
}

function checkNameLength(name: string): ApiError | undefined {
  return Buffer.byteLength(name) > MAX_NAME_BYTES ? consumerNameTooLong(MAX_NAME_BYTES) : undefined;
}

/** A message of a workqueue goes to one consumer: their filters must not have a subject in common. */
function checkWorkqueue(config: ConsumerConfig, { stream, others }: ConsumerSurroundings): ApiError | undefined {
  if (stream.retention !== 'workqueue' || isSourcing(config)) return undefined;
  if (config.ackPolicy !== 'explicit' && config.ackPolicy !== 'flow_control') return WORKQUEUE_REQUIRES_EXPLICIT_ACK;
  if (config.deliverPolicy !== 'all') return WORKQUEUE_MUST_DELIVER_ALL;
  const rivals = others().filter((other) => !isSourcing(other));
  if (rivals.length === 0) return undefined;
  const filters = config.filterSubjects;
  if (filters.length === 0) return WORKQUEUE_UNFILTERED_NOT_UNIQUE;
  const collides = rivals.some(
    ({ filterSubjects }) =>
      filterSubjects.length === 0 ||
      filterSubjects.some((theirs) => filters.some((ours) => subjectsCollide(ours, theirs))),
  );
  return collides ? WORKQUEUE_FILTER_NOT_UNIQUE : undefined;
}

function checkRoom(
  config: ConsumerConfig,
  { stream, others, existing, accountMaxConsumers }: ConsumerSurroundings,
): ApiError | undefined {
  if (existing !== undefined || isSourcing(config)) return undefined;
  const limits = [stream.maxConsumers, accountMaxConsumers].filter((limit) => limit > 0);
  if (limits.length === 0) return undefined;
  const counted = others().filter((other) => !isSourcing(other)).length;
  return limits.some((limit) => counted >= limit) ? MAX_CONSUMERS_REACHED : undefined;
}
