/** The door of router/: who gets a message. */
export { AccountSubjects, type Announce, type MatchStatistics } from './account-subjects.ts';
export type { Interest } from './interest.ts';
export type { MatchResult } from './match-result.ts';
export type { PeerStatistics, RoutedTraffic, RoutePeer } from './route-peer.ts';
export { SubjectRouter } from './router.ts';
export { type Subscriber, Subscription } from './subscription.ts';
export { type Flushable, TurnEnd } from './turn-end.ts';
