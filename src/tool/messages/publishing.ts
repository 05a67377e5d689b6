/** Owns the ways in which `pub` gets messages to the server: without an answer, with one for each, or as one batch. */
import { randomBytes } from 'node:crypto';
import type { MsgHdrs, NatsConnection, Payload } from '@nats-io/transport-node';
import { parseAnswer } from '../connection/index.ts';
import { isNoResponders, ToolError } from '../failure.ts';

export interface Outgoing {
  readonly subject: string;
  readonly body: Payload;
  readonly headers: MsgHdrs | undefined;
}

export interface Publishing {
  publish(message: Outgoing): Promise<void>;
  /** After the last message. */
  finish(): Promise<void>;
}

/** Between these, what was published is waited for: the client's buffer does not grow, and refusals are heard of. */
const FLUSH_EVERY = 1000;

export class PlainPublishing implements Publishing {
  readonly #connection: NatsConnection;
  readonly #options: { readonly reply?: string };
  #count = 0;

  constructor(connection: NatsConnection, reply: string | undefined) {
    this.#connection = connection;
    this.#options = reply === undefined ? {} : { reply };
  }

  async publish({ subject, body, headers }: Outgoing): Promise<void> {
    this.#connection.publish(subject, body, { ...this.#options, ...(headers !== undefined && { headers }) });
    this.#count += 1;
    if (this.#count % FLUSH_EVERY === 0) await this.#connection.flush();
  }

  async finish(): Promise<void> {
    await this.#connection.flush();
  }
}

/** What a stream answers. */
export interface PubAck {
  readonly stream: string;
  readonly seq: number;
  readonly duplicate?: boolean;
  /** Of a batch: how many messages it stored. */
  readonly count?: number;
}

interface StoringOptions {
  readonly connection: NatsConnection;
  readonly timeoutMs: number;
  readonly stored: (ack: PubAck) => Promise<void>;
}

export class StoredPublishing implements Publishing {
  readonly #options: StoringOptions;

  constructor(options: StoringOptions) {
    this.#options = options;
  }

  async publish(message: Outgoing): Promise<void> {
    await this.#options.stored((await ask(this.#options, message)) as PubAck);
  }

  async finish(): Promise<void> {
    // Each was answered for.
  }
}

/**
 * All messages are stored together, or none of them. The last one stores them, so each is held back until there is
 * another. The client library has batches as well, but does not say why the server refused one.
 */
export class BatchPublishing implements Publishing {
  readonly #options: StoringOptions;
  readonly #id = randomBytes(12).toString('hex');
  #held: Outgoing | undefined;
  #count = 0;

  constructor(options: StoringOptions) {
    this.#options = options;
  }

  async publish(message: Outgoing): Promise<void> {
    const held = this.#held;
    this.#held = message;
    if (held === undefined) return;
    const member = await this.#member(held);
    // The first one is answered, and one now and then: it opens the batch, and paces what follows.
    if (this.#count % FLUSH_EVERY === 1) await ask(this.#options, member);
    else this.#options.connection.publish(member.subject, member.body, { headers: member.headers });
  }

  async finish(): Promise<void> {
    if (this.#held === undefined) return;
    const last = await this.#member(this.#held);
    last.headers.set('Nats-Batch-Commit', '1');
    await this.#options.stored((await ask(this.#options, last)) as PubAck);
  }

  async #member({ subject, body, headers }: Outgoing): Promise<Outgoing & { readonly headers: MsgHdrs }> {
    const transport = await import('@nats-io/transport-node');
    const marked = headers ?? transport.headers();
    this.#count += 1;
    marked.set('Nats-Batch-Id', this.#id);
    marked.set('Nats-Batch-Sequence', String(this.#count));
    return { subject, body, headers: marked };
  }
}

/** Within a batch, what is stored later is answered with nothing. @throws {ApiError} when the answer is an error. */
async function ask({ connection, timeoutMs }: StoringOptions, { subject, body, headers }: Outgoing): Promise<object> {
  const options = { timeout: timeoutMs, ...(headers !== undefined && { headers }) };
  const answer = await connection.request(subject, body, options).catch((error: unknown) => {
    if (isNoResponders(error)) throw new ToolError(`no stream stores ${subject}`, { cause: error });
    throw error;
  });
  return answer.data.length === 0 ? {} : parseAnswer(answer.string());
}
