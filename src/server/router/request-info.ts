/** Owns the header that tells a service who asks from another account (`Nats-Request-Info`). */
import { formatRfc3339 } from '../../base/rfc3339.ts';
import type { Publication, Publisher } from '../router-types.ts';
import { ImportedPublisher } from './imported-publisher.ts';

const NAME = 'Nats-Request-Info';
/** As they stand in a header block. */
const LINE_START = Buffer.from(`\r\n${NAME}:`);
const LINE_END = Buffer.from('\r\n');
const FIRST_LINE = Buffer.from('NATS/1.0\r\n');
const BLOCK_END = Buffer.from('\r\n');
const NS_PER_MS = 1e6;

/** What a service hears of the server, if it may hear more than the account. */
export interface ServerNames {
  readonly server: string;
  /** Empty: none. */
  readonly cluster: string;
}

/** The publication's headers, with what `publisher` is instead of what it says to be. */
export function withRequestInfo(
  publication: Publication,
  publisher: Publisher,
  share: ServerNames | undefined,
): Buffer {
  const own = withoutRequestInfo(publication.buffer.subarray(publication.headersStart, publication.headersEnd));
  const line = Buffer.from(`${NAME}: ${JSON.stringify(infoOf(publisher, share))}\r\n`);
  const before = own.length === 0 ? FIRST_LINE : own.subarray(0, own.length - BLOCK_END.length);
  return Buffer.concat([before, line, BLOCK_END]);
}

/** The header block without any such line. The same bytes if it has none. */
export function withoutRequestInfo(headers: Buffer): Buffer {
  let rest = headers;
  for (let at = rest.indexOf(LINE_START); at >= 0; at = rest.indexOf(LINE_START)) {
    const end = rest.indexOf(LINE_END, at + LINE_START.length);
    if (end < 0) return rest;
    rest = Buffer.concat([rest.subarray(0, at), rest.subarray(end)]);
  }
  return rest;
}

function infoOf(publisher: Publisher, share: ServerNames | undefined): object {
  let client = publisher;
  let service: string | undefined;
  // Through several accounts: the first one asks, on behalf of the last one.
  while (client instanceof ImportedPublisher) {
    service ??= client.account;
    client = client.origin;
  }
  const { roundTripMs } = client.description;
  const known = { acc: client.account, svc: service };
  const rtt = roundTripMs === undefined ? undefined : Math.round(roundTripMs * NS_PER_MS);
  if (share === undefined) return { ...known, rtt };
  const { startUs, host, user, name, lang, version } = client.description;
  return {
    start: startUs === undefined ? undefined : formatRfc3339(startUs),
    host: host || undefined,
    id: client.connectionId || undefined,
    ...known,
    user: user || undefined,
    name: name || undefined,
    lang: lang || undefined,
    ver: version || undefined,
    rtt,
    server: share.server || undefined,
    cluster: share.cluster || undefined,
    kind: 'Client',
    client_type: 'nats',
  };
}
