/**
 * Owns what the front ends of a simulated cluster do for streams that take from others: requests find the leader of the
 * stream they are about, its answers and deliveries find whoever asked. All of it travels on the simulated network.
 */
import { apiError } from '../../src/base/api-errors.ts';
import type { NodeId } from '../../src/base/brand.ts';
import type { DeliveryTarget } from '../../src/consumer/index.ts';
import { encodeError } from '../../src/server/api/answer-envelope.ts';
import type { Delivery, DeliveryReceiver, UpstreamPort, UpstreamRequest } from '../../src/sourcing/index.ts';
import type { StoredMessage } from '../../src/stream/index.ts';
import { answerConsumerCall, UNAVAILABLE, type ApiAnswer } from './consumer-calls.ts';
import type { SimulatedNetwork } from './network.ts';
import type { OpenStream, SimulatedNode } from './simulated-node.ts';
import type { SimulatedRuntime } from './virtual-time.ts';

const RETRY_MS = 50;
/** How long a request waits for a leader. */
const LEADER_WAIT_MS = 4000;
const FOREIGN_BYTE = 0x58;

type Answered = Parameters<UpstreamPort['request']>[1];

interface Process {
  readonly node: NodeId;
  readonly runtime: SimulatedRuntime;
}

interface Subscription extends Process {
  readonly receiver: DeliveryReceiver;
}

interface Watch extends Process {
  readonly stream: string;
  readonly changed: () => void;
}

interface Target extends Process {
  readonly subject: string;
  readonly onChange: () => void;
}

/** Where a node's consumers reach the streams that take from theirs. */
export interface TakerOutlet {
  openTarget(subject: string, onChange: () => void): DeliveryTarget;
  deliver(subject: string, message: Omit<Delivery, 'payloadEnd'> & { readonly payloadEnd: number }): boolean;
}

/** Subjects under which mirrors and sources get their messages. */
export function isTaker(subject: string): boolean {
  return subject.startsWith('$JS.M.') || subject.startsWith('$JS.S.');
}

export class AccountNetwork {
  readonly #network: SimulatedNetwork;
  readonly #nodes: readonly SimulatedNode[];
  /** Each deliver subject is one taker's own. */
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #watches = new Set<Watch>();
  readonly #targets = new Set<Target>();

  constructor(network: SimulatedNetwork, nodes: readonly SimulatedNode[]) {
    this.#network = network;
    this.#nodes = nodes;
    network.changed = () => {
      for (const target of this.#targets) tell(target);
    };
  }

  /** The process of `node` is over, and with it all that it had open. */
  forget(node: NodeId): void {
    for (const [subject, subscription] of this.#subscriptions) {
      if (subscription.node === node) this.#subscriptions.delete(subject);
    }
    for (const watch of this.#watches) if (watch.node === node) this.#watches.delete(watch);
    for (const target of this.#targets) if (target.node === node) this.#targets.delete(target);
  }

  /** `from` leads the stream from now on, and others hear of it. */
  leads(from: NodeId, stream: string): void {
    for (const watch of this.#watches) {
      if (watch.stream !== stream) continue;
      this.#carry(from, watch, () => {
        if (this.#watches.has(watch)) watch.changed();
      });
    }
  }

  portOf(process: Process): UpstreamPort {
    return {
      request: (request, answered) => this.#request(process, request, answered),
      subscribe: (subject, receiver) => {
        const subscription = { ...process, receiver };
        this.#subscriptions.set(subject, subscription);
        this.#interestChanged(subject);
        return () => {
          if (this.#subscriptions.get(subject) === subscription) this.#subscriptions.delete(subject);
          this.#interestChanged(subject);
        };
      },
      publish: (subject, headers) => {
        this.#answerFlowControl(process, subject, Buffer.from(headers));
      },
      watchStream: (stream, changed) => {
        const watch = { ...process, stream, changed };
        this.#watches.add(watch);
        return () => this.#watches.delete(watch);
      },
    };
  }

  outletOf(process: Process): TakerOutlet {
    return {
      openTarget: (subject, onChange) => {
        const target = { ...process, subject, onChange };
        this.#targets.add(target);
        const isHeard = (): boolean => this.#subscriberOf(process.node, subject) !== undefined;
        return {
          subject,
          get interested() {
            return isHeard();
          },
          close: () => void this.#targets.delete(target),
        };
      },
      deliver: (subject, delivery) => this.#deliver(process.node, subject, delivery),
    };
  }

  // ---- requests ------------------------------------------------------------------------------------------------

  #request(process: Process, request: UpstreamRequest, answered: Answered): () => void {
    let isOpen = true;
    const cancel = (): void => {
      isOpen = false;
      timer.cancel();
    };
    const finish: Answered = (answer) => {
      if (!isOpen) return;
      cancel();
      answered(answer);
    };
    const timer = process.runtime.after(request.timeoutMs, () => {
      finish(undefined);
    });
    const untilMs = process.runtime.monotonicMs() + LEADER_WAIT_MS;
    process.runtime.defer(() => {
      this.#ask(process, request, { untilMs, isOpen: () => isOpen, finish });
    });
    return cancel;
  }

  #ask(
    process: Process,
    request: UpstreamRequest,
    asker: { readonly untilMs: number; readonly isOpen: () => boolean; readonly finish: Answered },
  ): void {
    const { untilMs, isOpen, finish } = asker;
    if (!isOpen()) return;
    const leader = this.#leaderOf(process.node, request.subject.split('.')[4]!);
    if (leader !== undefined) {
      this.#askLeader(process, leader, { request, finish });
      return;
    }
    if (process.runtime.monotonicMs() >= untilMs) {
      finish({ headers: Buffer.alloc(0), payload: encodeError('', apiError(503, UNAVAILABLE, 'unavailable')) });
      return;
    }
    process.runtime.after(RETRY_MS, () => {
      this.#ask(process, request, asker);
    });
  }

  #askLeader(
    process: Process,
    leader: { readonly node: SimulatedNode; readonly stream: OpenStream },
    { request, finish }: { readonly request: UpstreamRequest; readonly finish: Answered },
  ): void {
    const { node, stream } = leader;
    const { runtime } = node;
    if (runtime === undefined) return;
    const reply = (answer: ApiAnswer): void => {
      if (node.runtime !== runtime) return;
      this.#carry(node.id, process, () => {
        finish(answer);
      });
    };
    this.#carry(process.node, { node: node.id, runtime }, () => {
      void answerConsumerCall(stream, runtime, request).then(reply);
    });
  }

  /** Subject: `$JS.FC.<stream>.<consumer>.<token>`. */
  #answerFlowControl(process: Process, subject: string, headers: Buffer): void {
    const [, , stream, consumer] = subject.split('.');
    const leader = this.#leaderOf(process.node, stream!);
    const runtime = leader?.node.runtime;
    if (leader === undefined || runtime === undefined) return;
    this.#carry(process.node, { node: leader.node.id, runtime }, () => {
      leader.stream.consumers.flowControl(consumer!, subject, headers);
    });
  }

  #leaderOf(from: NodeId, name: string): { readonly node: SimulatedNode; readonly stream: OpenStream } | undefined {
    for (const node of this.#nodes) {
      for (const stream of node.streams.values()) {
        if (stream.spec.config.name !== name || !stream.handle.status.ready) continue;
        if (this.#reaches(from, node.id)) return { node, stream };
      }
    }
    return undefined;
  }

  // ---- deliveries ----------------------------------------------------------------------------------------------

  #subscriberOf(from: NodeId, subject: string): Subscription | undefined {
    const subscription = this.#subscriptions.get(subject);
    return subscription !== undefined && this.#reaches(from, subscription.node) ? subscription : undefined;
  }

  #interestChanged(subject: string): void {
    for (const target of this.#targets) if (target.subject === subject) tell(target);
  }

  #deliver(from: NodeId, subject: string, delivery: Delivery): boolean {
    const subscription = this.#subscriberOf(from, subject);
    if (subscription === undefined) return false;
    if (subscription.node === from) {
      subscription.receiver.receive(delivery);
      return true;
    }
    const copy = copyOf(delivery);
    this.#carry(from, subscription, () => {
      if (this.#subscriptions.get(subject) === subscription) subscription.receiver.receive(copy);
      // The buffers belong to whoever sends.
      copy.buffer.fill(FOREIGN_BYTE);
    });
    return true;
  }

  #reaches(from: NodeId, to: NodeId): boolean {
    return from === to || this.#network.isLinked(from, to);
  }

  #carry(from: NodeId, { node, runtime }: Process, task: () => void): void {
    if (from === node) {
      runtime.defer(task);
      return;
    }
    this.#network.carryInOrder(from, node, () => {
      runtime.whenAwake(task);
    });
  }
}

function tell({ runtime, onChange }: Target): void {
  runtime.soon(onChange);
}

function copyOf(delivery: Delivery): Delivery {
  const { subjectBuffer, subjectStart, subjectEnd, replyBuffer, replyStart, replyEnd } = delivery;
  const { buffer, headersStart, payloadStart, payloadEnd } = delivery;
  return {
    subjectBuffer: Buffer.from(subjectBuffer.subarray(subjectStart, subjectEnd)),
    subjectStart: 0,
    subjectEnd: subjectEnd - subjectStart,
    replyBuffer: Buffer.from(replyBuffer.subarray(replyStart, replyEnd)),
    replyStart: 0,
    replyEnd: replyEnd - replyStart,
    buffer: Buffer.from(buffer.subarray(headersStart, payloadEnd)),
    headersStart: 0,
    payloadStart: payloadStart - headersStart,
    payloadEnd: payloadEnd - headersStart,
  };
}

/** A stored message on its way to a taker. */
export function deliveryOf(message: Omit<StoredMessage, 'seq' | 'timestampUs' | 'start'>, reply: Buffer): Delivery {
  const { buffer, subjectStart, headersStart, payloadStart, end } = message;
  return {
    subjectBuffer: buffer,
    subjectStart,
    subjectEnd: headersStart,
    replyBuffer: reply,
    replyStart: 0,
    replyEnd: reply.length,
    buffer,
    headersStart,
    payloadStart,
    payloadEnd: end,
  };
}
