/** Owns the advisories about consumers (`$JS.EVENT.ADVISORY.CONSUMER.>`). */
import { byteString } from '../base/byte-string.ts';
import type { TimestampUs } from '../base/brand.ts';
import { formatRfc3339 } from '../base/rfc3339.ts';
import type { Runtime } from '../base/runtime.ts';
import type { Outlet } from './types.ts';
import { randomToken } from './random-token.ts';

const ID_LENGTH = 22;
const PREFIX = '$JS.EVENT.ADVISORY.CONSUMER';
const TYPE_PREFIX = 'io.nats.jetstream.advisory.v1.';
const METRIC_PREFIX = '$JS.EVENT.METRIC.CONSUMER.ACK';
const METRIC_TYPE = 'io.nats.jetstream.metric.v1.consumer_ack';
const NS_PER_MS = 1_000_000;

/** One delivery attempt, as its ack's subject told it. */
export interface AttemptFacts {
  readonly consumerSeq: number;
  readonly streamSeq: number;
  readonly deliveries: number;
}

export class ConsumerAdvisories {
  readonly #outlet: Outlet;
  readonly #runtime: Runtime;
  readonly #stream: string;
  readonly #domain: string | undefined;
  readonly #account: string;

  constructor(services: {
    readonly outlet: Outlet;
    readonly runtime: Runtime;
    readonly account: string;
    readonly stream: string;
    readonly domain: string | undefined;
  }) {
    this.#outlet = services.outlet;
    this.#runtime = services.runtime;
    this.#account = services.account;
    this.#stream = services.stream;
    this.#domain = services.domain;
  }

  created(consumer: string): void {
    this.#publish('CREATED', 'consumer_action', consumer, { action: 'create' });
  }

  deleted(consumer: string): void {
    this.#publish('DELETED', 'consumer_action', consumer, { action: 'delete' });
  }

  /** It was paused until then, or delivers again. */
  paused(consumer: string, paused: boolean, untilUs: TimestampUs | undefined): void {
    this.#publish('PAUSE', 'consumer_pause', consumer, { paused, pause_until: formatRfc3339(untilUs ?? 0) });
  }

  naked(consumer: string, attempt: AttemptFacts): void {
    this.#publish('MSG_NAKED', 'nak', consumer, attemptMembers(attempt));
  }

  /** `reason` may be empty. */
  terminated(consumer: string, attempt: AttemptFacts, reason: string): void {
    const members = attemptMembers(attempt);
    this.#publish('MSG_TERMINATED', 'terminated', consumer, reason === '' ? members : { ...members, reason });
  }

  /** Whether anybody listens to what `terminated` tells: it may have much to tell. */
  terminationsHeard(consumer: string): boolean {
    const subject = `${PREFIX}.MSG_TERMINATED.${this.#stream}.${consumer}`;
    const target = this.#outlet.openTarget(subject, { queue: undefined, wildcards: true, onChange: () => undefined });
    const heard = target.interested;
    target.close();
    return heard;
  }

  pinned(consumer: string, group: string, pinId: string): void {
    this.#publishGroup('PINNED', 'consumer_group_pinned', consumer, { group, pinned_id: pinId });
  }

  unpinned(consumer: string, group: string, reason: 'timeout' | 'admin'): void {
    this.#publishGroup('UNPINNED', 'consumer_group_unpinned', consumer, { group, reason });
  }

  /** A sample of how long acks take. */
  acked(consumer: string, attempt: AttemptFacts, ackMs: number): void {
    const { consumerSeq, streamSeq, deliveries } = attempt;
    this.#send(`${METRIC_PREFIX}.${this.#stream}.${consumer}`, METRIC_TYPE, {
      stream: this.#stream,
      consumer,
      consumer_seq: consumerSeq,
      stream_seq: streamSeq,
      ack_time: Math.round(ackMs * NS_PER_MS),
      deliveries,
    });
  }

  maxDeliveries(consumer: string, streamSeq: number, deliveries: number): void {
    this.#publish('MAX_DELIVERIES', 'max_deliver', consumer, { stream_seq: streamSeq, deliveries });
  }

  #publishGroup(subject: string, type: string, consumer: string, members: Record<string, unknown>): void {
    this.#publish(subject, type, consumer, members, { account: this.#account });
  }

  #publish(
    subject: string,
    type: string,
    consumer: string,
    members: Record<string, unknown>,
    first: Record<string, unknown> = {},
  ): void {
    const about = { ...first, stream: this.#stream, consumer, ...members };
    this.#send(`${PREFIX}.${subject}.${this.#stream}.${consumer}`, TYPE_PREFIX + type, about);
  }

  #send(subject: string, type: string, members: Record<string, unknown>): void {
    const body = {
      type,
      id: randomToken(this.#runtime, ID_LENGTH),
      timestamp: formatRfc3339(this.#runtime.wallUs()),
      ...members,
      ...(this.#domain === undefined || this.#domain === '' ? {} : { domain: this.#domain }),
    };
    this.#outlet.publish(byteString(subject), Buffer.from(JSON.stringify(body)));
  }
}

function attemptMembers(attempt: AttemptFacts): Record<string, unknown> {
  return { consumer_seq: attempt.consumerSeq, stream_seq: attempt.streamSeq, deliveries: attempt.deliveries };
}
