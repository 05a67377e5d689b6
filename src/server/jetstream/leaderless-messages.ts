/**
 * Owns what clients send to consumers while their stream has no leader: kept in order, bounded in bytes and by the time of
 * an election, until there is somebody to take it.
 */
import type { Runtime } from '../../base/runtime.ts';
import type { GroupId } from '../../raft/index.ts';
import type { Publisher } from '../router-types.ts';
import { readForwarded, type ForwardedMessage, type MessageParts } from './consumer-frames.ts';

/** As long as publishes wait: one election with room to spare, well below a client's patience. */
const PATIENCE_MS = 2_500;
const RETRY_MS = 20;
/** Of all streams together. Clients repeat acks and pulls that got lost. */
const MAX_BYTES = 8 * 1024 * 1024;
/** What a message costs beside its bytes. */
const OVERHEAD_BYTES = 200;

export interface LeaderlessMessage {
  readonly account: string;
  readonly parts: MessageParts;
  /** Undefined: it came from another node. */
  readonly publisher: Publisher | undefined;
  /** Came by way of a node that had led: it may be taken here, and goes nowhere else. */
  readonly relayed: boolean;
}

interface Waiting {
  readonly message: LeaderlessMessage;
  readonly bytes: number;
  readonly deadlineMs: number;
}

export class LeaderlessMessages {
  readonly #runtime: Runtime;
  readonly #deliver: (group: GroupId, message: LeaderlessMessage) => boolean;
  readonly #giveUp: (message: LeaderlessMessage) => void;
  /** Oldest first. */
  readonly #waiting = new Map<GroupId, Waiting[]>();
  #bytes = 0;
  #retryScheduled = false;

  constructor(options: {
    readonly runtime: Runtime;
    /** False: there is still nobody to take it. */
    readonly deliver: (group: GroupId, message: LeaderlessMessage) => boolean;
    readonly giveUp: (message: LeaderlessMessage) => void;
  }) {
    this.#runtime = options.runtime;
    this.#deliver = options.deliver;
    this.#giveUp = options.giveUp;
  }

  /** Copies the message. False: there is no room for it. */
  add(group: GroupId, message: LeaderlessMessage): boolean {
    const parts = copyOf(message.parts);
    const bytes = parts.buffer.length + OVERHEAD_BYTES;
    if (this.#bytes + bytes > MAX_BYTES) return false;
    this.#bytes += bytes;
    const waiting = { message: { ...message, parts }, bytes, deadlineMs: this.#runtime.monotonicMs() + PATIENCE_MS };
    const others = this.#waiting.get(group);
    if (others === undefined) this.#waiting.set(group, [waiting]);
    else others.push(waiting);
    this.#scheduleRetry();
    return true;
  }

  /** Something changed about the group's leader. */
  retry(group: GroupId): void {
    const queue = this.#waiting.get(group);
    if (queue === undefined) return;
    const nowMs = this.#runtime.monotonicMs();
    let done = 0;
    for (; done < queue.length; done++) {
      const { message, bytes, deadlineMs } = queue[done]!;
      if (!this.#deliver(group, message)) {
        if (nowMs < deadlineMs) break;
        this.#giveUp(message);
      }
      this.#bytes -= bytes;
    }
    if (done === queue.length) this.#waiting.delete(group);
    else if (done > 0) queue.splice(0, done);
  }

  #scheduleRetry(): void {
    if (this.#retryScheduled) return;
    this.#retryScheduled = true;
    this.#runtime.after(RETRY_MS, () => {
      this.#retryScheduled = false;
      for (const group of [...this.#waiting.keys()]) this.retry(group);
      if (this.#waiting.size > 0) this.#scheduleRetry();
    });
  }
}

function copyOf(parts: MessageParts): MessageParts {
  const { buffer } = parts;
  const subject = buffer.subarray(parts.subjectStart, parts.subjectEnd);
  const reply = buffer.subarray(parts.replyStart, parts.replyEnd);
  const headers = buffer.subarray(parts.headersStart, parts.headersEnd);
  const payload = buffer.subarray(parts.payloadStart, parts.payloadEnd);
  const replyEnd = subject.length + reply.length;
  const headersEnd = replyEnd + headers.length;
  return {
    buffer: Buffer.concat([subject, reply, headers, payload]),
    subjectStart: 0,
    subjectEnd: subject.length,
    replyStart: subject.length,
    replyEnd,
    headersStart: replyEnd,
    headersEnd,
    payloadStart: headersEnd,
    payloadEnd: headersEnd + payload.length,
  };
}

/** What a frame from another node brings. One and the same object each time: valid until the next is asked for. */
export function* messagesOf(frame: Buffer, relayed: boolean): Generator<LeaderlessMessage> {
  const at: ForwardedMessage = { buffer: frame, ...NO_OFFSETS };
  const parts = { buffer: frame, ...NO_PARTS };
  const message = { account: '', parts, publisher: undefined, relayed };
  while (readForwarded(frame, at.end, at)) {
    message.account = frame.toString('utf8', at.accountStart, at.subjectStart);
    parts.subjectStart = at.subjectStart;
    parts.subjectEnd = parts.replyStart = at.replyStart;
    parts.replyEnd = parts.headersStart = at.headersStart;
    parts.headersEnd = parts.payloadStart = at.payloadStart;
    parts.payloadEnd = at.end;
    yield message;
  }
}

const NO_OFFSETS = { accountStart: 0, subjectStart: 0, replyStart: 0, headersStart: 0, payloadStart: 0, end: 0 };
const NO_PARTS = {
  subjectStart: 0,
  subjectEnd: 0,
  replyStart: 0,
  replyEnd: 0,
  headersStart: 0,
  headersEnd: 0,
  payloadStart: 0,
  payloadEnd: 0,
};
