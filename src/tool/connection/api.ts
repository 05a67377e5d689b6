/**
 * Owns calls of the JetStream API through the client's connection. The library has methods for most of them, but fills in
 * and drops members; here the answer stays what the server said, so that --json can print it.
 */
import type { NatsConnection } from '@nats-io/transport-node';
import { ApiError, isNoResponders, ToolError } from '../failure.ts';

interface Answer {
  readonly error?: { readonly code: number; readonly err_code: number; readonly description: string };
}

interface Page extends Answer {
  readonly total: number;
}

export interface ApiOptions {
  readonly prefix: string;
  readonly timeoutMs: number;
}

export class Api {
  readonly connection: NatsConnection;
  readonly #prefix: string;
  readonly #timeoutMs: number;

  constructor(connection: NatsConnection, { prefix, timeoutMs }: ApiOptions) {
    this.connection = connection;
    this.#prefix = prefix;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * `call` is the subject after the prefix. `T` is what the API's documentation promises.
   * @throws {ApiError} when the answer is an error.
   */
  async request<T>(call: string, body?: unknown): Promise<T & { readonly type: string }> {
    const payload = body === undefined ? '' : JSON.stringify(body);
    const options = { timeout: this.#timeoutMs };
    const message = await this.connection.request(`${this.#prefix}.${call}`, payload, options).catch(explain);
    return parseAnswer(message.string()) as T & { readonly type: string };
  }

  /** Gathers the pages of a list whose members are under `key`. */
  async list<T>(call: string, key: string, filter: object = {}): Promise<readonly T[]> {
    const gathered: T[] = [];
    for (;;) {
      const page = await this.request<Page>(call, { ...filter, offset: gathered.length });
      const members = (page as unknown as Readonly<Record<string, readonly T[] | null | undefined>>)[key] ?? [];
      gathered.push(...members);
      if (members.length === 0 || gathered.length >= page.total) return gathered;
    }
  }
}

/** @throws {ApiError} when the answer is an error. */
export function parseAnswer(text: string): object {
  const answer = JSON.parse(text) as Answer;
  if (answer.error !== undefined) throw new ApiError(answer.error.description, answer.error.err_code);
  return answer;
}

function explain(error: unknown): never {
  if (isNoResponders(error)) throw new ToolError('JetStream is not enabled on this server', { cause: error });
  throw error;
}
