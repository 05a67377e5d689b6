/** Owns the addresses of nodes: route URLs of the configuration, and `host:port` as nodes tell each other. */

export interface Address {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_ROUTE_PORT = 6222;
const SCHEME = /^[a-z][a-z-]*:\/\//i;

/** `nats://user:secret@host:port`, `nats-route://host:port` or plain `host:port`. Undefined: not an address. */
export function parseRoute(route: string): Address | undefined {
  const withoutScheme = route.trim().replace(SCHEME, '');
  const authority = withoutScheme.slice(withoutScheme.lastIndexOf('@') + 1).replace(/\/.*$/, '');
  return parseAddress(
    authority.includes(']') || authority.includes(':') ? authority : `${authority}:${DEFAULT_ROUTE_PORT}`,
  );
}

/** `host:port` or `[ipv6]:port`. The host may be empty. */
export function parseAddress(text: string): Address | undefined {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 0 || !/^\d{1,5}$/.test(text.slice(colon + 1)) || port > 65_535) return undefined;
  const host = text.slice(0, colon);
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return /[\s/@[\]]/.test(bare) ? undefined : { host: bare, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A node that listens everywhere doesn't know its own address: it is where it was seen coming from. */
export function completeAddress(address: string, remoteHost: string): string {
  const parsed = parseAddress(address);
  if (parsed?.host !== '') return address;
  const remote = remoteHost.replace(/^\[|\]$/g, '').replace(/^::ffff:/, '');
  return formatAddress({ host: remote, port: parsed.port });
}

/** The host to tell others; empty for one that only means "all interfaces". */
export function tellableHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '' : host;
}
