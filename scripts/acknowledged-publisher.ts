/**
 * Owns publishing numbered messages until each of them is acknowledged, and remembering what was. A message whose
 * acknowledgement stays away is sent again under the same Nats-Msg-Id, so a message stored twice would be the server's
 * doing.
 */
import { headers as createHeaders, type JetStreamClient } from 'nats';
import { setTimeout as delay } from 'node:timers/promises';

const MAX_IN_FLIGHT = 512;
/** The answers that a killed node owed never come: a pause can't be shorter than this is. */
const ACK_TIMEOUT_MS = 400;
const RETRY_DELAY_MS = 20;
/** Nothing was acknowledged for so long: the cluster won't come back. */
const GIVE_UP_MS = 60_000;

export interface PublishReport {
  readonly acknowledged: number;
  /** Sends beyond the first one of a message. */
  readonly retries: number;
  /** Longest time between two acknowledgements. */
  readonly longestPauseMs: number;
}

export class AcknowledgedPublisher {
  /** 1 for each message that was acknowledged. */
  readonly acked: Uint8Array;
  readonly #client: JetStreamClient;
  readonly #subject: (index: number) => string;
  readonly #onProgress: (acknowledged: number) => void;
  #next = 0;
  #acknowledged = 0;
  #retries = 0;
  #lastAckMs = 0;
  #longestPauseMs = 0;

  constructor(
    client: JetStreamClient,
    options: {
      readonly count: number;
      readonly subject: (index: number) => string;
      readonly onProgress: (acknowledged: number) => void;
    },
  ) {
    this.#client = client;
    this.acked = new Uint8Array(options.count);
    this.#subject = options.subject;
    this.#onProgress = options.onProgress;
  }

  /** Resolves when everything is acknowledged, or nothing was for a long time. */
  async run(): Promise<PublishReport> {
    this.#lastAckMs = performance.now();
    await Promise.all(Array.from({ length: MAX_IN_FLIGHT }, () => this.#publishInTurn()));
    return { acknowledged: this.#acknowledged, retries: this.#retries, longestPauseMs: this.#longestPauseMs };
  }

  /** One of the senders: a message after the other. */
  async #publishInTurn(): Promise<void> {
    while (this.#next < this.acked.length) {
      const index = this.#next;
      this.#next += 1;
      await this.#publishUntilAcked(index);
    }
  }

  async #publishUntilAcked(index: number): Promise<void> {
    const payload = String(index);
    while (performance.now() - this.#lastAckMs < GIVE_UP_MS) {
      try {
        const headers = createHeaders();
        headers.set('Nats-Msg-Id', payload);
        await this.#client.publish(this.#subject(index), payload, { headers, timeout: ACK_TIMEOUT_MS });
        this.#noteAck(index);
        return;
      } catch {
        // No leader right now, the connection broke, or the answer got lost: nobody knows whether it was stored.
        this.#retries += 1;
        await delay(RETRY_DELAY_MS);
      }
    }
  }

  #noteAck(index: number): void {
    const now = performance.now();
    this.#longestPauseMs = Math.max(this.#longestPauseMs, now - this.#lastAckMs);
    this.#lastAckMs = now;
    this.acked[index] = 1;
    this.#acknowledged += 1;
    this.#onProgress(this.#acknowledged);
  }
}
