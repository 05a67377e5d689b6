/** Owns the JetStream objects that several documents share: configuration, usage, limits, and the meta group. */
import type { ServerOptions } from '../config/index.ts';
import { unlessEmpty, ZERO_TIME } from './format.ts';
import type { JetStreamFacts, MetaFacts, MonitoringSources } from './sources.ts';

/** Told to clients as the interval even when every write is synced. */
const REFERENCE_SYNC_INTERVAL_NS = 120e9;
const DEFAULT_MAX_CONSUMERS = 1000;

export function jetStreamConfig(facts: JetStreamFacts, options: ServerOptions) {
  const jetStream = options.jetStream;
  const sync = jetStream?.sync ?? 'always';
  return {
    max_memory: facts.maxMemoryBytes,
    max_storage: facts.maxFileBytes,
    store_dir: facts.storeDir,
    sync_interval: sync === 'always' ? REFERENCE_SYNC_INTERVAL_NS : Math.round(sync * 1e6),
    ...unlessEmpty('sync_always', sync === 'always'),
    ...unlessEmpty('domain', jetStream?.domain),
    ...unlessEmpty('unique_tag', jetStream?.uniqueTag),
    ...unlessEmpty('strict', jetStream?.strict),
  };
}

/** `haAssets` counts the meta group, as every replicated group is one. */
export function jetStreamUsage(facts: JetStreamFacts, accounts: number) {
  const replicated = facts.streams().filter((stream) => stream.replicated).length;
  return {
    memory: facts.usedMemoryBytes,
    storage: facts.usedFileBytes,
    reserved_memory: facts.reservedMemoryBytes,
    reserved_storage: facts.reservedFileBytes,
    accounts,
    ha_assets: replicated + (facts.meta === undefined ? 0 : 1),
    api: {
      level: facts.apiLevel,
      total: facts.apiTotal,
      errors: facts.apiErrors,
      ...unlessEmpty('inflight', facts.apiInflight),
    },
  };
}

export function jetStreamLimits(options: ServerOptions) {
  const limits = options.jetStream?.limits;
  return {
    ...unlessEmpty('max_request_batch', limits?.maxRequestBatch),
    ...unlessEmpty('max_ack_pending', limits?.maxAckPending),
    ...unlessEmpty('max_ha_assets', limits?.maxHaAssets),
    ...unlessEmpty('max_duplicate_window', Math.round((limits?.duplicateWindowMs ?? 0) * 1e6)),
    default_max_consumers: DEFAULT_MAX_CONSUMERS,
  };
}

export function metaCluster(meta: MetaFacts) {
  return {
    name: meta.clusterName,
    ...unlessEmpty('leader', meta.leader),
    ...unlessEmpty('peer', meta.leaderPeer),
    replicas: meta.replicas.map((replica) => ({
      name: replica.name,
      current: replica.current,
      ...unlessEmpty('offline', replica.offline),
      active: Math.round(replica.activeUs * 1000),
      ...unlessEmpty('lag', replica.lag),
      peer: replica.peer,
    })),
    cluster_size: meta.size,
    quorum_needed: Math.floor(meta.size / 2) + 1,
    pending: meta.pendingEntries,
    pending_requests: 0,
    pending_infos: 0,
    snapshot: { pending_entries: 0, pending_size: 0, last_time: ZERO_TIME },
  };
}

/** Accounts that may use JetStream. */
export function jetStreamAccounts(sources: MonitoringSources): readonly string[] {
  return sources
    .accounts()
    .filter((account) => account.jetStream)
    .map((account) => account.name)
    .sort();
}
