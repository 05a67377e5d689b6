/** Owns finding out whether a client is still there: PINGs, the round trip, and when to give up. */
import type { Runtime } from '../base/runtime.ts';

/** The first PING only measures the round trip. Clients accept none before they know that they are connected. */
const FIRST_PING_MS = 2_000;
const FIRST_PING_JITTER = 0.2;
/** A round trip measured longer ago is measured again, even on a busy connection. */
const ROUND_TRIP_AGE_MS = 3_600_000;

export type LivenessAction = 'none' | 'ping' | 'stale';

export class ConnectionLiveness {
  readonly #runtime: Runtime;
  readonly #pingIntervalMs: number;
  readonly #pingMax: number;
  readonly #acceptedMs: number;
  #firstPingMs: number;
  #nextPingMs: number;
  #lastActivityMs: number;
  #outstanding = 0;
  #pingedMs = 0;
  #roundTripMs: number | undefined;
  #measuredMs = 0;

  constructor(runtime: Runtime, options: { readonly pingIntervalMs: number; readonly pingMax: number }) {
    this.#runtime = runtime;
    this.#pingIntervalMs = options.pingIntervalMs;
    this.#pingMax = options.pingMax;
    this.#acceptedMs = runtime.monotonicMs();
    this.#lastActivityMs = this.#acceptedMs;
    this.#firstPingMs = Number.POSITIVE_INFINITY;
    this.#nextPingMs = this.#acceptedMs + options.pingIntervalMs;
  }

  /** Undefined until a PONG came back. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** CONNECT was accepted. */
  connected(): void {
    const jitter = 1 + this.#runtime.random() * FIRST_PING_JITTER;
    if (this.#roundTripMs === undefined) this.#firstPingMs = this.#runtime.monotonicMs() + FIRST_PING_MS * jitter;
  }

  /** The client published, subscribed or sent a PING. */
  active(nowMs: number): void {
    this.#lastActivityMs = nowMs;
  }

  pong(nowMs: number): void {
    if (this.#outstanding > 0) {
      this.#roundTripMs = nowMs - this.#pingedMs;
      this.#measuredMs = nowMs;
    }
    this.#outstanding = 0;
  }

  /** What is due now. 'ping' means that the caller sends one. `greeted`: the client had its first PONG. */
  check(nowMs: number, greeted: boolean): LivenessAction {
    if (!greeted && nowMs - this.#acceptedMs < FIRST_PING_MS) return 'none';
    if (nowMs >= this.#firstPingMs) {
      this.#firstPingMs = Number.POSITIVE_INFINITY;
      if (this.#outstanding === 0 && this.#roundTripMs === undefined) return this.#ping(nowMs);
    }
    if (nowMs < this.#nextPingMs) return 'none';
    this.#nextPingMs = nowMs + this.#pingIntervalMs;
    if (this.#outstanding >= this.#pingMax) return 'stale';
    const measured = this.#roundTripMs !== undefined && nowMs - this.#measuredMs < ROUND_TRIP_AGE_MS;
    const active = nowMs - this.#lastActivityMs < this.#pingIntervalMs;
    return measured && active ? 'none' : this.#ping(nowMs);
  }

  #ping(nowMs: number): 'ping' {
    this.#outstanding++;
    this.#pingedMs = nowMs;
    return 'ping';
  }
}
