/** Owns `/subsz`: what the subject router holds, and on request the subscriptions themselves. */
import { subjectMatches } from '../protocol/index.ts';
import { formatTime } from './format.ts';
import { BadParameter, cut, type Query } from './query.ts';
import type { MonitoringSources, SubscriptionFacts } from './sources.ts';
import { subscriptionDetail } from './subscription-list.ts';

/** @throws {BadParameter} */
export function subsz(sources: MonitoringSources, query: Query) {
  const page = query.page();
  const totals = sources.subscriptions();
  const test = readTestSubject(query);
  const listed = query.boolean('subs') || test !== '' ? select(sources, query.text('acc'), test) : undefined;
  return {
    server_id: sources.identity.serverId,
    now: formatTime(sources.nowUs()),
    num_subscriptions: totals.count,
    num_cache: totals.cacheEntries,
    num_inserts: totals.inserts,
    num_removes: totals.removes,
    num_matches: totals.matches,
    cache_hit_rate: totals.matches === 0 ? 0 : totals.cacheHits / totals.matches,
    max_fanout: totals.maxFanOut,
    avg_fanout: totals.cacheEntries === 0 ? 0 : totals.fanOut / totals.cacheEntries,
    total: listed?.length ?? 0,
    offset: page.offset,
    limit: page.limit,
    ...(listed === undefined ? {} : { subscriptions_list: cut(listed, page).map(subscriptionDetail) }),
  };
}

function select(sources: MonitoringSources, account: string, test: string): SubscriptionFacts[] {
  return [...sources.listSubscriptions()].filter(
    (subscription) =>
      (account === '' || subscription.account === account) &&
      (test === '' || subjectMatches(subscription.subject, test)),
  );
}

function readTestSubject(query: Query): string {
  const subject = query.text('test');
  const literal = subject.split('.').every((token) => token !== '' && token !== '*' && token !== '>');
  if (subject !== '' && !literal) {
    throw new BadParameter(`invalid test subject, must be valid publish subject: ${subject}`);
  }
  return subject;
}
