/** Owns what monitoring may know of a connection: a snapshot, the same for open and closed ones. */
import type { TimestampUs } from '../base/brand.ts';
import type { CloseReason } from './protocol/index.ts';

export interface SubscriptionReport {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly sid: string;
  readonly delivered: number;
  readonly max: number;
}

/** Messages and bytes of headers and payloads; `in` is what came from the client. */
export interface TrafficCounters {
  inMessages: number;
  inBytes: number;
  outMessages: number;
  outBytes: number;
}

export interface ConnectionReport extends Readonly<TrafficCounters> {
  readonly connectionId: number;
  readonly ip: string;
  readonly port: number;
  readonly startUs: TimestampUs;
  readonly lastActivityUs: TimestampUs;
  readonly stopUs: TimestampUs | undefined;
  readonly reason: CloseReason | undefined;
  readonly roundTripMs: number | undefined;
  readonly pendingBytes: number;
  readonly stalls: number;
  readonly subscriptionCount: number;
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  readonly account: string;
  readonly user: string;
}
