/** The door of router/: who gets a message. */
export type { AccountImport } from './account-crossings.ts';
export { AccountSubjects, type Announce, type MatchStatistics } from './account-subjects.ts';
export type { Interest } from './interest.ts';
export type { MatchResult } from './match-result.ts';
export type { PeerStatistics, RoutedTraffic, RoutePeer } from './route-peer.ts';
export { SubjectRouter } from './router.ts';
export type { ServerNames } from './request-info.ts';
export { type Subscriber, Subscription } from './subscription.ts';
export { type Flushable, TurnEnd } from './turn-end.ts';
