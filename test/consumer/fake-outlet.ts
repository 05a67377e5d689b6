/** Owns an outlet that writes down what it is given, and whose subscribers a test sets. */
import type { DeliveryTarget, Outlet } from '../../src/consumer/index.ts';
import type { StoredMessage } from '../../src/stream/index.ts';

/** One thing that a consumer sent. */
export interface Sent {
  readonly kind: 'message' | 'status' | 'publish';
  /** Where to: inbox, deliver subject, or subject of an advisory or answer. */
  readonly to: string;
  /** The message's own subject. */
  readonly subject: string;
  readonly headers: string;
  readonly payload: string;
  readonly reply: string;
}

interface OpenTarget extends DeliveryTarget {
  interested: boolean;
  readonly queue: string | undefined;
  readonly wildcards: boolean;
  readonly onChange: () => void;
}

export class FakeOutlet implements Outlet {
  readonly sent: Sent[] = [];
  readonly #targets = new Set<OpenTarget>();
  /** Subjects nobody listens to; everything with an inbox is listened to unless it is here. */
  readonly #deaf = new Set<string>();
  /** Exact plain subscribers and queue subscribers of deliver subjects. */
  readonly #listeners = new Set<string>();
  /** Subjects whose reader is too slow. */
  readonly slow = new Set<string>();
  /** Subjects that accept so many more messages, though their interest shows. */
  readonly takesOnly = new Map<string, number>();

  get openTargets(): number {
    return this.#targets.size;
  }

  listen(subject: string, queue?: string): void {
    this.#listeners.add(key(subject, queue));
    this.#deaf.delete(subject);
    this.#refresh();
  }

  leave(subject: string, queue?: string): void {
    this.#listeners.delete(key(subject, queue));
    this.#deaf.add(subject);
    this.#refresh();
  }

  openTarget(
    subject: string,
    options: { readonly queue: string | undefined; readonly wildcards: boolean; readonly onChange: () => void },
  ): DeliveryTarget {
    const target: OpenTarget = {
      subject,
      ...options,
      interested: this.#interested(subject, options),
      close: () => {
        this.#targets.delete(target);
      },
    };
    this.#targets.add(target);
    return target;
  }

  deliver(target: DeliveryTarget, message: StoredMessage, reply: Buffer, replyBytes: number): boolean {
    const { buffer, subjectStart, headersStart, payloadStart, end } = message;
    return this.#take(target, {
      subject: buffer.toString('utf8', subjectStart, headersStart),
      headers: buffer.toString('utf8', headersStart, payloadStart),
      payload: buffer.toString('utf8', payloadStart, end),
      reply: reply.toString('utf8', 0, replyBytes),
    });
  }

  deliverParts(
    target: DeliveryTarget,
    parts: { readonly subject: Buffer; readonly headers: Buffer; readonly payload: Buffer; readonly reply: string },
  ): boolean {
    return this.#take(target, {
      subject: parts.subject.toString(),
      headers: parts.headers.toString(),
      payload: parts.payload.toString(),
      reply: parts.reply,
    });
  }

  status(target: DeliveryTarget, headers: Buffer, reply = ''): boolean {
    this.sent.push({
      kind: 'status',
      to: target.subject,
      subject: target.subject,
      headers: headers.toString(),
      payload: '',
      reply,
    });
    return true;
  }

  publish(subject: string, payload: Buffer): void {
    this.sent.push({ kind: 'publish', to: subject, subject, headers: '', payload: payload.toString(), reply: '' });
  }

  congested(target: DeliveryTarget): boolean {
    return this.slow.has(target.subject);
  }

  /** Takes what was sent since the last time. */
  take(): Sent[] {
    return this.sent.splice(0);
  }

  #take(target: DeliveryTarget, parts: Pick<Sent, 'subject' | 'headers' | 'payload' | 'reply'>): boolean {
    const left = this.takesOnly.get(target.subject);
    if (left === 0) return false;
    if (left !== undefined) this.takesOnly.set(target.subject, left - 1);
    if (!target.interested) return false;
    this.sent.push({ kind: 'message', to: target.subject, ...parts });
    return true;
  }

  #interested(subject: string, options: { readonly queue: string | undefined; readonly wildcards: boolean }): boolean {
    return options.wildcards ? !this.#deaf.has(subject) : this.#listeners.has(key(subject, options.queue));
  }

  #refresh(): void {
    for (const target of [...this.#targets]) {
      const interested = this.#interested(target.subject, target);
      if (interested === target.interested) continue;
      target.interested = interested;
      target.onChange();
    }
  }
}

function key(subject: string, queue: string | undefined): string {
  return queue === undefined ? subject : `${subject} ${queue}`;
}
