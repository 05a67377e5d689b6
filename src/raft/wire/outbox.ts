/** Owns the messages of a turn: all groups' messages to a peer leave in one frame. */
import type { NodeId } from '../../base/brand.ts';
import { encodedBytes, encodeFrame } from './frame.ts';
import type { GroupMessage } from '../messages.ts';
import type { RaftTransport } from '../types.ts';

/** A frame is cut here, so that none grows beyond what a link takes. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
/** Above this, what can be said again later is dropped instead of piling up on a link that does not move. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

interface Queue {
  messages: GroupMessage[];
  bytes: number;
  /** Some are a leader's. */
  leads: boolean;
}

export class Outbox {
  readonly #transport: RaftTransport;
  readonly #queues = new Map<NodeId, Queue>();

  constructor(transport: RaftTransport) {
    this.#transport = transport;
  }

  add(message: GroupMessage): void {
    const { to } = message.message;
    let queue = this.#queues.get(to);
    if (queue === undefined) {
      queue = { messages: [], bytes: 0, leads: false };
      this.#queues.set(to, queue);
    }
    const bytes = encodedBytes(message.message);
    if (queue.bytes > 0 && queue.bytes + bytes > MAX_FRAME_BYTES) this.#send(to, queue);
    queue.messages.push(message);
    if (message.message.kind === 'appendEntries') queue.leads = true;
    queue.bytes += bytes;
  }

  /** `led` is called for every peer that a leader here speaks to, before its frame leaves. */
  flush(led: (to: NodeId) => void): void {
    for (const [to, queue] of this.#queues) {
      if (queue.leads) led(to);
      queue.leads = false;
      if (queue.messages.length > 0) this.#send(to, queue);
    }
  }

  #send(to: NodeId, queue: Queue): void {
    if (this.#transport.pendingBytes(to, 'control') < MAX_PENDING_BYTES) {
      this.#transport.send(to, encodeFrame(queue.messages), 'control');
    }
    queue.messages = [];
    queue.bytes = 0;
  }
}
