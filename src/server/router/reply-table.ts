/**
 * Owns the replies that answers from another account are to go to: each has a subject there that stands for it, for as
 * long as an answer may come. Bounded: the oldest goes when there are too many.
 */
import type { Runtime, Timer } from '../../base/runtime.ts';

/** A hundred bytes each, about. */
const MAX_OPEN_REPLIES = 100_000;
/** Of every subject that stands for a reply; clients may not name such a subject as theirs. */
export const REPLY_PREFIX = '_R_.';
const TOKEN_LENGTH = 8;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Between two looks at what is out of time, at least: one look serves many. */
const MIN_SWEEP_MS = 50;
/** What one look takes away, at most: the loop is not to wait. */
const MAX_SWEPT = 5_000;

/** How often a service answers, and how long its next answer may take. */
export interface ResponseRule {
  readonly type: 'singleton' | 'stream' | 'chunked';
  readonly timeoutMs: number;
}

export interface OpenReply {
  readonly token: string;
  /** As a subject of the account that asked. */
  readonly reply: Buffer;
  /** What was asked there; empty if nothing was: it is the answer to an answer. */
  readonly subject: Buffer;
  deadlineMs: number;
}

export class ReplyTable {
  /** Subjects that stand for replies begin with it. Byte string. */
  readonly prefix: string;
  readonly rule: ResponseRule;
  readonly #runtime: Runtime;
  /** In the order of their deadlines, for each has the same time. */
  readonly #open = new Map<string, OpenReply>();
  #timer: Timer | undefined;

  constructor(runtime: Runtime, rule: ResponseRule) {
    this.#runtime = runtime;
    this.rule = rule;
    this.prefix = `${REPLY_PREFIX}${this.#random()}.`;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Copies what it is given. */
  open(reply: Buffer, subject: Buffer): OpenReply {
    if (this.#open.size >= MAX_OPEN_REPLIES) this.#open.delete(this.#oldest()!.token);
    let token = this.#random();
    while (this.#open.has(token)) token = this.#random();
    const copied = Buffer.concat([reply, subject]);
    const opened: OpenReply = {
      token,
      reply: copied.subarray(0, reply.length),
      subject: copied.subarray(reply.length),
      deadlineMs: this.#runtime.monotonicMs() + this.rule.timeoutMs,
    };
    this.#open.set(token, opened);
    this.#awaitDeadline();
    return opened;
  }

  find(token: string): OpenReply | undefined {
    const opened = this.#open.get(token);
    return opened !== undefined && opened.deadlineMs > this.#runtime.monotonicMs() ? opened : undefined;
  }

  /** An answer came, and more may: they have their time from now on. */
  renew(opened: OpenReply): void {
    opened.deadlineMs = this.#runtime.monotonicMs() + this.rule.timeoutMs;
    this.#open.delete(opened.token);
    this.#open.set(opened.token, opened);
  }

  close(opened: OpenReply): void {
    this.#open.delete(opened.token);
    if (this.#open.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #oldest(): OpenReply | undefined {
    return this.#open.values().next().value;
  }

  #awaitDeadline(): void {
    const oldest = this.#oldest();
    if (this.#timer !== undefined || oldest === undefined) return;
    const leftMs = oldest.deadlineMs - this.#runtime.monotonicMs();
    this.#timer = this.#runtime.after(Math.max(MIN_SWEEP_MS, leftMs), () => {
      this.#timer = undefined;
      this.#sweep();
      this.#awaitDeadline();
    });
  }

  #sweep(): void {
    const nowMs = this.#runtime.monotonicMs();
    let swept = 0;
    for (const opened of this.#open.values()) {
      if (opened.deadlineMs > nowMs || ++swept > MAX_SWEPT) return;
      this.#open.delete(opened.token);
    }
  }

  #random(): string {
    let token = '';
    for (let i = 0; i < TOKEN_LENGTH; i++) token += ALPHABET[Math.floor(this.#runtime.random() * ALPHABET.length)]!;
    return token;
  }
}
