/** Owns the advisories about consumers (`$JS.EVENT.ADVISORY.CONSUMER.>`). */
import type { TimestampUs } from '../base/brand.ts';
import { formatRfc3339 } from '../base/rfc3339.ts';
import type { Runtime } from '../base/runtime.ts';
import type { Outlet } from './types.ts';
import { randomToken } from './random-token.ts';

const ID_LENGTH = 22;
const PREFIX = '$JS.EVENT.ADVISORY.CONSUMER';
const TYPE_PREFIX = 'io.nats.jetstream.advisory.v1.';

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

  pinned(consumer: string, group: string, pinId: string): void {
    this.#publishGroup('PINNED', 'consumer_group_pinned', consumer, { group, pinned_id: pinId });
  }

  unpinned(consumer: string, group: string, reason: 'timeout' | 'admin'): void {
    this.#publishGroup('UNPINNED', 'consumer_group_unpinned', consumer, { group, reason });
  }

  maxDeliveries(consumer: string, streamSeq: number, deliveries: number): void {
    this.#publish('MAX_DELIVERIES', 'max_deliver', consumer, { stream_seq: streamSeq, deliveries });
  }

  #publishGroup(subject: string, type: string, consumer: string, members: Record<string, unknown>): void {
    this.#publish(subject, type, consumer, members, { account: this.#account });
  }

  #publish(subject: string, type: string, consumer: string, members: Record<string, unknown>, first = {}): void {
    const body = {
      type: TYPE_PREFIX + type,
      id: randomToken(this.#runtime, ID_LENGTH),
      timestamp: formatRfc3339(this.#runtime.wallUs()),
      ...first,
      stream: this.#stream,
      consumer,
      ...members,
      ...(this.#domain === undefined ? {} : { domain: this.#domain }),
    };
    this.#outlet.publish(`${PREFIX}.${subject}.${this.#stream}.${consumer}`, Buffer.from(JSON.stringify(body)));
  }
}

function attemptMembers(attempt: AttemptFacts): Record<string, unknown> {
  return { consumer_seq: attempt.consumerSeq, stream_seq: attempt.streamSeq, deliveries: attempt.deliveries };
}
