/**
 * Owns how the subjects begin that clients answer on: acks, and requests for flow control. There are two layouts: the
 * longer one names domain and account as well, so that answers find their way between accounts.
 */
import { shortHash } from '../../base/short-hash.ts';

/** In the place of a domain. */
const NO_DOMAIN = '_';

/** Of all consumers of a stream; the consumer's name follows. */
export interface ReplySubjects {
  /** `$JS.ACK.<stream>.`, or `$JS.ACK.<domain>.<account hash>.<stream>.` */
  readonly ack: string;
  /** The same with `$JS.FC.` */
  readonly flowControl: string;
}

export function replySubjects(
  layout: 'short' | 'long',
  place: { readonly domain: string | undefined; readonly account: string; readonly stream: string },
): ReplySubjects {
  const { domain, account, stream } = place;
  const owner = layout === 'short' ? '' : `${domain || NO_DOMAIN}.${shortHash(account)}.`;
  return { ack: `$JS.ACK.${owner}${stream}.`, flowControl: `$JS.FC.${owner}${stream}.` };
}
