/** Owns the replies to publishes that are not the plain acknowledgement, as JSON (streams.md 5.1). */
import type { ApiError } from '../../base/api-errors.ts';

export class PublishReplies {
  readonly #stream: string;
  readonly #domain: string;

  constructor(stream: string, domain: string | undefined) {
    this.#stream = JSON.stringify(stream);
    this.#domain = domain === undefined || domain === '' ? '' : `"domain":${JSON.stringify(domain)},`;
  }

  error({ code, errCode, description }: ApiError): string {
    const error = JSON.stringify({ code, err_code: errCode, description });
    return `{"error":${error},"stream":${this.#stream},"seq":0}`;
  }

  /** `seq` is that of the last message. */
  batch(seq: number, id: string, count: number): string {
    return `{"stream":${this.#stream},${this.#domain}"seq":${seq},"batch":${JSON.stringify(id)},"count":${count}}`;
  }

  /** A counter's new value. */
  counter(seq: number, value: string): string {
    return `{"stream":${this.#stream},${this.#domain}"seq":${seq},"val":"${value}"}`;
  }

  /** The plain acknowledgement, for where it is not understood by itself. */
  stored(seq: number): string {
    return `{"stream":${this.#stream},${this.#domain}"seq":${seq}}`;
  }

  /** The space is the reference server's. */
  duplicate(seq: number): string {
    return `{"stream":${this.#stream},${this.#domain}"seq":${seq},"duplicate": true}`;
  }
}
