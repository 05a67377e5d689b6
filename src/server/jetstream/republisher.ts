/** Owns republishing: what a stream stored goes out once more under another subject (streams.md section 6). */
import { formatRfc3339 } from '../../base/rfc3339.ts';
import type { Runtime } from '../../base/runtime.ts';
import { isLiteralSubject } from '../../base/subjects.ts';
import type { SubjectTransform } from '../../base/subject-transform.ts';
import { transformOf, type MessageView, type StoredWatcher, type StreamConfig } from '../../stream/index.ts';
import type { Router } from '../router-types.ts';

const VERSION_LINE = Buffer.from('NATS/1.0\r\n');
const LINE_END_BYTES = 2;
const NO_PAYLOAD = Buffer.alloc(0);

export class Republisher implements StoredWatcher {
  readonly #router: Router;
  readonly #runtime: Runtime;
  readonly #account: string;
  readonly #getConfig: () => StreamConfig;
  /** What `#transform` was made for. */
  #republish: StreamConfig['republish'];
  #transform: SubjectTransform | undefined;

  constructor(options: {
    readonly router: Router;
    readonly runtime: Runtime;
    readonly account: string;
    readonly config: () => StreamConfig;
  }) {
    this.#router = options.router;
    this.#runtime = options.runtime;
    this.#account = options.account;
    this.#getConfig = options.config;
  }

  stored(message: MessageView, at: Parameters<StoredWatcher['stored']>[1]): void {
    const { name, republish } = this.#getConfig();
    if (republish !== this.#republish) {
      this.#republish = republish;
      this.#transform = transformOf(republish, () => this.#runtime.random());
    }
    const { buffer, subjectStart, headersStart, payloadStart, end } = message;
    const bytes = this.#transform?.apply(buffer, subjectStart, headersStart) ?? -1;
    if (bytes < 0) return;
    const subject = this.#transform!.output.toString('latin1', 0, bytes);
    // What a transform makes of a subject need not be one.
    if (!isLiteralSubject(subject)) return;
    const headersOnly = republish?.headersOnly === true;
    this.#router.publish(this.#account, {
      subject,
      headers: headersOf(name, message, { ...at, headersOnly }),
      payload: headersOnly ? NO_PAYLOAD : buffer.subarray(payloadStart, end),
    });
    this.#router.flushSoon();
  }
}

/** The message's own headers, and ours behind them. */
function headersOf(
  stream: string,
  { buffer, subjectStart, headersStart, payloadStart, end }: MessageView,
  at: Parameters<StoredWatcher['stored']>[1] & { readonly headersOnly: boolean },
): Buffer {
  const lines = [
    `Nats-Stream: ${stream}`,
    `Nats-Subject: ${buffer.toString('utf8', subjectStart, headersStart)}`,
    `Nats-Sequence: ${at.seq}`,
    `Nats-Time-Stamp: ${formatRfc3339(at.timestampUs)}`,
    `Nats-Last-Sequence: ${at.previousSeq}`,
    ...(at.headersOnly ? [`Nats-Msg-Size: ${end - payloadStart}`] : []),
  ];
  const own = payloadStart > headersStart ? buffer.subarray(headersStart, payloadStart - LINE_END_BYTES) : VERSION_LINE;
  return Buffer.concat([own, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)]);
}
