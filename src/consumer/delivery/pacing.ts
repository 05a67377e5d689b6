/** Owns how fast messages may go out: the rate limit of push consumers, and the original rhythm of a replay. */
import type { ConsumerConfig } from '../types.ts';
import type { StoredMessage } from '../../stream/index.ts';

const BITS_PER_BYTE = 8;
const US_PER_MS = 1000;
/** Shorter pauses of the original are not kept. */
const MIN_REPLAY_PAUSE_MS = 1;

export class Pacing {
  readonly #bytesPerMs: number;
  readonly #burstBytes: number;
  #tokens: number;
  #refilledAtMs: number;
  /** The last sequence that is replayed with its pauses; 0: none. */
  #replayThrough: number;
  #previousUs = 0;
  #previousSentMs = 0;

  constructor(
    config: ConsumerConfig,
    start: { readonly nowMs: number; readonly lastSeq: number; readonly burstBytes: number },
  ) {
    this.#bytesPerMs = config.rateLimitBps / BITS_PER_BYTE / 1000;
    this.#burstBytes = start.burstBytes;
    this.#tokens = start.burstBytes;
    this.#refilledAtMs = start.nowMs;
    this.#replayThrough = config.replayPolicy === 'original' ? start.lastSeq : 0;
  }

  static needed(config: ConsumerConfig): boolean {
    return config.rateLimitBps > 0 || config.replayPolicy === 'original';
  }

  /** When a message of `bytes` may leave; not after `nowMs`: at once. */
  allowedAtMs(message: StoredMessage, bytes: number, nowMs: number): number {
    return Math.max(this.#replayAtMs(message), this.#rateAtMs(bytes, nowMs));
  }

  sent(message: StoredMessage, bytes: number, nowMs: number): void {
    this.#tokens -= bytes;
    this.#previousUs = message.timestampUs;
    this.#previousSentMs = nowMs;
  }

  #replayAtMs(message: StoredMessage): number {
    if (message.seq > this.#replayThrough) {
      this.#replayThrough = 0;
      return 0;
    }
    if (this.#previousUs === 0) return 0;
    const pauseMs = (message.timestampUs - this.#previousUs) / US_PER_MS;
    return pauseMs > MIN_REPLAY_PAUSE_MS ? this.#previousSentMs + pauseMs : 0;
  }

  /** A message larger than the burst leaves when the bucket is full, and leaves it in debt. */
  #rateAtMs(bytes: number, nowMs: number): number {
    if (this.#bytesPerMs === 0) return 0;
    this.#tokens = Math.min(this.#burstBytes, this.#tokens + (nowMs - this.#refilledAtMs) * this.#bytesPerMs);
    this.#refilledAtMs = nowMs;
    const missing = Math.min(bytes, this.#burstBytes) - this.#tokens;
    return missing <= 0 ? 0 : nowMs + missing / this.#bytesPerMs;
  }
}
