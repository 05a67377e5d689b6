/** Owns reading whole messages for the leader's own purposes, wherever their records are. */
import { turnOver, type Runtime } from '../../base/runtime.ts';
import type { Seq } from '../../base/brand.ts';
import { emptyStoredMessage } from './block-cursor.ts';
import type { MessageView } from '../messages/message-format.ts';
import type { StreamReader } from '../types.ts';

/** A message's parts, as copies. */
export interface MessageParts {
  readonly subject: Buffer;
  readonly headers: Buffer;
  readonly payload: Buffer;
}

/** Between two pauses: those who read much must not hold up the loop. */
const READS_PER_PAUSE = 64;

export class MessageReader {
  readonly #read: StreamReader['read'];
  readonly #runtime: Runtime;
  #sincePause = 0;
  readonly #view = emptyStoredMessage();

  constructor(read: StreamReader['read'], runtime: Runtime) {
    this.#read = read;
    this.#runtime = runtime;
  }

  /** Undefined: it is gone, or can't be proven. */
  async read(seq: number): Promise<MessageParts | undefined> {
    if (++this.#sincePause % READS_PER_PAUSE === 0) await turnOver(this.#runtime);
    for (;;) {
      let ready = (): void => undefined;
      const isReady = new Promise<void>((resolve) => {
        ready = resolve;
      });
      const step = this.#read(seq as Seq, this.#view, ready);
      if (step === 'message') return partsOf(this.#view);
      if (step !== 'wait') return undefined;
      await isReady;
    }
  }
}

function partsOf({ buffer, subjectStart, headersStart, payloadStart, end }: MessageView): MessageParts {
  return {
    subject: Buffer.from(buffer.subarray(subjectStart, headersStart)),
    headers: Buffer.from(buffer.subarray(headersStart, payloadStart)),
    payload: Buffer.from(buffer.subarray(payloadStart, end)),
  };
}
