/** Owns the check of a new or changed stream against what its account and server may hold (streams.md 1.7). */
import { INSUFFICIENT_MEMORY, INSUFFICIENT_STORAGE, MAX_STREAMS_REACHED } from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import type { StreamConfig, StreamConfigLimits } from '../../stream/index.ts';
import type { AccountLimits, ApiBackend } from './backend.ts';
import { assignedConfig } from './stream-info-json.ts';

export function configLimits(backend: ApiBackend, account: string): StreamConfigLimits {
  const limits = backend.accountLimits(account)!;
  return {
    clustered: backend.clustered,
    maxDuplicateWindowMs: backend.serverLimits.maxDuplicateWindowMs,
    maxConsumers: limits.maxConsumers,
    maxBytesRequired: limits.maxBytesRequired,
    maxFileStreamBytes: limits.storageMaxStreamBytes,
    maxMemoryStreamBytes: limits.memoryMaxStreamBytes,
    visible: (name) => {
      const stream = backend.catalogue.stream(account, name);
      return stream && assignedConfig(stream);
    },
  };
}

/** False: `checkAccountRoom` has nothing to refuse. */
export function isBounded(limits: AccountLimits): boolean {
  return limits.maxStreams >= 0 || limits.maxStorageBytes >= 0 || limits.maxMemoryBytes >= 0;
}

/** Whether the account may have `config` besides its other streams. */
export function checkAccountRoom(
  backend: ApiBackend,
  account: string,
  limits: AccountLimits,
  config: StreamConfig,
): ApiError | undefined {
  const others = backend.catalogue.streams(account).filter(({ name }) => name !== config.name);
  if (limits.maxStreams >= 0 && others.length >= limits.maxStreams) return MAX_STREAMS_REACHED;
  const maxBytes = config.storage === 'file' ? limits.maxStorageBytes : limits.maxMemoryBytes;
  if (maxBytes < 0) return undefined;
  const reserved = others.map(assignedConfig).filter(({ storage }) => storage === config.storage);
  const total = [...reserved, config].reduce((sum, stream) => sum + reservation(stream), 0);
  if (total <= maxBytes) return undefined;
  return config.storage === 'file' ? INSUFFICIENT_STORAGE : INSUFFICIENT_MEMORY;
}

/** Every replica counts. A stream without a bound reserves next to nothing. */
function reservation(config: StreamConfig): number {
  return Math.max(config.maxBytes, 1) * config.numReplicas;
}
