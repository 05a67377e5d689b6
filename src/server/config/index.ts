/** The configuration's door. */
export { emptyOverrides, type FlagOverrides } from './draft.ts';
export { formatDurationMs } from './durations.ts';
export { loadOptions, type LoadedOptions, type LoadInputs } from './load.ts';
export type {
  AccountJetStreamOptions,
  AccountOptions,
  ClusterCredentials,
  ClusterOptions,
  ImportOptions,
  JetStreamLimits,
  JetStreamOptions,
  LogOptions,
  MonitoringOptions,
  RouteAddress,
  SecurityOptions,
  ServerOptions,
  ServiceResponse,
  UserOptions,
} from './options.ts';
export { ConfigError } from './problems.ts';
export { parseAddress, parseRoute } from './readers.ts';
export { planReload, type OptionChange, type ReloadPlan } from './reload.ts';
export { storageBudget, type StorageBudget } from './storage-budget.ts';
