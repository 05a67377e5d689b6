/** Owns when a consumer that nobody uses is deleted. */
import type { Runtime } from '../base/runtime.ts';
import type { ConsumerConfig } from './types.ts';

/** Pull consumers get some more time, not all the same. */
const JITTER_MIN_MS = 100;
const JITTER_MAX_MS = 1000;
/** A delete that the group did not take is asked for again. */
const RETRY_MS = 30_000;

export class Inactivity {
  readonly #runtime: Runtime;
  /** Infinity: never. */
  dueMs = Infinity;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Somebody uses the consumer. `listened`: it has subscribers, which is use enough. */
  used(config: ConsumerConfig, nowMs: () => number, listened: boolean): void {
    if (config.inactiveThresholdMs === 0 || listened) {
      this.dueMs = Infinity;
      return;
    }
    const jitterMs =
      config.deliverSubject === '' ? JITTER_MIN_MS + this.#runtime.random() * (JITTER_MAX_MS - JITTER_MIN_MS) : 0;
    this.dueMs = Math.ceil(nowMs() + config.inactiveThresholdMs + jitterMs);
  }

  /** True if the time has come; with acks out, not before `lastAckMs` and the threshold after it. */
  expired(config: ConsumerConfig, nowMs: number, lastAckMs: number): boolean {
    if (this.dueMs > nowMs) return false;
    const earliestMs = lastAckMs + config.inactiveThresholdMs;
    this.dueMs = earliestMs > nowMs ? earliestMs : nowMs + RETRY_MS;
    return earliestMs <= nowMs;
  }
}
