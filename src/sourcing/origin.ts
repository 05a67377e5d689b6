/**
 * Owns how an origin is named: towards the stream that messages are taken from, and in the messages taken (streams.md 7.9,
 * 7.10).
 */
import { shortHash } from '../base/short-hash.ts';
import { transformOf, type StreamSource } from '../stream/index.ts';
import type { SubjectTransform } from '../base/subject-transform.ts';

export type OriginKind = 'mirror' | 'source';

/** Who takes the messages. */
export interface Taker {
  readonly stream: string;
  readonly account: string;
  /** Empty: none. */
  readonly domain: string;
}

/** Stands for "everything" where a filter or a destination is told. */
const ALL = '>';
/** Between several filters or destinations. */
const SEPARATOR = '\f';

/** What is let through, none standing for everything. */
export function filtersOf({ filterSubject, subjectTransforms }: StreamSource): readonly string[] {
  if (filterSubject !== '') return [filterSubject];
  const filters = subjectTransforms.map(({ src }) => src || ALL);
  return filters.length === 1 && filters[0] === ALL ? [] : filters;
}

/** First word of what a source is told by; apart for every stream of that name, and for consumers that users made. */
export function originWord({ name, external, consumer }: StreamSource): string {
  const elsewhere = external === undefined ? '' : `:${shortHash(external.api)}`;
  return name + elsewhere + (consumer === undefined ? '' : `:C=${shortHash(consumer.name)}`);
}

function filterWord({ filterSubject, subjectTransforms }: StreamSource): string {
  if (subjectTransforms.length === 0) return filterSubject || ALL;
  return subjectTransforms.map(({ src }) => src || ALL).join(SEPARATOR);
}

function destinationWord({ subjectTransforms }: StreamSource): string {
  return subjectTransforms.map(({ dest }) => dest || ALL).join(SEPARATOR) || ALL;
}

/** The words behind the sequence in a message's source header, the same for all messages of the source. */
export function mappingWords(source: StreamSource): string {
  return `${filterWord(source)} ${destinationWord(source)}`;
}

/** What tells one source of a stream from all others, now and later: the key of its position. */
export function indexName(source: StreamSource): string {
  return `${originWord(source)} ${mappingWords(source)}`;
}

/** The consumer's name. `isRepeated`: another source of the stream takes from the same stream. */
export function consumerName(kind: OriginKind, taker: Taker, source: StreamSource, isRepeated: boolean): string {
  const own = shortHash([taker.stream, taker.account, ...(taker.domain === '' ? [] : [taker.domain])].join(' '));
  if (kind === 'mirror') return `JS_MIRROR_${own}`;
  return `JS_SRC_${shortHash(isRepeated ? `${own} ${indexName(source)}` : own)}`;
}

/** What becomes of subjects on the way: the first of the origin's transforms that matches, then the stream's own. */
export class SubjectPath {
  readonly #first: readonly SubjectTransform[];
  readonly #last: SubjectTransform | undefined;

  constructor(source: StreamSource, own: SubjectTransform | undefined, random: () => number) {
    this.#first = source.subjectTransforms.flatMap((mapping) => transformOf(mapping, random) ?? []);
    this.#last = own;
  }

  /** The subject as it is to be stored: a view of what is given, or of memory that the next call uses again. */
  apply(buffer: Buffer, start: number, end: number): Buffer {
    let subject = buffer.subarray(start, end);
    for (const transform of this.#first) {
      const length = transform.apply(subject, 0, subject.length);
      if (length < 0) continue;
      subject = transform.output.subarray(0, length);
      break;
    }
    const length = this.#last?.apply(subject, 0, subject.length) ?? -1;
    return length < 0 ? subject : this.#last!.output.subarray(0, length);
  }
}
