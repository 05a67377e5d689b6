/** Owns walking over the text of a configuration file: positions, blanks, comments, and the quoted kinds of strings. */
import type { Position } from './problems.ts';

/** The text can't be read on from here. Parsing of this file ends with it. */
export class SyntaxProblem extends Error {
  readonly position: Position;

  constructor(position: Position, message: string) {
    super(message);
    this.position = position;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '"': '"', '\\': '\\' };

export class Scanner {
  readonly file: string;
  readonly #text: string;
  #offset = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.file = file;
  }

  /** The next character, or the empty string at the end. */
  peek(ahead = 0): string {
    return this.#text.charAt(this.#offset + ahead);
  }

  take(): string {
    const char = this.peek();
    this.#offset += 1;
    if (char === '\n') {
      this.#line += 1;
      this.#lineStart = this.#offset;
    }
    return char;
  }

  atEnd(): boolean {
    return this.#offset >= this.#text.length;
  }

  get position(): Position {
    return { file: this.file, line: this.#line, column: this.#offset - this.#lineStart + 1 };
  }

  fail(message: string, position = this.position): never {
    throw new SyntaxProblem(position, message);
  }

  /** How messages show what stands here. */
  describeNext(): string {
    if (this.atEnd()) return 'the end of the file';
    return isLineEnd(this.peek()) ? 'the end of the line' : `'${this.peek()}'`;
  }

  skipBlanks(): void {
    while (isBlank(this.peek())) this.take();
  }

  /** Blanks, line ends and comments. */
  skipSpace(): void {
    for (;;) {
      const char = this.peek();
      if (isBlank(char) || isLineEnd(char)) this.take();
      else if (this.atComment()) this.skipComment();
      else return;
    }
  }

  atComment(): boolean {
    return this.peek() === '#' || (this.peek() === '/' && this.peek(1) === '/');
  }

  skipComment(): void {
    while (!this.atEnd() && this.peek() !== '\n') this.take();
  }

  /** `'...'`: raw, may span lines. */
  singleQuoted(): string {
    const start = this.position;
    this.take();
    let value = '';
    while (this.peek() !== "'") {
      if (this.atEnd()) this.fail('the string is not closed', start);
      value += this.take();
    }
    this.take();
    return value;
  }

  /** `"..."` with escapes, may span lines. */
  doubleQuoted(): string {
    const start = this.position;
    this.take();
    let value = '';
    while (this.peek() !== '"') {
      if (this.atEnd()) this.fail('the string is not closed', start);
      value += this.peek() === '\\' ? this.escape() : this.take();
    }
    this.take();
    return value;
  }

  /** `(` ... until a line that holds only `)`. Raw, line ends included. */
  block(): string {
    const start = this.position;
    this.take();
    let value = '';
    for (;;) {
      if (this.atEnd()) this.fail('the block is not closed by a line with only ")"', start);
      const char = this.take();
      if (char === ')' && value.endsWith('\n') && (this.atEnd() || isLineEnd(this.peek()))) return value;
      value += char;
    }
  }

  /** A backslash and what belongs to it. */
  escape(): string {
    const start = this.position;
    this.take();
    const char = this.take();
    if (char === 'x') {
      const digits = this.take() + this.take();
      if (!/^[0-9a-fA-F]{2}$/.test(digits))
        this.fail(`invalid escape "\\x${digits}": two hex digits must follow`, start);
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const plain = ESCAPES[char];
    if (plain === undefined) this.fail(`invalid escape "\\${char}", known are \\xHH \\t \\n \\r \\" \\\\`, start);
    return plain;
  }
}

export function isBlank(char: string): boolean {
  return char === ' ' || char === '\t';
}

export function isLineEnd(char: string): boolean {
  return char === '\n' || char === '\r';
}
