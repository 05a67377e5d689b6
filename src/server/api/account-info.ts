/** Owns `$JS.API.INFO` (streams.md 1.7). */
import { API_LEVEL } from '../../base/api-level.ts';
import { success } from './call.ts';
import type { Endpoint } from './call.ts';
import type { AccountLimits } from './backend.ts';
import { assignedConfig } from './stream-info-json.ts';

export const ACCOUNT_INFO: Endpoint = {
  subject: 'INFO',
  responseType: 'account_info_response',
  place: 'metaLeader',

  async handle(call) {
    const { backend, account, totals } = call;
    const usage = await backend.accountUsage(account);
    const configs = backend.catalogue.streams(account).map(assignedConfig);
    const reserved = (storage: string): number =>
      configs.reduce((sum, config) => (config.storage === storage ? sum + Math.max(config.maxBytes, 0) : sum), 0);
    return success({
      memory: usage.memoryBytes,
      storage: usage.storageBytes,
      reserved_memory: reserved('memory'),
      reserved_storage: reserved('file'),
      streams: configs.length,
      consumers: usage.consumers,
      limits: limitsJson(backend.accountLimits(account)!),
      domain: backend.domain || undefined,
      // This call itself is not counted as being in flight.
      api: { level: API_LEVEL, total: totals.total, errors: totals.errors, inflight: totals.inflight - 1 || undefined },
    });
  },
};

function limitsJson(limits: AccountLimits): object {
  return {
    max_memory: limits.maxMemoryBytes,
    max_storage: limits.maxStorageBytes,
    max_streams: limits.maxStreams,
    max_consumers: limits.maxConsumers,
    max_ack_pending: limits.maxAckPending,
    memory_max_stream_bytes: limits.memoryMaxStreamBytes,
    storage_max_stream_bytes: limits.storageMaxStreamBytes,
    max_bytes_required: limits.maxBytesRequired,
  };
}
