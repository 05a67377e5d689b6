/** Owns `/subsz`: what the subject router holds, and on request the subscriptions themselves. */
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
    max_fanout: totals.maxFanout,
    avg_fanout: totals.avgFanout,
    total: listed?.length ?? 0,
    offset: page.offset,
    limit: page.limit,
    ...(listed === undefined ? {} : { subscriptions_list: cut(listed, page).map(subscriptionDetail) }),
  };
}

function select(sources: MonitoringSources, account: string, test: string): SubscriptionFacts[] {
  const tokens = test === '' ? undefined : test.split('.');
  return [...sources.listSubscriptions()].filter(
    (subscription) =>
      (account === '' || subscription.account === account) &&
      (tokens === undefined || matches(subscription.subject.split('.'), tokens)),
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

function matches(pattern: readonly string[], subject: readonly string[]): boolean {
  for (const [index, token] of pattern.entries()) {
    if (token === '>') return subject.length > index;
    if (subject[index] === undefined || (token !== '*' && token !== subject[index])) return false;
  }
  return pattern.length === subject.length;
}
