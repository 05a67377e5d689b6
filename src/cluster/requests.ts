/** Owns requests between nodes: which wait for their reply, until when, and who answers here. */
import type { NodeId } from '../base/brand.ts';
import { NotLeaderError } from '../base/errors.ts';
import type { Runtime, Timer } from '../base/runtime.ts';
import { FRAME } from './links.ts';
import type { RequestHandler } from './types.ts';
import { decodeReply, decodeRequest, encodeReply, encodeRequest, type Reply } from './wire.ts';

/** Per peer. Beyond it a request is refused at once. */
const MAX_WAITING = 16_384;
/** Per peer: requests that are being worked on here. */
const MAX_SERVING = 16_384;

/** Puts a frame on the traffic link. False: the node is away, or the queue is full. */
type SendFrame = (to: NodeId, kind: number, body: Buffer) => boolean;

interface Waiting {
  readonly to: NodeId;
  resolve(body: Buffer): void;
  reject(error: Error): void;
  readonly timer: Timer;
}

const NO_BODY = Buffer.alloc(0);

export class Requests {
  readonly #self: NodeId;
  readonly #send: SendFrame;
  readonly #runtime: Runtime;
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #waitingPerPeer = new Map<NodeId, number>();
  readonly #servingPerPeer = new Map<NodeId, number>();
  #lastId = 0;

  constructor(self: NodeId, send: SendFrame, runtime: Runtime) {
    this.#self = self;
    this.#send = send;
    this.#runtime = runtime;
  }

  serve(service: string, handler: RequestHandler): void {
    this.#handlers.set(service, handler);
  }

  async request(to: NodeId, service: string, body: Buffer, timeoutMs: number): Promise<Buffer> {
    if (to === this.#self) return this.#requestSelf(service, body);
    if ((this.#waitingPerPeer.get(to) ?? 0) >= MAX_WAITING) throw new NotLeaderError(`${to} is overloaded`, true);
    const id = ++this.#lastId;
    if (!this.#send(to, FRAME.request, encodeRequest(id, service, body))) {
      throw new NotLeaderError(`${to} is not connected`, true);
    }
    return new Promise((resolve, reject) => {
      const timer = this.#runtime.after(timeoutMs, () => {
        this.#take(id)?.reject(new NotLeaderError(`${to} did not answer in ${timeoutMs} ms`, false));
      });
      this.#waiting.set(id, { to, resolve, reject, timer });
      count(this.#waitingPerPeer, to, 1);
    });
  }

  /** False: malformed. */
  received(from: NodeId, frame: Buffer): boolean {
    const request = decodeRequest(frame);
    if (request === undefined) return false;
    const handler = this.#handlers.get(request.service);
    const busy = (this.#servingPerPeer.get(from) ?? 0) >= MAX_SERVING;
    if (handler === undefined || busy) {
      const reason = busy ? 'overloaded' : `no service ${request.service}`;
      this.#reply(from, { id: request.id, outcome: 'refused', body: NO_BODY, reason });
    } else {
      void this.#serve(from, handler, request);
    }
    return true;
  }

  /** False: malformed. */
  replied(from: NodeId, frame: Buffer): boolean {
    const reply = decodeReply(frame);
    if (reply === undefined) return false;
    const waiting = this.#waiting.get(reply.id)?.to === from ? this.#take(reply.id) : undefined;
    if (reply.outcome === 'done') waiting?.resolve(reply.body);
    else waiting?.reject(new NotLeaderError(reply.reason, reply.outcome === 'refused'));
    return true;
  }

  /** The link broke: nobody will answer any more. */
  lost(node: NodeId): void {
    if (!this.#waitingPerPeer.has(node)) return;
    for (const [id, waiting] of this.#waiting) {
      if (waiting.to === node) this.#take(id)!.reject(new NotLeaderError(`the link to ${node} broke`, false));
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    count(this.#waitingPerPeer, waiting.to, -1);
    return waiting;
  }

  async #requestSelf(service: string, body: Buffer): Promise<Buffer> {
    const handler = this.#handlers.get(service);
    if (handler === undefined) throw new NotLeaderError(`no service ${service}`, true);
    return handler(this.#self, body);
  }

  async #serve(
    from: NodeId,
    handler: RequestHandler,
    request: { readonly id: number; readonly body: Buffer },
  ): Promise<void> {
    const { id } = request;
    count(this.#servingPerPeer, from, 1);
    try {
      const body = await handler(from, request.body);
      this.#reply(from, { id, outcome: 'done', body, reason: '' });
    } catch (error) {
      // Whatever went wrong here, the peer gets an answer; what it may conclude depends on what we know.
      const outcome = error instanceof NotLeaderError && error.notProposed ? 'refused' : 'failed';
      this.#reply(from, { id, outcome, body: NO_BODY, reason: error instanceof Error ? error.message : String(error) });
    } finally {
      count(this.#servingPerPeer, from, -1);
    }
  }

  #reply(to: NodeId, reply: Reply): void {
    this.#send(to, FRAME.reply, encodeReply(reply));
  }
}

/** Counts that are zero leave the map. */
function count(counts: Map<NodeId, number>, node: NodeId, change: 1 | -1): void {
  const now = (counts.get(node) ?? 0) + change;
  if (now === 0) counts.delete(node);
  else counts.set(node, now);
}
