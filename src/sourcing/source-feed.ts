/**
 * Owns taking one source's messages into a stream: they come like publishes, with new sequences, and each says where it is
 * from (streams.md 7.10). Where to go on is the stream's own knowledge, part of what its replicas agree on.
 */
import type { Seq, TimestampUs } from '../base/brand.ts';
import type { Runtime } from '../base/runtime.ts';
import { leastTtl, type StreamInstance, type StreamSource, type SubmissionOutcome } from '../stream/index.ts';
import type { AckReply } from './ack-reply.ts';
import type { StartPosition } from './consumer-request.ts';
import { indexName, mappingWords, originWord, type SubjectPath } from './origin.ts';
import { SourcedBatchWriter, type SourcedMessages } from './sourced-batch.ts';
import { StorePipeline, type BatchOutcome } from './store-pipeline.ts';
import type { Delivery } from './types.ts';
import type { UpstreamSink } from './upstream.ts';

/** Counters are computed message by message, a batch in one go: that must not take long. */
const MAX_COUNTED_MESSAGES = 1024;

export class SourceFeed implements UpstreamSink {
  readonly #stream: StreamInstance;
  readonly #source: StreamSource;
  readonly #path: SubjectPath;
  readonly #index: string;
  readonly #writer: SourcedBatchWriter;
  readonly #pipeline: StorePipeline<SourcedMessages>;
  /** Of the stream that messages are taken from now. */
  #identity = '';

  constructor(options: {
    readonly stream: StreamInstance;
    readonly source: StreamSource;
    readonly path: SubjectPath;
    readonly runtime: Runtime;
    /** Messages that were taken are not stored, and must be fetched again. */
    readonly rewind: (reason: string) => void;
  }) {
    const { source } = options;
    this.#stream = options.stream;
    this.#source = source;
    this.#path = options.path;
    this.#index = indexName(source);
    this.#writer = new SourcedBatchWriter({
      word: originWord(source),
      mapping: mappingWords(source),
      maxMessages: options.stream.config.allowMsgCounter ? MAX_COUNTED_MESSAGES : Infinity,
      leastTtl: () => leastTtl(options.stream.config),
    });
    this.#pipeline = new StorePipeline<SourcedMessages>({
      runtime: options.runtime,
      seal: () => this.#writer.take(),
      bytesOf: ({ messages }) => messages.length,
      store: (batch) => this.#submit(batch),
      rewind: () => {
        options.rewind('the stream takes no more');
      },
    });
  }

  get pendingBytes(): number {
    return this.#writer.bytes + this.#pipeline.pendingBytes;
  }

  /** The upstream sequence taken last; 0: none. */
  get seq(): number {
    return this.#stream.sourcePosition(this.#index)?.seq ?? 0;
  }

  start(isOtherStream: boolean): StartPosition {
    const taken = isOtherStream ? 0 : this.seq;
    if (taken > 0) return { kind: 'sequence', seq: (taken + 1) as Seq };
    const { optStartSeq, optStartTimeUs } = this.#source;
    if (optStartSeq > 0) return { kind: 'sequence', seq: optStartSeq as Seq };
    if (isOtherStream) return optStartTimeUs === undefined ? { kind: 'all' } : { kind: 'time', timeUs: optStartTimeUs };
    const { firstSeq, lastTimestampUs } = this.#stream.state();
    if (optStartTimeUs !== undefined) {
      return { kind: 'time', timeUs: Math.max(optStartTimeUs, lastTimestampUs) as TimestampUs };
    }
    // A stream that has lost its first messages may have had some from there.
    return firstSeq > 1 && lastTimestampUs > 0 ? { kind: 'time', timeUs: lastTimestampUs } : { kind: 'all' };
  }

  identity(): string {
    return this.#stream.sourcePosition(this.#index)?.identity ?? '';
  }

  begin(identity: string): void {
    this.#identity = identity;
    this.#pipeline.clear();
  }

  take(delivery: Delivery, { seq }: AckReply): void {
    const { subjectBuffer, subjectStart, subjectEnd } = delivery;
    const subject = this.#path.apply(subjectBuffer, subjectStart, subjectEnd);
    this.#writer.add(delivery, { seq, identity: this.#identity }, subject);
    if (this.#writer.isFull) this.#pipeline.seal();
    this.#pipeline.gathered();
  }

  whenStored(stored: () => void): void {
    this.#pipeline.whenStored(stored);
  }

  #submit({ messages, count }: SourcedMessages): Promise<BatchOutcome> {
    return new Promise((resolve) => {
      this.#stream.submit({
        messages,
        count,
        isSourced: true,
        settle: (outcome) => {
          resolve(outcomeOf(outcome));
        },
      });
    });
  }
}

function outcomeOf(outcome: SubmissionOutcome): BatchOutcome {
  switch (outcome.kind) {
    case 'applied':
      return outcome.exceptions.some(({ reply }) => reply?.startsWith('{"error"') === true) ? 'retry' : 'stored';
    case 'refused':
      return outcome.reason === 'overloaded' ? 'retry' : 'over';
    case 'unknown':
      return 'over';
  }
}
