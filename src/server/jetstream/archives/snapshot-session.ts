/**
 * Owns sending one archive (streams.md 3.11): reads the stream on its leader, and publishes chunks as fast as the receiver
 * acknowledges them. What is removed meanwhile is left out; what is published meanwhile is not part of it.
 */
import { byteString } from '../../../base/byte-string.ts';
import type { Seq } from '../../../base/brand.ts';
import type { Runtime, Timer } from '../../../base/runtime.ts';
import { ArchiveWriter, FrameEncoder } from '../../../archive/index.ts';
import type { StreamCursor } from '../../../stream/index.ts';
import { archivedConsumerJson, streamStateJson, type LocalStream, type SnapshotRequest } from '../../api/index.ts';
import type { Router } from '../../router-types.ts';

/** How long the receiver may take to subscribe. */
const INTEREST_TIMEOUT_MS = 2_000;
/** How long nothing may be acknowledged while chunks wait for it. */
const ACK_TIMEOUT_MS = 5_000;
/** What is compressed at once. */
const BLOCK_BYTES = 128 * 1024;
const NO_INTEREST = 'NATS/1.0 408 No Interest\r\n\r\n';
const NO_FLOW_RESPONSE = 'NATS/1.0 408 No Flow Response\r\n\r\n';
const END_OF_CHUNKS = 'NATS/1.0 204\r\n\r\n';
const NOTHING = Buffer.alloc(0);

/** Ends a session early: what the receiver is told, and what advisories say. */
class Aborted extends Error {
  readonly status: string;

  constructor(problem: string, status: string) {
    super(problem);
    this.status = status;
  }
}

export interface SnapshotSessionOptions {
  readonly router: Router;
  readonly runtime: Runtime;
  readonly account: string;
  readonly local: LocalStream;
  readonly request: SnapshotRequest;
  /** Unique: names the session in the subjects of its acks. */
  readonly id: string;
}

export class SnapshotSession {
  readonly #options: SnapshotSessionOptions;
  readonly #encoder = new FrameEncoder();
  readonly #writer = new ArchiveWriter();
  readonly #ackSubject: string;
  /** Framed bytes that are not yet a chunk. */
  #framed: Buffer = NOTHING;
  #chunks = 0;
  #unacked = 0;
  /** Resolves whoever waits for something to happen: an ack, interest, a record from disk. */
  #wake: () => void = () => undefined;

  constructor(options: SnapshotSessionOptions) {
    this.#options = options;
    this.#ackSubject = byteString(`$JS.SNAPSHOT.ACK.${options.local.stream.config.name}.${options.id}`);
  }

  /** Resolves when the archive, or why there is none, was sent; then with what went wrong, if anything did. */
  async run(): Promise<string | undefined> {
    const { router, account } = this.#options;
    const unsubscribe = router.subscribe(account, `${this.#ackSubject}.>`, () => {
      this.#unacked--;
      this.#wake();
    });
    try {
      await this.#awaitInterest();
      await this.#sendArchive();
      this.#publish(NOTHING, { headers: this.#chunks > 0 ? END_OF_CHUNKS : '' });
      return undefined;
    } catch (error) {
      if (!(error instanceof Aborted)) throw error;
      this.#publish(NOTHING, { headers: error.status });
      return error.message;
    } finally {
      unsubscribe();
    }
  }

  async #awaitInterest(): Promise<void> {
    const { router, account, request } = this.#options;
    const route = router.openRoute(account, byteString(request.deliverSubject), () => {
      this.#wake();
    });
    try {
      await this.#until(() => route.taken, INTEREST_TIMEOUT_MS, new Aborted('no interest', NO_INTEREST));
    } finally {
      route.close();
    }
  }

  async #sendArchive(): Promise<void> {
    const { local, request } = this.#options;
    const { stream, consumers } = local;
    const names = request.withConsumers ? consumers.names() : [];
    const archived = names.map((name) => ({ name, consumer: consumers.archived(name) }));
    const state = stream.state();
    this.#writer.state(streamStateJson({ ...state, consumerCount: archived.length }, {}));
    for (const { name, consumer } of archived) {
      if (consumer !== undefined) this.#writer.consumer(name, archivedConsumerJson(consumer));
    }
    const cursor = stream.openCursor({
      position: state.firstSeq,
      filter: undefined,
      onReady: () => {
        this.#wake();
      },
    });
    try {
      await this.#sendMessages(cursor, state.lastSeq);
    } finally {
      cursor.close();
    }
    this.#writer.end();
    await this.#flushBlock();
    if (this.#framed.length > 0) this.#publish(this.#framed, {});
  }

  async #sendMessages(cursor: StreamCursor, lastSeq: Seq): Promise<void> {
    while (cursor.position <= lastSeq) {
      // Whatever makes it worth trying again may happen before anybody waits for it.
      const ready = this.#nextWake();
      switch (cursor.advance()) {
        case 'message':
          if (cursor.view.seq > lastSeq) return;
          this.#writer.message(cursor.view);
          if (this.#writer.bytes >= BLOCK_BYTES) await this.#flushBlock();
          break;
        case 'wait':
          await ready;
          break;
        case 'lost':
          throw new Aborted('a message can not be read', 'NATS/1.0 500 a message can not be read\r\n\r\n');
        case 'end':
          return;
      }
    }
  }

  /** Compresses what was written, and sends the chunks that are full. */
  async #flushBlock(): Promise<void> {
    const { chunkBytes, windowBytes } = this.#options.request;
    this.#framed = Buffer.concat([this.#framed, await this.#encoder.encode(this.#writer.take())]);
    while (this.#framed.length >= chunkBytes) {
      const room = (): boolean => (this.#unacked + 1) * chunkBytes <= windowBytes;
      await this.#until(room, ACK_TIMEOUT_MS, new Aborted('no flow response', NO_FLOW_RESPONSE));
      const reply = `${this.#ackSubject}.${chunkBytes}.${++this.#chunks}`;
      this.#unacked++;
      this.#publish(this.#framed.subarray(0, chunkBytes), { reply });
      this.#framed = this.#framed.subarray(chunkBytes);
    }
  }

  #publish(
    payload: Buffer,
    { headers = '', reply = '' }: { readonly headers?: string; readonly reply?: string },
  ): void {
    const { router, account, request } = this.#options;
    router.publish(account, {
      subject: byteString(request.deliverSubject),
      reply,
      headers: Buffer.from(headers),
      payload,
    });
    router.flushSoon();
  }

  #nextWake(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Rejects with `failure` if nothing happens for so long, and the condition does not hold. */
  async #until(condition: () => boolean, timeoutMs: number, failure: Aborted): Promise<void> {
    while (!condition()) {
      let timer: Timer | undefined;
      const timeout = new Promise<boolean>((resolve) => {
        timer = this.#options.runtime.after(timeoutMs, () => {
          resolve(true);
        });
      });
      const timedOut = await Promise.race([this.#nextWake().then(() => false), timeout]);
      timer?.cancel();
      if (timedOut && !condition()) throw failure;
    }
  }
}
