/**
 * Owns what sourcing shares with its surroundings: the network through which it reaches other streams, and what it says
 * of how that goes.
 */
import type { ApiError } from '../base/api-errors.ts';
import type { StreamSource } from '../stream/index.ts';

/** A message on its way, in place: its parts lie in up to three buffers, and are valid during the call only. */
export interface Delivery {
  readonly subjectBuffer: Buffer;
  readonly subjectStart: number;
  readonly subjectEnd: number;
  readonly replyBuffer: Buffer;
  readonly replyStart: number;
  readonly replyEnd: number;
  readonly buffer: Buffer;
  readonly headersStart: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** Takes the messages to one subject. */
export interface DeliveryReceiver {
  /** What it has taken and not yet got rid of: above some bound its sender slows down. */
  readonly pendingBytes: number;
  /** Copies what it keeps. Must not publish, subscribe or ask within the call. */
  receive(delivery: Delivery): void;
}

export interface UpstreamRequest {
  readonly subject: string;
  /** Empty: none. */
  readonly headers: Buffer;
  readonly body: Buffer;
  readonly timeoutMs: number;
}

/** The account's subjects, as a client of this server sees them. */
export interface UpstreamPort {
  /** `answered` is called once, unless cancelled by the function returned; with undefined when time is up. */
  request(
    request: UpstreamRequest,
    answered: (answer: { readonly headers: Buffer; readonly payload: Buffer } | undefined) => void,
  ): () => void;
  subscribe(subject: string, receiver: DeliveryReceiver): () => void;
  publish(subject: string, headers: Buffer): void;
  /** `changed` is called when the stream came to be, or another node leads it: worth another try at once. */
  watchStream(name: string, changed: () => void): () => void;
}

/** How it goes with one origin, as `STREAM.INFO` shows it (streams.md 4.3). */
export interface OriginInfo {
  readonly source: StreamSource;
  readonly lag: number;
  /** Since anything came from there; undefined: never. */
  readonly activeMs: number | undefined;
  /** Of sources: the upstream sequence taken last; 0: none. */
  readonly seq: number;
  readonly error: ApiError | undefined;
}

/** How far a mirror is; `unknown`: on nodes that do not lead it, and without a connection to its origin. */
export type MirrorProgress = 'behind' | 'caughtUp' | 'unknown';
