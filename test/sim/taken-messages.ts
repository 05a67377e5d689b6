/**
 * Owns what a stream may have taken from others, according to their committed logs: every message as it is there, in its
 * order, once, and none left out that is still there.
 */
import type { StreamConfig, StreamSource } from '../../src/stream/index.ts';
import type { Complain, ShownMessage } from './checkers.ts';
import { mappedSubject, matchesPattern } from './subject-patterns.ts';

type Shown = Omit<ShownMessage, 'seq'>;

/** An upstream stream as its log has it. */
export interface Origin {
  /** Everything that ever took a sequence. */
  readonly stored: ReadonlyMap<number, Shown>;
  /** What is there now. */
  isLive(seq: number): boolean;
  liveAfter(seq: number): readonly number[];
}

const SOURCE_HEADER = 'Nats-Stream-Source: ';
const LEFT_OUT = ['Nats-Expected-', 'Nats-Batch-'];

export class TakenMessages {
  readonly #config: () => StreamConfig;
  readonly #origin: (name: string) => Origin;
  readonly #complain: Complain;
  /** Of each source, the last sequence that was taken. */
  readonly #positions = new Map<string, number>();

  constructor(options: {
    readonly config: () => StreamConfig;
    readonly origin: (name: string) => Origin;
    readonly complain: Complain;
  }) {
    this.#config = options.config;
    this.#origin = options.origin;
    this.#complain = options.complain;
  }

  /** A mirror whose last sequence is `last` stores this at `seq`. */
  mirrored(seq: number, last: number, shown: Shown): void {
    const { mirror, subjectTransform } = this.#config();
    const original = this.#origin(mirror!.name).stored.get(seq);
    if (original === undefined) {
      this.#complain(`it mirrors ${seq}, which ${mirror!.name} never had`);
      return;
    }
    const subject = mappedSubject(original.subject, mirror!.subjectTransforms);
    const expected = {
      timestampUs: original.timestampUs,
      subject: subjectTransform === undefined ? subject : mappedSubject(subject, [subjectTransform]),
      headers: keptHeaders(original.headers, LEFT_OUT, []),
      payload: original.payload,
    };
    if (!isSame(expected, shown)) this.#complain(`it mirrors ${seq} otherwise: ${JSON.stringify(shown)}`);
    this.#checkPassedOver(mirror!, last, seq);
  }

  /** A mirror whose last sequence is `last` has nothing of what follows, through `seq`. */
  passedOver(last: number, seq: number): void {
    this.#checkPassedOver(this.#config().mirror!, last, seq + 1);
  }

  /** A message of a source is in the log. False: the stream has it already. `firstSeq`: of the taker. */
  sourced(shown: Shown, firstSeq: number): boolean {
    const value = shown.headers.split('\r\n').find((line) => line.startsWith(SOURCE_HEADER));
    const [origin, at, filters, destinations, subject, identity] = (value ?? '')
      .slice(SOURCE_HEADER.length)
      .split(' ') as [string, string, string, string, string, string];
    const index = `${origin} ${filters} ${destinations}`;
    const seq = Number(at);
    const source = this.#sources().find((each) => indexOf(each) === index);
    const original = this.#origin(origin).stored.get(seq);
    if (source === undefined || original === undefined || identity === '') {
      this.#complain(`it takes ${seq} of ${origin}, which never had that or is none of its sources`);
      return false;
    }
    const own = this.#config().subjectTransform;
    const mapped = mappedSubject(original.subject, source.subjectTransforms);
    const expected = {
      timestampUs: shown.timestampUs,
      subject: own === undefined ? mapped : mappedSubject(mapped, [own]),
      headers: keptHeaders(original.headers, [...LEFT_OUT, SOURCE_HEADER], [value!]),
      payload: original.payload,
    };
    if (subject !== original.subject || !isSame(expected, shown)) {
      this.#complain(`it takes ${seq} of ${origin} otherwise: ${JSON.stringify(shown)}`);
    }
    const position = this.#positions.get(index);
    if (position !== undefined && seq <= position) return false;
    // Without a position, and having lost its first messages, it begins with what is newer than its last one.
    if (position !== undefined || firstSeq <= 1) this.#checkPassedOver(source, position ?? 0, seq);
    this.#positions.set(index, seq);
    return true;
  }

  /** Whatever is to be had upstream has been taken. `last`: of the taker. */
  isCaughtUp(last: { readonly seq: number; readonly timestampUs: number; readonly firstSeq: number }): boolean {
    const { mirror, sources } = this.#config();
    if (mirror !== undefined) return this.#wantedAfter(mirror, last.seq).length === 0;
    return sources.every((source) => {
      const position = this.#positions.get(indexOf(source));
      const left = this.#wantedAfter(source, position ?? 0);
      if (position !== undefined || last.firstSeq <= 1) return left.length === 0;
      const { stored } = this.#origin(source.name);
      return left.every((seq) => stored.get(seq)!.timestampUs <= last.timestampUs);
    });
  }

  /** Those of now and those that there were: positions outlive them. */
  #sources(): readonly StreamSource[] {
    for (const source of this.#config().sources) this.#known.set(indexOf(source), source);
    return [...this.#known.values()];
  }

  readonly #known = new Map<string, StreamSource>();

  #checkPassedOver(source: StreamSource, last: number, next: number): void {
    const missed = this.#wantedAfter(source, last).filter((seq) => seq < next);
    if (missed.length > 0)
      this.#complain(`it took ${next} of ${source.name} after ${last}, and left out ${missed.join()}`);
  }

  /** Live messages upstream that the source is to take, behind `last`. */
  #wantedAfter(source: StreamSource, last: number): number[] {
    const origin = this.#origin(source.name);
    const filters =
      source.filterSubject === '' ? source.subjectTransforms.map(({ src }) => src) : [source.filterSubject];
    return origin
      .liveAfter(Math.max(last, source.optStartSeq - 1))
      .filter(
        (seq) => filters.length === 0 || filters.some((each) => matchesPattern(each, origin.stored.get(seq)!.subject)),
      );
  }
}

/** As messages of the source name it. */
function indexOf({ name, filterSubject, subjectTransforms }: StreamSource): string {
  const filters = subjectTransforms.map(({ src }) => src).join('\f') || filterSubject || '>';
  return `${name} ${filters} ${subjectTransforms.map(({ dest }) => dest || '>').join('\f') || '>'}`;
}

function isSame(a: Shown, b: Shown): boolean {
  return (
    a.timestampUs === b.timestampUs && a.subject === b.subject && a.headers === b.headers && a.payload === b.payload
  );
}

/** A header block without the lines that begin with one of `prefixes`, and with `more` at its end. */
function keptHeaders(block: string, prefixes: readonly string[], more: readonly string[]): string {
  const lines = block.split('\r\n').filter((line) => line !== '' && line !== 'NATS/1.0');
  const kept = [...lines.filter((line) => !prefixes.some((prefix) => line.startsWith(prefix))), ...more];
  return kept.length === 0 ? '' : `NATS/1.0\r\n${kept.join('\r\n')}\r\n\r\n`;
}
