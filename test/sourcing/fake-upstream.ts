/**
 * Owns a stream upstream as its taker sees it: it makes consumers, delivers, beats, asks for flow control, and can lose
 * deliveries or its consumers on demand. Nothing happens before `run`.
 */
import type { Delivery, DeliveryReceiver, UpstreamPort, UpstreamRequest } from '../../src/sourcing/index.ts';

export interface UpstreamMessage {
  readonly subject: string;
  readonly payload: string;
  /** Absent: `NATS/1.0` and nothing else is not sent either. */
  readonly headers?: string;
}

type Answered = Parameters<UpstreamPort['request']>[1];

interface FakeConsumer {
  readonly deliverSubject: string;
  next: number;
  deliverySeq: number;
}

const NO_BYTES = Buffer.alloc(0);
const TIME_US = 1_700_000_000_000_000;

export class FakeUpstream implements UpstreamPort {
  /** Message number i has sequence i + 1; undefined: deleted. */
  messages: (UpstreamMessage | undefined)[] = [];
  identity = 'IDENTITY';
  /** Answers instead of the stream. */
  refusal: { readonly code: number; readonly err_code: number; readonly description: string } | undefined;
  readonly requests: (UpstreamRequest & { readonly json: Readonly<Record<string, unknown>> })[] = [];
  /** Answers to flow control, with their headers. */
  readonly published: (readonly [subject: string, headers: string])[] = [];
  readonly #receivers = new Map<string, DeliveryReceiver>();
  #asked: (readonly [UpstreamRequest, Answered])[] = [];
  #consumer: FakeConsumer | undefined;
  #watchers = new Set<() => void>();

  request(request: UpstreamRequest, answered: Answered): () => void {
    const json = request.body.length === 0 ? {} : (JSON.parse(request.body.toString()) as Record<string, unknown>);
    this.requests.push({ ...request, json });
    const asked = [request, answered] as const;
    this.#asked.push(asked);
    return () => {
      this.#asked = this.#asked.filter((each) => each !== asked);
    };
  }

  subscribe(subject: string, receiver: DeliveryReceiver): () => void {
    this.#receivers.set(subject, receiver);
    return () => this.#receivers.delete(subject);
  }

  publish(subject: string, headers: Buffer): void {
    this.published.push([subject, headers.toString()]);
  }

  watchStream(_name: string, changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  /** Its leader changed: the consumer is gone. */
  changeLeader(): void {
    this.#consumer = undefined;
    for (const changed of [...this.#watchers]) changed();
  }

  /** Answers what was asked. */
  answer(): void {
    for (const [request, answered] of this.#asked.splice(0)) this.#answer(request, answered);
  }

  /** Delivers up to `count` messages; `isLost` says which deliveries never arrive. */
  deliver(count: number, isLost: () => boolean = () => false): void {
    const consumer = this.#consumer;
    for (let sent = 0; consumer !== undefined && sent < count; sent++) {
      while (consumer.next <= this.messages.length && this.messages[consumer.next - 1] === undefined) consumer.next++;
      const message = this.messages[consumer.next - 1];
      if (message === undefined) return;
      const seq = consumer.next++;
      const pending = this.messages.length - seq;
      const reply = `$JS.ACK.UP.C.1.${seq}.${++consumer.deliverySeq}.${(TIME_US + seq) * 1000}.${pending}`;
      if (!isLost()) this.#send({ ...message, reply });
    }
  }

  beat(): void {
    const consumer = this.#consumer;
    if (consumer === undefined) return;
    const headers = `NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: ${consumer.deliverySeq}\r\nNats-Last-Stream: 0\r\n\r\n`;
    this.#send({ subject: consumer.deliverSubject, payload: '', headers, reply: '' });
  }

  askForFlow(reply: string): void {
    const headers = 'NATS/1.0 100 FlowControl Request\r\n\r\n';
    this.#send({ subject: this.#consumer?.deliverSubject ?? '', payload: '', headers, reply });
  }

  #answer({ body }: UpstreamRequest, answered: Answered): void {
    if (this.refusal !== undefined) {
      answered({ headers: NO_BYTES, payload: Buffer.from(JSON.stringify({ error: this.refusal })) });
      return;
    }
    const { config } = JSON.parse(body.toString()) as {
      readonly config: { readonly deliver_subject: string; readonly opt_start_seq?: number };
    };
    this.#consumer = { deliverSubject: config.deliver_subject, next: config.opt_start_seq ?? 1, deliverySeq: 0 };
    const headers = Buffer.from(`NATS/1.0\r\nNats-Stream-Identity: ${this.identity}\r\n\r\n`);
    answered({ headers, payload: Buffer.from(JSON.stringify({ name: 'C', num_pending: this.messages.length })) });
  }

  #send(message: UpstreamMessage & { readonly reply: string }): void {
    const receiver = this.#receivers.get(this.#consumer?.deliverSubject ?? '');
    const [subject, reply] = [Buffer.from(message.subject), Buffer.from(message.reply)];
    const headers = Buffer.from(message.headers ?? '');
    const buffer = Buffer.concat([headers, Buffer.from(message.payload)]);
    const delivery: Delivery = {
      subjectBuffer: subject,
      subjectStart: 0,
      subjectEnd: subject.length,
      replyBuffer: reply,
      replyStart: 0,
      replyEnd: reply.length,
      buffer,
      headersStart: 0,
      payloadStart: headers.length,
      payloadEnd: buffer.length,
    };
    receiver?.receive(delivery);
    // The buffers belong to whoever sends.
    buffer.fill(0x58);
  }
}
