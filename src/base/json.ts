/**
 * Owns the parsing of JSON that clients send. `JSON.parse` won't do: numbers must keep their digits (sequences are
 * uint64), a member called `__proto__` must be a member like any other, and clients are told what is wrong in the words
 * of the reference server, offset included.
 */

export type JsonValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string; readonly raw: string }
  | { readonly kind: 'array'; readonly items: readonly JsonValue[]; readonly raw: string }
  | { readonly kind: 'object'; readonly members: readonly JsonMember[]; readonly raw: string };

/** Members stay in order and may repeat: the last one counts. */
export type JsonMember = readonly [name: string, value: JsonValue];

export type JsonResult =
  { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly error: string };

/** Nothing that the API takes is nested deeper than a handful; the bound keeps the stack small. */
const MAX_DEPTH = 200;
const MAX_INT64 = '9223372036854775807';
/** Without its sign. */
const MIN_INT64 = '9223372036854775808';
const NULL: JsonValue = { kind: 'null' };
const TRUE: JsonValue = { kind: 'bool', value: true };
const FALSE: JsonValue = { kind: 'bool', value: false };
const WHITE_SPACE = ' \t\r\n';
const SIMPLE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** Parses one JSON text with nothing but white space around it. Never throws. */
export function parseJson(text: string): JsonResult {
  const parser = new Parser(text);
  const value = parser.parse();
  return value === null ? { ok: false, error: parser.error } : { ok: true, value };
}

/** The same, and says what is wrong in the words of the reference server's older parser. */
export function parsePlainJson(text: string): JsonResult {
  const parser = new Parser(text);
  const value = parser.parsePlain();
  return value === null ? { ok: false, error: plainJsonError(parser.error) } : { ok: true, value };
}

/** Recursive descent. A method that fails has set `error` and returns null; nobody goes on after that. */
class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  error = '';

  constructor(text: string) {
    this.#text = text;
  }

  parse(): JsonValue | null {
    const value = this.#value();
    if (value === null) return null;
    this.#skipSpace();
    if (this.#at === this.#text.length) return value;
    // What follows is read as another value, as the reference server does, so that its first flaw is what is named.
    return this.#value() === null ? null : this.#fail('unexpected data after top-level value');
  }

  parsePlain(): JsonValue | null {
    const value = this.#value();
    if (value === null) return null;
    this.#skipSpace();
    return this.#at === this.#text.length ? value : this.#unexpected('after top-level value');
  }

  #value(): JsonValue | null {
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case undefined:
        return this.#fail('unexpected EOF');
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case 't':
        return this.#literal('true', TRUE);
      case 'f':
        return this.#literal('false', FALSE);
      case 'n':
        return this.#literal('null', NULL);
      default:
        return this.#number();
    }
  }

  #nested(parse: () => JsonValue | null): JsonValue | null {
    if (this.#depth === MAX_DEPTH) return this.#fail('exceeded max depth');
    this.#depth++;
    const value = parse();
    this.#depth--;
    return value;
  }

  #object(): JsonValue | null {
    const start = this.#at++;
    const members: JsonMember[] = [];
    if (!this.#closes('}')) {
      for (;;) {
        this.#skipSpace();
        if (this.#text[this.#at] !== '"') return this.#unexpected('looking for beginning of object key string');
        const name = this.#string();
        if (name === null) return null;
        this.#skipSpace();
        if (this.#text[this.#at] !== ':') return this.#unexpected('after object key');
        this.#at++;
        const value = this.#value();
        if (value === null) return null;
        members.push([name.value, value]);
        if (this.#closes('}')) break;
        if (this.#text[this.#at] !== ',') return this.#unexpected('after object key:value pair');
        this.#at++;
      }
    }
    return { kind: 'object', members, raw: this.#text.slice(start, this.#at) };
  }

  #array(): JsonValue | null {
    const start = this.#at++;
    const items: JsonValue[] = [];
    if (!this.#closes(']')) {
      for (;;) {
        const item = this.#value();
        if (item === null) return null;
        items.push(item);
        if (this.#closes(']')) break;
        if (this.#text[this.#at] !== ',') return this.#unexpected('after array element');
        this.#at++;
      }
    }
    return { kind: 'array', items, raw: this.#text.slice(start, this.#at) };
  }

  #string(): Extract<JsonValue, { kind: 'string' }> | null {
    const start = this.#at++;
    let value = '';
    for (;;) {
      const plainStart = this.#at;
      while (isPlain(this.#text.charCodeAt(this.#at))) this.#at++;
      value += this.#text.slice(plainStart, this.#at);
      const char = this.#text[this.#at];
      if (char === undefined) return this.#fail('unexpected EOF');
      if (char === '"') break;
      if (char !== '\\') return this.#unexpected('in string');
      const escaped = this.#escape();
      if (escaped === null) return null;
      value += escaped;
    }
    this.#at++;
    // Half a surrogate pair has no UTF-8 form.
    const wellFormed = value.replace(/[\ud800-\udfff]/gu, '\ufffd');
    return { kind: 'string', value: wellFormed, raw: this.#text.slice(start, this.#at) };
  }

  #escape(): string | null {
    const letter = this.#text[this.#at + 1];
    if (letter === undefined) return this.#fail('unexpected EOF');
    const simple = SIMPLE_ESCAPES.get(letter);
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (letter === 'u' && /^[0-9a-fA-F]{4}$/.test(digits)) {
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const sequence = letter === 'u' ? `\\u${digits}` : `\\${letter}`;
    return this.#fail(`invalid escape sequence \`${sequence}\` in string at offset ${this.#byteOffset(this.#at + 1)}`);
  }

  #literal(word: string, value: JsonValue): JsonValue | null {
    for (let index = 0; index < word.length; index++) {
      const expected = word[index]!;
      if (this.#text[this.#at] !== expected) return this.#unexpected(`in literal ${word} (expecting '${expected}')`);
      this.#at++;
    }
    return value;
  }

  #number(): JsonValue | null {
    const start = this.#at;
    const negative = this.#takes(/-/y);
    if (!this.#takes(/0|[1-9][0-9]*/y)) {
      return this.#unexpected(negative ? 'in numeric literal' : 'looking for beginning of value');
    }
    if (this.#takes(/\./y) && !this.#takes(/[0-9]+/y)) return this.#unexpected('in numeric literal');
    if (this.#takes(/[eE][+-]?/y) && !this.#takes(/[0-9]+/y)) return this.#unexpected('in numeric literal');
    return { kind: 'number', text: this.#text.slice(start, this.#at) };
  }

  /** Consumes what `pattern` (sticky) matches here. */
  #takes(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  /** Consumes `closing` if it comes next. */
  #closes(closing: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== closing) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && WHITE_SPACE.includes(this.#text[this.#at]!)) this.#at++;
  }

  #unexpected(where: string): null {
    const point = this.#text.codePointAt(this.#at);
    if (point === undefined) return this.#fail('unexpected EOF');
    const char = String.fromCodePoint(point);
    return this.#fail(`invalid character '${shownCharacter(char)}' ${where} at offset ${this.#byteOffset(this.#at)}`);
  }

  /** Counted in bytes, from 1. */
  #byteOffset(at: number): number {
    return Buffer.byteLength(this.#text.slice(0, at)) + 1;
  }

  #fail(error: string): null {
    this.error = error;
    return null;
  }
}

/** Neither a quote, a backslash, a control character, nor (NaN) the end. */
function isPlain(code: number): boolean {
  return code >= 0x20 && code !== 0x22 && code !== 0x5c;
}

/** Whether a text is an integer of 64 bits in decimal digits, perhaps with a sign. */
export function isInt64(text: string): boolean {
  const digits = /^[+-]?0*(\d+)$/.exec(text)?.[1];
  if (digits === undefined) return false;
  if (digits.length !== MAX_INT64.length) return digits.length < MAX_INT64.length;
  return digits <= MAX_INT64 || (text.startsWith('-') && digits === MIN_INT64);
}

function shownCharacter(char: string): string {
  if (char === "'") return "\\'";
  if (char === '"') return char;
  return JSON.stringify(char)
    .slice(1, -1)
    .replace(/^\\u00/, '\\x');
}

/** What is wrong with a text, in the shorter words of the reference server's older parser. */
export function plainJsonError(error: string): string {
  return error === 'unexpected EOF' ? 'unexpected end of JSON input' : error.replace(/ at offset \d+$/, '');
}
