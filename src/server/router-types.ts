/** Owns the contract between the subject router and those who attach to it: connections, services, streams. */
import type { NodeId, TimestampUs } from '../base/brand.ts';

/**
 * One published message, as offsets into the buffer it was parsed from (a socket's, a peer's frame, our own). Valid
 * during the call only. Reused from publish to publish.
 */
export interface Publication {
  buffer: Buffer;
  subjectStart: number;
  subjectEnd: number;
  /** Empty range: no reply. */
  replyStart: number;
  replyEnd: number;
  /** Header block; empty range if none. */
  headersStart: number;
  headersEnd: number;
  payloadStart: number;
  payloadEnd: number;
}

/** Who published: needed for echo, no-responders, and to hold back a publisher that is too fast. */
export interface Publisher {
  /** Unique among this node's connections; 0 for internal publishers. */
  readonly connectionId: number;
  readonly account: string;
  /** Stops reading from the publisher until `resume` was called as often as `pause`. */
  pause(): void;
  resume(): void;
  /** Does the same for a few milliseconds, without a `resume`: a receiver of its messages is about to be overrun. */
  stall?(): void;
  /** JSON-ready facts for API audit and monitoring. */
  readonly description: {
    readonly name: string;
    readonly user: string;
    readonly host: string;
    readonly lang: string;
    readonly version: string;
    /** The account that it asks from, where that is another one. */
    readonly importer?: string;
    /** Undefined: it is no connection. */
    readonly startUs?: TimestampUs;
    /** Undefined: not known yet. */
    readonly roundTripMs?: number | undefined;
  };
}

/** A service inside the server that answers on a subject (`$JS.API.>`, `$JS.ACK.>`, ...). It counts as a responder. */
export interface ServiceHandler {
  /** False: nobody there after all, the publisher gets the no-responders status. Copy what must outlive the call. */
  handle(publication: Publication, publisher: Publisher): boolean;
}

/** A stream that captures subjects. It counts as a responder, and does not hinder delivery to subscribers. */
export interface CaptureHandler {
  /** False: no leader in time, or the queue is full: the publisher gets the no-responders status. */
  capture(publication: Publication, publisher: Publisher): boolean;
}

/** A message that came to a subscription of the server's own. The parts are copies. */
export interface ReceivedMessage {
  /** Byte strings. Empty reply: none. */
  readonly subject: string;
  readonly reply: string;
  readonly headers: Buffer;
  readonly payload: Buffer;
}

/** A literal subject's interest, kept up to date (see consumer/'s DeliveryTarget, which is built on it). */
export interface RouteHandle {
  readonly subject: string;
  /** Plain subscribers anywhere in the cluster, wildcard ones included. */
  readonly interested: boolean;
  /** Anybody at all takes messages to it: subscribers, queue groups, streams, services. */
  readonly taken: boolean;
  /** Subscriptions with exactly this subject: plain, and by queue group. */
  exactPlain(): number;
  exactQueue(queue: string): number;
  /** Bytes queued at the slowest local connection, or at the slowest link, behind this subject. */
  pendingBytes(): number;
  close(): void;
}

/** A message where it lies: its subject and reply may be in other buffers than its headers and payload. */
export interface MessageInPlace extends Publication {
  subjectBuffer: Buffer;
  replyBuffer: Buffer;
}

/** Receives in place, for the duration of the call, in which it must not publish. */
export interface InPlaceReceiver {
  /** Received and not yet dealt with: slows down who sends, as the output pending at a connection does. */
  readonly pendingBytes: number;
  receive(message: MessageInPlace): void;
}

/** The subject router of a node: local subscriptions, services and captures, and what other nodes are interested in. */
export interface Router {
  addService(account: string, subject: string, handler: ServiceHandler): () => void;
  /** `subjects` may have wildcards. The same handler object may be added once per stream. */
  addCapture(account: string, subjects: readonly string[], handler: CaptureHandler): () => void;

  /** As a client's subscription: known in the whole cluster. `handler` is called when the publisher's turn is over. */
  subscribe(account: string, subject: string, handler: (message: ReceivedMessage) => void): () => void;
  /** The same for many messages: `receiver` copies what it keeps. */
  subscribeInPlace(account: string, subject: string, receiver: InPlaceReceiver): () => void;

  openRoute(account: string, subject: string, onChange: () => void): RouteHandle;
  /**
   * Delivers a stored message: `subject` on the wire is that of the message, routing goes by the route's subject. The
   * parts are slices of one buffer; `reply` holds `replyBytes` ASCII bytes. Copies everything. False: nobody took it.
   */
  deliver(
    route: RouteHandle,
    message: {
      readonly buffer: Buffer;
      readonly subjectStart: number;
      readonly headersStart: number;
      readonly payloadStart: number;
      readonly end: number;
    },
    reply: Buffer,
    replyBytes: number,
  ): boolean;

  /** Publishes from inside the server. Returns false if nobody was there. Copies everything. */
  publish(
    account: string,
    message: { readonly subject: string; readonly reply?: string; readonly headers?: Buffer; readonly payload: Buffer },
  ): boolean;
  /** Publishes what `publisher` sent, under another subject. All parts are in its buffer. False: nobody was there. */
  forward(publication: Publication, publisher: Publisher): boolean;
  /**
   * For who publishes many replies at once, e.g. the PubAcks of a batch: the subject is in
   * `buffer[subjectStart, subjectEnd)`, the payload in `payload[0, payloadBytes)`. Allocates nothing.
   */
  publishReply(
    account: string,
    buffer: Buffer,
    subjectStart: number,
    subjectEnd: number,
    payload: Buffer,
    payloadBytes: number,
  ): boolean;
  /** The same for the run of replies in `run[0, runBytes)` (base/reply-run.ts), all to this subject. */
  publishReplies(
    account: string,
    buffer: Buffer,
    subjectStart: number,
    subjectEnd: number,
    run: Buffer,
    runBytes: number,
  ): void;
  /** The status that a publisher without responders gets, to `reply`, naming `subject`. */
  noResponders(publisher: Publisher, subject: string, reply: string): void;

  /** Writes what was gathered to sockets and links. Called by whoever ends a turn outside of a socket's read. */
  flushSoon(): void;

  /** What a peer said (ClusterNode.onInterest, onInterestLost, onTraffic routedMessages). */
  remoteInterest(
    node: NodeId,
    interest: {
      readonly account: string;
      readonly subject: string;
      readonly queue: string | undefined;
      readonly members: number;
    },
  ): void;
  remoteInterestLost(node: NodeId): void;
  remoteMessages(node: NodeId, frame: Buffer): void;
}
