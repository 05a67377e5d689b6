/** Owns the addresses under which clients reach this server, as they are told to them and to other nodes. */
import { networkInterfaces } from 'node:os';

const ALL_INTERFACES = new Set(['0.0.0.0', '::']);

/** `host:port`, one for the host listened on, or one per outside interface if that is all of them. */
export function clientUrls(listen: {
  readonly host: string;
  readonly port: number;
  readonly advertise: string | undefined;
}): string[] {
  if (listen.advertise !== undefined) {
    return [/:\d+$/.test(listen.advertise) ? listen.advertise : `${listen.advertise}:${listen.port}`];
  }
  if (!ALL_INTERFACES.has(listen.host)) return [join(listen.host, listen.port)];
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0);
  const hosts = outside.length > 0 ? outside.map(({ address }) => address) : ['127.0.0.1'];
  return hosts.map((host) => join(host, listen.port));
}

function join(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
