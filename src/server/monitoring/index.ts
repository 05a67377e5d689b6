/** Monitoring's door. */
export { MonitoringEndpoints, type Answer } from './endpoints.ts';
export { formatTime, formatUptime, toJson } from './format.ts';
export { MonitoringServer } from './http.ts';
export type {
  AccountFacts,
  AssetReadiness,
  ConnectionFacts,
  JetStreamFacts,
  Listeners,
  MetaFacts,
  MonitoringSources,
  RaftGroupFacts,
  RaftPeerFacts,
  Readiness,
  ReplicaFacts,
  RouteFacts,
  ServerIdentity,
  StreamFacts,
  SubscriptionFacts,
  SubscriptionTotals,
  TrafficTotals,
  WireObject,
} from './sources.ts';
