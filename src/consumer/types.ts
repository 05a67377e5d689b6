/** Owns what the consumer's users share with it: configuration, state, and where its output goes. */
import type { ConsumerSeq, Seq, TimestampUs } from '../base/brand.ts';
import type { ApiError } from '../base/api-errors.ts';
import type { StoredMessage, StreamExtension } from '../stream/index.ts';
import type { ArchivedConsumerState } from './state/archived-state.ts';

/** A consumer's configuration after defaults were filled in. 0 for a duration means off. */
export interface ConsumerConfig {
  readonly name: string;
  /** The server made the name up, and does not echo it as part of the configuration. */
  readonly generatedName?: boolean | undefined;
  readonly durableName: string;
  readonly description: string;
  readonly deliverPolicy: 'all' | 'last' | 'new' | 'by_start_sequence' | 'by_start_time' | 'last_per_subject';
  readonly optStartSeq: number;
  readonly optStartTimeUs: TimestampUs | undefined;
  /** `flow_control`: acked by answers to flow-control requests, and never delivered again by time. */
  readonly ackPolicy: 'none' | 'all' | 'explicit' | 'flow_control';
  readonly ackWaitMs: number;
  readonly maxDeliver: number;
  readonly backoffMs: readonly number[];
  readonly filterSubjects: readonly string[];
  /** True when the client used `filter_subject`, so that it is echoed that way. */
  readonly singleFilter: boolean;
  readonly replayPolicy: 'instant' | 'original';
  readonly rateLimitBps: number;
  readonly sampleFreq: string;
  readonly maxWaiting: number;
  readonly maxAckPending: number;
  readonly flowControl: boolean;
  readonly headersOnly: boolean;
  readonly maxRequestBatch: number;
  readonly maxRequestExpiresMs: number;
  readonly maxRequestMaxBytes: number;
  /** Empty for a pull consumer. */
  readonly deliverSubject: string;
  readonly deliverGroup: string;
  readonly idleHeartbeatMs: number;
  readonly inactiveThresholdMs: number;
  readonly numReplicas: number;
  readonly memStorage: boolean;
  /** Lives on the stream's leader only, unlisted, and dies with its leadership. */
  readonly direct: boolean;
  /** Of another stream that takes this one's messages. */
  readonly sourcing: boolean;
  readonly priorityPolicy: 'none' | 'overflow' | 'pinned_client' | 'prioritized';
  readonly priorityGroups: readonly string[];
  /** How long a pin lasts without a request of its client. */
  readonly priorityTimeoutMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Nothing is delivered before this time. */
  readonly pauseUntilUs?: TimestampUs | undefined;
}

export interface SequencePair {
  readonly consumerSeq: ConsumerSeq;
  readonly streamSeq: Seq;
}

/** Of one priority group. */
export interface PriorityGroupState {
  readonly group: string;
  /** Empty: nobody is pinned. */
  readonly pinId: string;
  readonly pinnedUs: TimestampUs | undefined;
}

/** What `CONSUMER.INFO` shows (consumers.md section 3). */
export interface ConsumerInfo {
  readonly name: string;
  readonly createdUs: TimestampUs;
  readonly config: ConsumerConfig;
  readonly delivered: SequencePair & { readonly lastActiveUs: TimestampUs | undefined };
  readonly ackFloor: SequencePair & { readonly lastActiveUs: TimestampUs | undefined };
  readonly numAckPending: number;
  readonly numRedelivered: number;
  readonly numWaiting: number;
  readonly numPending: number;
  readonly pushBound: boolean;
  readonly priorityGroup: PriorityGroupState | undefined;
}

/**
 * Interest in one literal subject, looked up once and kept. `interested` stays current: the outlet updates it when
 * subscriptions come and go anywhere in the cluster, and then calls `onChange`.
 */
export interface DeliveryTarget {
  readonly subject: string;
  readonly interested: boolean;
  close(): void;
}

/** Where a consumer's output goes: the subject router of this node. Nothing is sent before the turn ends. */
export interface Outlet {
  /** `queue`: count only subscribers of that queue group. Exact: a wildcard subscriber counts iff `wildcards`. */
  openTarget(
    subject: string,
    options: { readonly queue: string | undefined; readonly wildcards: boolean; readonly onChange: () => void },
  ): DeliveryTarget;
  /**
   * Sends `message` to the target's subscribers: its own subject on the wire, `reply` (ASCII, copied) as reply.
   * False: nobody took it.
   */
  deliver(target: DeliveryTarget, message: StoredMessage, reply: Buffer, replyBytes: number): boolean;
  /** The same with other headers or without the payload. */
  deliverParts(
    target: DeliveryTarget,
    parts: { readonly subject: Buffer; readonly headers: Buffer; readonly payload: Buffer; readonly reply: string },
  ): boolean;
  /** A status message: a header block (through its blank line) to the target itself. */
  status(target: DeliveryTarget, headers: Buffer, reply?: string): boolean;
  /** A plain message to any subject: advisories, empty answers to acks. */
  publish(subject: string, payload: Buffer): void;
  /** Bytes waiting for the slowest connection this target leads to: pause at the bound instead of filling memory. */
  congested(target: DeliveryTarget): boolean;
}

export interface ArchivedConsumer {
  readonly config: ConsumerConfig;
  readonly state: ArchivedConsumerState;
}

export type ConsumerResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ApiError };

/** All consumers of one stream, on this node. Calls other than reading need the stream's leader. */
export interface ConsumerSet extends StreamExtension {
  /** `action` as in consumers.md 1.2; the configuration was validated by the caller. @throws {NotLeaderError} */
  create(config: ConsumerConfig, action: 'create' | 'update' | ''): Promise<ConsumerResult<ConsumerInfo>>;
  delete(name: string): Promise<ConsumerResult<undefined>>;
  /** Delivers nothing until then; undefined, or a time that has passed: delivers again. @throws {NotLeaderError} */
  pause(name: string, untilUs: TimestampUs | undefined): Promise<ConsumerResult<undefined>>;
  /**
   * Begins delivery anew at stream sequence `seq` (0: behind the ack floor); resolves with the sequence it begins at.
   * @throws {NotLeaderError}
   */
  reset(name: string, seq: number): Promise<ConsumerResult<number>>;
  /** Ends the pin of a priority group's client. @throws {NotLeaderError} */
  unpin(name: string, group: string): Promise<ConsumerResult<undefined>>;
  info(name: string): ConsumerInfo | undefined;
  /** As a backup keeps it. */
  archived(name: string): ArchivedConsumer | undefined;
  /** Creates a consumer that goes on where an archived one was. @throws {NotLeaderError} */
  restoreArchived(consumer: ArchivedConsumer): Promise<ConsumerResult<string>>;
  /** Of all consumers but `name`; direct ones are not among them. */
  othersThan(name: string): ConsumerConfig[];
  /** Sorted bytewise; direct consumers are not among them. */
  names(): string[];

  /** Led here, and not about to be led elsewhere: clients' messages are for this set, not for another one. */
  readonly serving: boolean;
  /** A message to `$JS.API.CONSUMER.MSG.NEXT.<stream>.<name>`. False: no such consumer (the caller answers 503). */
  pull(name: string, request: { readonly reply: string; readonly headers: Buffer; readonly body: Buffer }): boolean;
  /**
   * A message to `$JS.ACK.<stream>.<name>.…`, parsed in place: `tokens` of the subject behind the consumer's name are in
   * subject[start, end); with `open` there may be more of them than are known. `reply` is empty when no answer is wanted.
   * False: nobody waits for such acks.
   */
  ack(
    name: string,
    ack: {
      readonly subject: Buffer;
      readonly start: number;
      readonly end: number;
      readonly open: boolean;
      readonly payload: Buffer;
      readonly payloadStart: number;
      readonly payloadEnd: number;
      readonly reply: string;
    },
  ): boolean;
  /** A message to `$JS.FC.<stream>.<name>.…`, with its header block. False: that consumer asks nobody. */
  flowControl(name: string, subject: string, headers: Buffer): boolean;
  /** The node is about to stop: who waits for a consumer that is kept here only is told. */
  serverStopping(): void;
  /** The stream was led here, and was given up because no majority of it was heard from. */
  quorumLost(): void;
  /** The stream is about to be removed, its consumers with it: who waits for messages here is told. */
  streamDeleted(): void;
}
