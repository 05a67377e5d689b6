/**
 * Owns subject transforms (streams.md 2.6): a destination with mapping functions is checked and compiled once, and applied
 * to subjects in their stored form, byte by byte, without a string.
 */
import { enlarged } from './byte-writing.ts';
import { isValidSubject } from './subjects.ts';
import { compileDestination, MappingError, type CutKind, type Piece } from './transform-destination.ts';

const DOT = 0x2e;
const STAR = 0x2a;
const ZERO = 0x30;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** A subject that would become longer than its stored form can be is left as it is. */
const MAX_SUBJECT_BYTES = 65_535;
const INITIAL_OUTPUT_BYTES = 256;
const MAX_NUMBER_BYTES = 10;

/** `reason` in the words of the reference server. */
export type SubjectTransformResult =
  { readonly ok: true; readonly transform: SubjectTransform } | { readonly ok: false; readonly reason: string };

/** Compiles a mapping; an empty `src` stands for `>`. `random` is drawn from by `{{random(n)}}` alone. */
export function compileSubjectTransform(src: string, dest: string, random: () => number): SubjectTransformResult {
  const source = src === '' ? '>' : src;
  if (!isValidSubject(source)) return { ok: false, reason: `invalid subject ${src}` };
  try {
    return { ok: true, transform: new SubjectTransform(source, compileDestination(source, dest), random) };
  } catch (error) {
    if (!(error instanceof MappingError)) throw error;
    return { ok: false, reason: error.message };
  }
}

/** One mapping, ready for use. What `apply` wrote is in `output` until the next call. */
export class SubjectTransform {
  readonly #source: readonly Buffer[];
  readonly #pieces: readonly Piece[];
  readonly #openEnded: boolean;
  readonly #random: () => number;
  #starts = new Int32Array(16);
  #ends = new Int32Array(16);
  #tokens = 0;
  #output: Buffer = Buffer.alloc(INITIAL_OUTPUT_BYTES);
  #length = 0;

  constructor(source: string, pieces: readonly Piece[], random: () => number) {
    const tokens = source.split('.');
    this.#openEnded = tokens.at(-1) === '>';
    this.#source = (this.#openEnded ? tokens.slice(0, -1) : tokens).map((token) => Buffer.from(token));
    this.#pieces = pieces;
    this.#random = random;
  }

  get output(): Buffer {
    return this.#output;
  }

  /**
   * Transforms the literal subject in `buffer[start, end)`. Returns the length of the new one in `output`; -1 if the subject
   * does not match, or would become too long.
   */
  apply(buffer: Buffer, start: number, end: number): number {
    if (!this.#match(buffer, start, end)) return -1;
    this.#length = 0;
    for (let index = 0; index < this.#pieces.length; index++) {
      if (index > 0) this.#writeDot();
      this.#write(this.#pieces[index]!, buffer, start, end);
    }
    if (this.#openEnded) {
      if (this.#pieces.length > 0) this.#writeDot();
      this.#copy(buffer, this.#starts[this.#source.length]!, end);
    }
    return this.#length > MAX_SUBJECT_BYTES ? -1 : this.#length;
  }

  /** The same for a subject that is a string; undefined if it does not match. */
  applyToText(subject: string): string | undefined {
    const bytes = Buffer.from(subject);
    const length = this.apply(bytes, 0, bytes.length);
    return length < 0 ? undefined : this.#output.toString('utf8', 0, length);
  }

  #match(buffer: Buffer, start: number, end: number): boolean {
    this.#tokenise(buffer, start, end);
    const wanted = this.#source.length;
    if (this.#openEnded ? this.#tokens <= wanted : this.#tokens !== wanted) return false;
    for (let index = 0; index < wanted; index++) {
      const token = this.#source[index]!;
      if (token.length === 1 && token[0] === STAR) continue;
      if (buffer.compare(token, 0, token.length, this.#starts[index], this.#ends[index]) !== 0) return false;
    }
    return true;
  }

  #tokenise(buffer: Buffer, start: number, end: number): void {
    let tokens = 0;
    let tokenStart = start;
    for (let at = start; at <= end; at++) {
      if (at < end && buffer[at] !== DOT) continue;
      if (tokens === this.#starts.length) this.#growTokens();
      this.#starts[tokens] = tokenStart;
      this.#ends[tokens++] = at;
      tokenStart = at + 1;
    }
    this.#tokens = tokens;
  }

  #growTokens(): void {
    const starts = new Int32Array(this.#starts.length * 2);
    const ends = new Int32Array(this.#ends.length * 2);
    starts.set(this.#starts);
    ends.set(this.#ends);
    this.#starts = starts;
    this.#ends = ends;
  }

  #write(piece: Piece, buffer: Buffer, start: number, end: number): void {
    switch (piece.kind) {
      case 'literal':
        this.#copy(piece.bytes, 0, piece.bytes.length);
        return;
      case 'token':
        this.#copy(buffer, this.#starts[piece.token]!, this.#ends[piece.token]!);
        return;
      case 'partition':
        this.#writeNumber(this.#partition(piece, buffer, start, end));
        return;
      case 'random':
        this.#writeNumber(piece.buckets > 0 ? Math.floor(this.#random() * piece.buckets) : 0);
        return;
      case 'split':
        this.#split(buffer, this.#starts[piece.token]!, this.#ends[piece.token]!, piece.separator);
        return;
      case 'splitFromLeft':
      case 'splitFromRight':
      case 'sliceFromLeft':
      case 'sliceFromRight':
      case 'left':
      case 'right':
        this.#cut(piece.kind, piece.size, buffer, this.#starts[piece.token]!, this.#ends[piece.token]!);
    }
  }

  #partition(
    piece: { readonly buckets: number; readonly tokens: readonly number[] },
    buffer: Buffer,
    start: number,
    end: number,
  ): number {
    if (piece.buckets === 0) return 0;
    let hash = FNV_OFFSET;
    if (piece.tokens.length === 0) hash = fnv1a(hash, buffer, start, end);
    for (const token of piece.tokens) hash = fnv1a(hash, buffer, this.#starts[token]!, this.#ends[token]!);
    // A negative number of buckets counts as the reference server's unsigned one.
    return (hash >>> 0) % (piece.buckets >>> 0);
  }

  /**
   * Differs from the reference server: empty parts never make empty tokens, which no subject may have; a token that is
   * separators only stays as it is.
   */
  #split(buffer: Buffer, start: number, end: number, separator: Buffer): void {
    const before = this.#length;
    let partStart = start;
    for (let at = start; at <= end;) {
      const cuts =
        separator.length === 0 ? beginsCharacter(buffer, at, partStart) : startsWith(buffer, at, end, separator);
      if (!cuts && at < end) {
        at++;
        continue;
      }
      if (at > partStart) {
        if (this.#length > before) this.#writeDot();
        this.#copy(buffer, partStart, at);
      }
      if (at === end) break;
      at += separator.length;
      partStart = at;
    }
    if (this.#length === before) this.#copy(buffer, start, end);
  }

  #cut(kind: CutKind, size: number, buffer: Buffer, start: number, end: number): void {
    const bytes = end - start;
    if (size <= 0 || size >= bytes) {
      this.#copy(buffer, start, end);
      return;
    }
    switch (kind) {
      case 'left':
        this.#copy(buffer, start, start + size);
        return;
      case 'right':
        this.#copy(buffer, end - size, end);
        return;
      case 'splitFromLeft':
        this.#copyParts(buffer, [start, start + size, end]);
        return;
      case 'splitFromRight':
        this.#copyParts(buffer, [start, end - size, end]);
        return;
      case 'sliceFromLeft':
        this.#slices(buffer, { start, first: size, size, end });
        return;
      case 'sliceFromRight':
        this.#slices(buffer, { start, first: bytes % size || size, size, end });
    }
  }

  #copyParts(buffer: Buffer, [start, middle, end]: readonly [number, number, number]): void {
    this.#copy(buffer, start, middle);
    this.#writeDot();
    this.#copy(buffer, middle, end);
  }

  /** Slices of `size` bytes, the first of `first`; the last is what is left. */
  #slices(
    buffer: Buffer,
    { start, first, size, end }: Readonly<Record<'start' | 'first' | 'size' | 'end', number>>,
  ): void {
    this.#copy(buffer, start, start + first);
    for (let at = start + first; at < end; at += size) {
      this.#writeDot();
      this.#copy(buffer, at, Math.min(at + size, end));
    }
  }

  #copy(source: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    source.copy(this.#output, this.#length, start, end);
    this.#length += end - start;
  }

  #writeDot(): void {
    this.#reserve(1);
    this.#output[this.#length++] = DOT;
  }

  #writeNumber(value: number): void {
    this.#reserve(MAX_NUMBER_BYTES);
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits++;
    let rest = value;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      this.#output[at] = ZERO + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#length += digits;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed > this.#output.length) this.#output = enlarged(this.#output, this.#length, needed);
  }
}

function fnv1a(seed: number, buffer: Buffer, start: number, end: number): number {
  let hash = seed;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ buffer[at]!, FNV_PRIME);
  return hash;
}

/** Whether another character of UTF-8 begins behind the one at `partStart`. */
function beginsCharacter(buffer: Buffer, at: number, partStart: number): boolean {
  return at > partStart && (buffer[at]! & 0xc0) !== 0x80;
}

function startsWith(buffer: Buffer, at: number, end: number, prefix: Buffer): boolean {
  return at + prefix.length <= end && buffer.compare(prefix, 0, prefix.length, at, at + prefix.length) === 0;
}
