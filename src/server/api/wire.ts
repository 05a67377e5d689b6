/** Owns what durations, names and binary data look like in the API's JSON. Units change here and nowhere else. */
import { shortHash } from '../../base/short-hash.ts';

const NS_PER_MS = 1_000_000;

/** Nanoseconds of the wire to milliseconds inside; fractions are kept, so that the way back is exact. */
export function nanosToMs(nanos: number): number {
  return nanos / NS_PER_MS;
}

export function msToNanos(milliseconds: number): number {
  return Math.round(milliseconds * NS_PER_MS);
}

/** Undefined (left out of the JSON) when empty. */
export function base64(data: Buffer): string | undefined {
  return data.length === 0 ? undefined : data.toString('base64');
}

/** The short name of a server in `cluster.replicas[].peer`: eight characters from the hash of its name. */
export function peerId(serverName: string): string {
  return shortHash(serverName);
}
