/**
 * Owns taking an origin's messages as they are: a mirror stores them with the sequences and times that they have upstream
 * (streams.md 7.9). Its own last sequence says where to go on; what comes twice is left out when it is placed.
 */
import type { Seq } from '../base/brand.ts';
import { NotLeaderError } from '../base/errors.ts';
import type { Runtime } from '../base/runtime.ts';
import {
  emptyPlacedBatch,
  PlacedBatchWriter,
  storedMessageBytes,
  type StreamInstance,
  type StreamSource,
} from '../stream/index.ts';
import type { AckReply } from './ack-reply.ts';
import type { StartPosition } from './consumer-request.ts';
import { mirroredHeaders } from './header-lines.ts';
import type { SubjectPath } from './origin.ts';
import { StorePipeline, type BatchOutcome } from './store-pipeline.ts';
import type { Delivery } from './types.ts';
import type { UpstreamSink } from './upstream.ts';

interface MirroredMessages {
  readonly batch: Buffer;
  readonly lastSeq: number;
}

export class MirrorFeed implements UpstreamSink {
  readonly #stream: StreamInstance;
  readonly #source: StreamSource;
  readonly #path: SubjectPath;
  readonly #writer = new PlacedBatchWriter();
  readonly #pipeline: StorePipeline<MirroredMessages>;
  #gatheredBytes = 0;
  /** Makes a batch of its own. */
  #skipped: MirroredMessages | undefined;

  constructor(options: {
    readonly stream: StreamInstance;
    readonly source: StreamSource;
    readonly path: SubjectPath;
    readonly runtime: Runtime;
    /** Messages that were taken are not stored, and must be fetched again. */
    readonly rewind: (reason: string) => void;
  }) {
    this.#stream = options.stream;
    this.#source = options.source;
    this.#path = options.path;
    this.#pipeline = new StorePipeline({
      runtime: options.runtime,
      seal: () => this.#seal(),
      bytesOf: ({ batch }) => batch.length,
      store: (batch) => this.#place(batch),
      rewind: () => {
        options.rewind('the stream takes no more');
      },
    });
  }

  get pendingBytes(): number {
    return this.#gatheredBytes + this.#pipeline.pendingBytes;
  }

  start(): StartPosition {
    const { lastSeq } = this.#stream.state();
    if (lastSeq > 0) return { kind: 'sequence', seq: (lastSeq + 1) as Seq };
    const { optStartSeq, optStartTimeUs } = this.#source;
    if (optStartSeq > 0) return { kind: 'sequence', seq: optStartSeq as Seq };
    return optStartTimeUs === undefined ? { kind: 'all' } : { kind: 'time', timeUs: optStartTimeUs };
  }

  /** Whatever stands upstream now goes on where it is ahead of what is here. */
  identity(): string {
    return '';
  }

  begin(_identity: string, behind: number): void {
    this.#pipeline.clear();
    // What is gone upstream, or left out from the start, is a gap here: it takes no message to show.
    if (behind <= this.#stream.state().lastSeq) return;
    this.#skipped = { batch: emptyPlacedBatch((behind + 1) as Seq), lastSeq: behind };
    this.#pipeline.seal();
    this.#pipeline.gathered();
  }

  take(delivery: Delivery, { seq, timestampUs }: AckReply): void {
    const { subjectBuffer, subjectStart, subjectEnd, buffer, headersStart, payloadStart, payloadEnd } = delivery;
    const subject = this.#path.apply(subjectBuffer, subjectStart, subjectEnd);
    const headers = mirroredHeaders(buffer, headersStart, payloadStart);
    const bytes = storedMessageBytes(subject.length, headers.length, payloadEnd - payloadStart);
    if (!this.#writer.accepts(seq, bytes)) this.#pipeline.seal();
    this.#writer.add(seq, timestampUs, { subject, headers, payload: buffer.subarray(payloadStart, payloadEnd) });
    this.#gatheredBytes += bytes;
    this.#pipeline.gathered();
  }

  whenStored(stored: () => void): void {
    this.#pipeline.whenStored(stored);
  }

  #seal(): MirroredMessages | undefined {
    const skipped = this.#skipped;
    this.#skipped = undefined;
    if (skipped !== undefined) return skipped;
    this.#gatheredBytes = 0;
    if (this.#writer.isEmpty) return undefined;
    const lastSeq = this.#writer.nextSeq - 1;
    return { batch: this.#writer.take(), lastSeq };
  }

  async #place({ batch, lastSeq }: MirroredMessages): Promise<BatchOutcome> {
    try {
      const last = await this.#stream.place(batch);
      // It takes nothing more once it is no mirror; nobody upstream must be told that this was stored.
      if (this.#stream.config.mirror === undefined) return 'over';
      return last < lastSeq ? 'retry' : 'stored';
    } catch (error) {
      if (!(error instanceof NotLeaderError)) throw error;
      return this.#stream.status.role === 'leader' ? 'retry' : 'over';
    }
  }
}
