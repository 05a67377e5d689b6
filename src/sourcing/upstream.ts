/**
 * Owns the way from one origin to the stream that takes its messages: an ordinary consumer upstream, made again whenever
 * something is amiss, from where the stream itself says that it stands. Nothing that matters is remembered here.
 *
 * A life of the consumer begins with a request under a delivery subject of its own, and goes on as long as deliveries count
 * up without a gap and heartbeats agree. Requests of flow control are answered once everything before them is stored: so
 * what is under way stays bounded, and upstream may forget what it was told is stored.
 */
import { MIRROR_NEEDS_FLOW_CONTROL, SOURCE_NEEDS_FLOW_CONTROL, type ApiError } from '../base/api-errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime, Timer } from '../base/runtime.ts';
import { randomToken } from '../base/short-hash.ts';
import type { StreamSource } from '../stream/index.ts';
import { AckReply } from './ack-reply.ts';
import { Attempts } from './attempts.ts';
import {
  createRequest,
  deleteRequest,
  readAnswer,
  resetRequest,
  type ConsumerAnswer,
  type ConsumerRequest,
  type StartPosition,
} from './consumer-request.ts';
import { headerText } from './header-lines.ts';
import { HeldDeliveries } from './held-deliveries.ts';
import type { OriginKind, Taker } from './origin.ts';
import type { Delivery, DeliveryReceiver, UpstreamPort } from './types.ts';

/** Heartbeats come every second; without anything for so long the consumer is as good as gone. */
const SILENCE_MS = 10_000;
const ANSWER_TIMEOUT_MS = 10_000;
const DELETE_TIMEOUT_MS = 2_000;
const LEVEL_REQUIRED = 10185;
const INVALID_JSON = 10025;
const IDENTITY_MISMATCH = 10225;
const NO_BYTES = Buffer.alloc(0);

/** Takes an origin's messages into the stream. */
export interface UpstreamSink {
  /** Taken and not stored yet. */
  readonly pendingBytes: number;
  /** Where to go on, by what is stored; `isOtherStream`: of the stream that is there now, nothing is. */
  start(isOtherStream: boolean): StartPosition;
  /** Of the stream upstream, as far as messages of it are stored. */
  identity(): string;
  /**
   * A life of the consumer begins, `behind` some sequence of the stream upstream; what was taken and is not on its way to
   * the log is void.
   */
  begin(identity: string, behind: number): void;
  /** The next message. */
  take(delivery: Delivery, at: AckReply): void;
  /** `stored` is called once all that was taken so far is, unless `begin` comes before. */
  whenStored(stored: () => void): void;
}

export interface UpstreamOptions {
  readonly kind: OriginKind;
  readonly taker: Taker;
  readonly source: StreamSource;
  readonly name: string;
  readonly port: UpstreamPort;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly sink: UpstreamSink;
}

export class Upstream implements DeliveryReceiver {
  readonly #options: UpstreamOptions;
  readonly #attempts: Attempts;
  readonly #reply = new AckReply();
  readonly #held = new HeldDeliveries();
  #state: 'stopped' | 'waiting' | 'asking' | 'running' = 'stopped';
  #endLife: (() => void) | undefined;
  #silence: Timer | undefined;
  #unwatch: (() => void) | undefined;
  /** The consumer of this life, as it is called upstream. */
  #consumer = '';
  #deliverySeq = 0;
  #streamSeq = 0;
  /** What was to come when this life began. */
  #pendingAtFirst = 0;
  #lastActiveMs: number | undefined;
  /** Since when there could have been silence. */
  #quietSinceMs = 0;
  #sourcing = true;
  /** Upstream is not the stream any more that messages were taken from. */
  #isOtherStream = false;
  lag = 0;
  error: ApiError | undefined;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#attempts = new Attempts(options.runtime, () => {
      this.#ask();
    });
  }

  get pendingBytes(): number {
    return this.#options.sink.pendingBytes + this.#held.bytes;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Undefined: nothing ever came. */
  get activeMs(): number | undefined {
    return this.#lastActiveMs === undefined ? undefined : this.#options.runtime.monotonicMs() - this.#lastActiveMs;
  }

  start(): void {
    const { port, source } = this.#options;
    this.#state = 'waiting';
    if (source.external === undefined) {
      this.#unwatch = port.watchStream(source.name, () => {
        this.#lost('upstream leader changed');
        this.#attempts.hurry();
      });
    }
    this.#attempts.schedule();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#attempts.cancel();
    this.#endOfLife();
  }

  /** The stream does not take from here any more: its consumer is not needed, if it is ours. */
  retire(): void {
    const { source, name, port } = this.#options;
    const consumer = this.#consumer === '' ? name : this.#consumer;
    this.stop();
    if (source.consumer !== undefined) return;
    const request = { ...deleteRequest(source, consumer), timeoutMs: DELETE_TIMEOUT_MS };
    port.request(request, () => undefined);
  }

  /** Begins anew from where the stream stands, for it did not store all that came. */
  restart(reason: string): void {
    this.lag = Math.max(this.lag, this.#pendingAtFirst);
    this.#lost(reason);
  }

  receive(delivery: Delivery): void {
    this.#lastActiveMs = this.#quietSinceMs = this.#options.runtime.monotonicMs();
    if (this.#state === 'asking') this.#held.add(delivery);
    else if (this.#state === 'running') this.#process(delivery);
  }

  #ask(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'asking';
    const { port, source, sink, kind, runtime } = this.#options;
    const prefix = source.external?.deliver || (kind === 'mirror' ? '$JS.M' : '$JS.S');
    const random = (): number => runtime.random();
    const deliverSubject = source.consumer?.deliverSubject ?? `${prefix}.${randomToken(random)}`;
    const unsubscribe = port.subscribe(deliverSubject, this);
    const request = this.#request(deliverSubject, sink.start(this.#isOtherStream));
    const cancel = port.request({ ...request, timeoutMs: ANSWER_TIMEOUT_MS }, (answer) => {
      this.#answered(answer && readAnswer(answer));
    });
    this.#endLife = () => {
      cancel();
      unsubscribe();
    };
  }

  #request(deliverSubject: string, start: StartPosition): ConsumerRequest {
    const { source, sink, name, runtime, kind, taker } = this.#options;
    if (source.consumer !== undefined) return resetRequest(source, source.consumer.name);
    const unique = this.#sourcing ? name : `${name}-${randomToken(() => runtime.random())}`;
    const identity = this.#isOtherStream ? '' : sink.identity();
    return createRequest({
      kind,
      taker,
      source,
      name: unique,
      deliverSubject,
      start,
      identity,
      sourcing: this.#sourcing,
    });
  }

  #answered(answer: ConsumerAnswer | undefined): void {
    if (this.#state !== 'asking') return;
    if (answer === undefined) {
      this.#failed('no answer from upstream');
      return;
    }
    if (answer.kind === 'refused') {
      this.#refused(answer.error);
      return;
    }
    const { source, kind, sink } = this.#options;
    if (source.consumer !== undefined && !answer.acksByFlowControl) {
      this.error = kind === 'mirror' ? MIRROR_NEEDS_FLOW_CONTROL : SOURCE_NEEDS_FLOW_CONTROL;
      this.#failed(this.error.description);
      return;
    }
    this.#state = 'running';
    this.#consumer = answer.name;
    this.#deliverySeq = 0;
    this.#streamSeq = 0;
    this.#isOtherStream = false;
    this.lag = this.#pendingAtFirst = answer.pending;
    this.error = undefined;
    this.#attempts.succeeded();
    sink.begin(answer.identity, answer.behind);
    this.#quietSinceMs = this.#options.runtime.monotonicMs();
    this.#watchSilence();
    for (const delivery of this.#heldOfThisLife()) if (this.isRunning) this.#process(delivery);
  }

  /** A durable consumer may have gone on where it was before it was told to begin anew. */
  #heldOfThisLife(): readonly Delivery[] {
    const held = this.#held.take();
    const reply = this.#reply;
    const first = held.findLastIndex((delivery) => reply.read(delivery) && reply.deliverySeq === 1);
    return first < 0 ? [] : held.slice(first);
  }

  #refused(error: ApiError): void {
    this.error = error;
    // An older server knows nothing of sourcing consumers; it takes what any client may ask for.
    if (this.#sourcing && (error.errCode === LEVEL_REQUIRED || error.errCode === INVALID_JSON)) this.#sourcing = false;
    // Another stream of that name: everything in it is new.
    if (error.errCode === IDENTITY_MISMATCH) this.#isOtherStream = true;
    this.#failed(error.description);
  }

  #failed(reason: string): void {
    this.#attempts.failed();
    this.#lost(reason);
  }

  /** This life of the consumer is over; another one follows. */
  #lost(reason: string): void {
    if (this.#state === 'stopped') return;
    const { logger, source } = this.#options;
    if (this.#state !== 'waiting') logger.debug({ origin: source.name, reason }, 'origin.lost');
    this.#state = 'waiting';
    this.#endOfLife();
    this.#attempts.schedule();
  }

  #endOfLife(): void {
    this.#silence?.cancel();
    this.#silence = undefined;
    this.#endLife?.();
    this.#endLife = undefined;
    this.#held.clear();
  }

  #process(delivery: Delivery): void {
    const reply = this.#reply;
    if (!reply.read(delivery)) {
      this.#status(delivery);
      return;
    }
    // What is delivered again was taken the first time.
    if (reply.attempts > 1 || reply.deliverySeq <= this.#deliverySeq) return;
    if (reply.deliverySeq !== this.#deliverySeq + 1) {
      this.#lost('a delivery is missing');
      return;
    }
    this.#deliverySeq = reply.deliverySeq;
    this.#streamSeq = reply.seq;
    // As the reference server counts: the one that follows is as good as here.
    this.lag = Math.max(0, reply.pending - 1);
    this.#options.sink.take(delivery, reply);
  }

  /** A heartbeat, or a request of flow control. */
  #status({ buffer, headersStart, payloadStart, replyBuffer, replyStart, replyEnd }: Delivery): void {
    const reply = replyBuffer.toString('latin1', replyStart, replyEnd);
    if (reply !== '') {
      this.#answerFlowControl(reply);
      return;
    }
    const headers = buffer.subarray(headersStart, payloadStart);
    const delivered = headerText(headers, 'Nats-Last-Consumer');
    if (delivered !== undefined && Number(delivered) !== this.#deliverySeq) {
      this.#lost('a heartbeat tells of more');
      return;
    }
    const stalled = headerText(headers, 'Nats-Consumer-Stalled');
    if (stalled !== undefined) this.#answerFlowControl(stalled);
  }

  #answerFlowControl(reply: string): void {
    const { sink, port, runtime } = this.#options;
    const life = this.#endLife;
    const position = `Nats-Last-Consumer: ${this.#deliverySeq}\r\nNats-Last-Stream: ${this.#streamSeq}\r\n`;
    const headers = this.#deliverySeq === 0 ? NO_BYTES : Buffer.from(`NATS/1.0\r\n${position}\r\n`);
    const answer = (): void => {
      if (this.isRunning && this.#endLife === life) port.publish(reply, headers);
    };
    runtime.soon(() => {
      sink.whenStored(answer);
    });
  }

  #watchSilence(): void {
    const { runtime } = this.#options;
    const leftMs = this.#quietSinceMs + SILENCE_MS - runtime.monotonicMs();
    if (leftMs <= 0) {
      this.#lost('nothing comes from upstream');
      return;
    }
    this.#silence = runtime.after(leftMs, () => {
      this.#watchSilence();
    });
  }
}
