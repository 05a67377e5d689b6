/**
 * Owns the names that a domain gives to this server's JetStream: what is sent to `$JS.<domain>.API.>` goes on under the
 * name that it has here. That includes writes to key-value buckets, which clients that name a domain put behind its prefix.
 */
import type { Publication, Publisher, Router, ServiceHandler } from '../router-types.ts';

const API_PREFIX = '$JS.API.';
/** First tokens behind the prefix: of the API's calls, and of subjects that are none of its own. */
const API_TOKENS: ReadonlySet<string> = new Set(['INFO', 'STREAM', 'CONSUMER', 'DIRECT', 'META', 'SERVER', 'ACCOUNT']);
const OTHER_TOKENS: ReadonlySet<string> = new Set(['$KV', '$OBJ']);

export class DomainGateway implements ServiceHandler {
  readonly #router: Router;
  readonly #prefixBytes: number;

  constructor(router: Router, domain: string) {
    this.#router = router;
    this.#prefixBytes = domainPrefix(domain).length;
  }

  handle(publication: Publication, publisher: Publisher): boolean {
    const { buffer, subjectStart, subjectEnd } = publication;
    const rest = buffer.toString('latin1', subjectStart + this.#prefixBytes, subjectEnd);
    const [first = ''] = rest.split('.', 1);
    if (API_TOKENS.has(first)) return this.#forward(API_PREFIX + rest, publication, publisher);
    return OTHER_TOKENS.has(first) && this.#forward(rest, publication, publisher);
  }

  #forward(subject: string, publication: Publication, publisher: Publisher): boolean {
    return this.#router.forward(underOtherSubject(publication, Buffer.from(subject, 'latin1')), publisher);
  }
}

export function domainPrefix(domain: string): string {
  return `$JS.${domain}.API.`;
}

function underOtherSubject(publication: Publication, subject: Buffer): Publication {
  const { buffer, replyStart, replyEnd, headersStart, headersEnd, payloadStart, payloadEnd } = publication;
  const replyFrom = subject.length;
  const headersFrom = replyFrom + replyEnd - replyStart;
  const payloadFrom = headersFrom + headersEnd - headersStart;
  const reply = buffer.subarray(replyStart, replyEnd);
  const headers = buffer.subarray(headersStart, headersEnd);
  const payload = buffer.subarray(payloadStart, payloadEnd);
  return {
    buffer: Buffer.concat([subject, reply, headers, payload]),
    subjectStart: 0,
    subjectEnd: replyFrom,
    replyStart: replyFrom,
    replyEnd: headersFrom,
    headersStart: headersFrom,
    headersEnd: payloadFrom,
    payloadStart: payloadFrom,
    payloadEnd: payloadFrom + payload.length,
  };
}
