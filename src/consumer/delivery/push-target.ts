/** Owns the subscribers of a push consumer: whether anybody listens, how much they may get, and their heartbeats. */
import { byteString } from '../../base/byte-string.ts';
import type { ConsumerConfig, DeliveryTarget, Outlet } from '../types.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { Readiness } from '../pull/pull-queue.ts';
import type { ReplySubjects } from '../acks/reply-subjects.ts';
import { FLOW_CONTROL_REQUEST, idleHeartbeat } from '../pull/status-messages.ts';
import { randomToken } from '../random-token.ts';

const MAX_WINDOW_BYTES = 32 * 1024 * 1024;
const FIRST_WINDOW_BYTES = MAX_WINDOW_BYTES / 16;
const FLOW_TOKEN_LENGTH = 4;
const CONGESTION_CHECK_MESSAGES = 32;

export class PushTarget {
  readonly #outlet: Outlet;
  readonly #runtime: Runtime;
  readonly #config: ConsumerConfig;
  readonly #flowPrefix: string;
  readonly #unacked: () => boolean;
  readonly target: DeliveryTarget;
  #windowBytes = FIRST_WINDOW_BYTES;
  #outstandingBytes = 0;
  /** The flow-control request nobody has answered yet. */
  #flowReply: string | undefined;
  #bytesAtRequest = 0;
  #wasActive: boolean;
  #heartbeatAtMs = Infinity;
  #uncheckedMessages = CONGESTION_CHECK_MESSAGES;

  constructor(
    services: { readonly outlet: Outlet; readonly runtime: Runtime; readonly replies: ReplySubjects },
    config: ConsumerConfig,
    consumer: {
      interestChanged(): void;
      /** Messages wait for their acks. */
      unacked(): boolean;
    },
  ) {
    this.#outlet = services.outlet;
    this.#runtime = services.runtime;
    this.#config = config;
    this.#unacked = () => consumer.unacked();
    this.#flowPrefix = byteString(`${services.replies.flowControl}${config.name}.`);
    this.target = services.outlet.openTarget(byteString(config.deliverSubject), {
      queue: config.deliverGroup === '' ? undefined : byteString(config.deliverGroup),
      wildcards: false,
      onChange: () => {
        consumer.interestChanged();
      },
    });
    this.#wasActive = this.target.interested;
  }

  get active(): boolean {
    return this.target.interested;
  }

  get #stalled(): boolean {
    return this.#config.flowControl && this.#outstandingBytes > this.#windowBytes;
  }

  ready(): Readiness {
    if (!this.target.interested || this.#stalled) return 'nobody';
    if (this.#uncheckedMessages < CONGESTION_CHECK_MESSAGES) return 'ready';
    if (this.#outlet.congested(this.target)) return 'congested';
    this.#uncheckedMessages = 0;
    return 'ready';
  }

  /** A message of `bytes` (reply, headers and payload) was sent. */
  charge(bytes: number, nowMs: number): void {
    this.#uncheckedMessages++;
    if (this.#config.idleHeartbeatMs > 0) this.#heartbeatAtMs = nowMs + this.#config.idleHeartbeatMs;
    if (!this.#config.flowControl) return;
    const size = this.target.subject.length + bytes;
    this.#outstandingBytes += size;
    // A window that is overrun while a request is out: its answer speaks for what went beyond, too.
    const overrun = this.#outstandingBytes - this.#bytesAtRequest >= this.#windowBytes;
    if (this.#flowReply !== undefined && overrun) this.#bytesAtRequest += size;
    if (this.#outstandingBytes > this.#windowBytes / 2) this.requestFlow();
  }

  /** Asks the subscriber to say how far it is, unless a question is out already. */
  requestFlow(): void {
    if (this.#flowReply !== undefined) return;
    this.#flowReply = this.#flowPrefix + randomToken(this.#runtime, FLOW_TOKEN_LENGTH);
    this.#bytesAtRequest = this.#outstandingBytes;
    this.#outlet.status(this.target, FLOW_CONTROL_REQUEST, this.#flowReply);
  }

  /** True if `subject` answers the request that is out: the window is wider now. */
  flowControl(subject: string): boolean {
    if (this.#flowReply !== subject) return false;
    this.#flowReply = undefined;
    this.#windowBytes = Math.min(MAX_WINDOW_BYTES, this.#windowBytes * 2);
    this.#outstandingBytes = Math.max(0, this.#outstandingBytes - this.#bytesAtRequest);
    this.#bytesAtRequest = 0;
    return true;
  }

  /** Listeners came or went: the first one starts with nothing outstanding. */
  interestChanged(nowMs: number): void {
    if (this.active === this.#wasActive && this.#heartbeatAtMs !== Infinity) return;
    this.#wasActive = this.active;
    this.#flowReply = undefined;
    this.#bytesAtRequest = 0;
    this.#outstandingBytes = 0;
    this.#windowBytes = FIRST_WINDOW_BYTES;
    const beats = this.active && this.#config.idleHeartbeatMs > 0;
    this.#heartbeatAtMs = beats ? nowMs + this.#config.idleHeartbeatMs : Infinity;
  }

  /** Sends a heartbeat if nothing else was sent for long enough; says when to be asked again. */
  due(nowMs: number, lastConsumerSeq: number, lastStreamSeq: number): number {
    if (this.#heartbeatAtMs <= nowMs) {
      this.#outlet.status(this.target, idleHeartbeat(lastConsumerSeq, lastStreamSeq, this.#flowReply));
      if (this.#config.ackPolicy === 'flow_control' && this.#unacked()) this.requestFlow();
      this.#heartbeatAtMs = nowMs + this.#config.idleHeartbeatMs;
    }
    return this.#heartbeatAtMs;
  }

  close(): void {
    this.target.close();
  }
}
