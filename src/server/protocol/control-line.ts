/** Owns the grammar of control lines: verbs, arguments between blanks, and sizes. Works in place, allocates nothing. */
import { CR, NINE, SPACE, TAB, ZERO } from './bytes.ts';

/** The longest list is HPUB's four; a fifth is kept so that "too many" shows. */
const MAX_ARGUMENTS = 5;
const MAX_SIZE_DIGITS = 9;

const VERBS = ['PUB', 'HPUB', 'SUB', 'UNSUB', 'PING', 'PONG', 'CONNECT', 'INFO', '+OK', '-ERR'] as const;
export type Verb = (typeof VERBS)[number];

/** Those that end at any byte: what follows is ignored up to the end of the line, or is all argument. */
const ENDS_ANYWHERE: ReadonlySet<Verb> = new Set<Verb>(['PING', 'PONG', '+OK', 'CONNECT']);
const VERB_BYTES = VERBS.map((verb) => ({ verb, bytes: Buffer.from(verb), blank: !ENDS_ANYWHERE.has(verb) }));

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;

/** ASCII letters without case; other bytes of verbs (`+`, `-`) are themselves. */
function upperCase(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
}

/** The verb that begins at `start` of `buffer[start, end)`, or undefined: unknown, or not followed by a blank. */
export function readVerb(buffer: Buffer, start: number, end: number): Verb | undefined {
  for (const { verb, bytes, blank } of VERB_BYTES) {
    if (commonVerbBytes(buffer, start, end, bytes) !== bytes.length) continue;
    return blank && !isBlank(buffer[start + bytes.length]) ? undefined : verb;
  }
  return undefined;
}

/** Whether `buffer[start, end)`, a line not ended yet, can still become a known operation. */
export function mayBecomeVerb(buffer: Buffer, start: number, end: number): boolean {
  return VERB_BYTES.some(({ bytes, blank }) => {
    const common = commonVerbBytes(buffer, start, end, bytes);
    if (common < bytes.length) return start + common === end;
    const after = start + bytes.length;
    return !blank || after === end || isBlank(buffer[after]);
  });
}

function commonVerbBytes(buffer: Buffer, start: number, end: number, bytes: Buffer): number {
  let common = 0;
  while (common < bytes.length && start + common < end && upperCase(buffer[start + common]!) === bytes[common]) {
    common++;
  }
  return common;
}

/** Where the arguments begin: behind the verb and the blanks that follow. */
export function argumentsStart(buffer: Buffer, start: number, end: number, verb: Verb): number {
  let at = start + verb.length;
  while (at < end && isBlank(buffer[at])) at++;
  return at;
}

/** The arguments of one line as ranges of its buffer. Reused from line to line. */
export class ArgumentList {
  count = 0;
  readonly starts = new Uint32Array(MAX_ARGUMENTS);
  readonly ends = new Uint32Array(MAX_ARGUMENTS);

  /** Splits `buffer[start, end)` at runs of blanks. Arguments beyond the fifth are not kept. */
  split(buffer: Buffer, start: number, end: number): void {
    this.count = 0;
    let at = start;
    while (at < end && this.count < MAX_ARGUMENTS) {
      while (at < end && isSeparator(buffer[at]!)) at++;
      if (at === end) return;
      this.starts[this.count] = at;
      while (at < end && !isSeparator(buffer[at]!)) at++;
      this.ends[this.count++] = at;
    }
  }

  start(i: number): number {
    return this.starts[i]!;
  }

  end(i: number): number {
    return this.ends[i]!;
  }

  /** As a byte string. */
  text(buffer: Buffer, i: number): string {
    return buffer.toString('latin1', this.starts[i], this.ends[i]);
  }

  /** As a size: one to nine decimal digits. -1 for anything else. */
  size(buffer: Buffer, i: number): number {
    return readSize(buffer, this.starts[i]!, this.ends[i]!);
  }
}

function isSeparator(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR;
}

function readSize(buffer: Buffer, start: number, end: number): number {
  if (end === start || end - start > MAX_SIZE_DIGITS) return -1;
  let size = 0;
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!;
    if (byte < ZERO || byte > NINE) return -1;
    size = size * 10 + byte - ZERO;
  }
  return size;
}
