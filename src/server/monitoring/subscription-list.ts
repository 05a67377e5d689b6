/** Owns how subscriptions are listed within connections and in `/subsz`. */
import { unlessEmpty } from './format.ts';
import type { SubscriptionFacts } from './sources.ts';

/** One subscription of a connection, `subs=detail`. */
export function subscriptionDetail(subscription: SubscriptionFacts) {
  return {
    account: subscription.account,
    account_tag: subscription.account,
    subject: subscription.subject,
    ...unlessEmpty('qgroup', subscription.queue),
    sid: subscription.sid,
    msgs: subscription.msgs,
    ...unlessEmpty('max', subscription.max),
    cid: subscription.cid,
  };
}
