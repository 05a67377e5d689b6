/**
 * Owns the grammar of configuration files: a superset of JSON with `key value`, `key = value` and `key: value` pairs,
 * comments, variables and includes. What the options mean is elsewhere.
 */
import { dirname, resolve } from 'node:path';
import { readLiteral } from './literals.ts';
import { Problems, type Position } from './problems.ts';
import { isBlank, isLineEnd, Scanner, SyntaxProblem } from './scanner.ts';
import type { ConfigArray, ConfigEntry, ConfigMap, ConfigValue } from './values.ts';

/** Nesting of maps and arrays. */
const MAX_DEPTH = 64;
/** Ends a bare word, beside blanks and line ends. */
const WORD_END = ',;]}';
/** A bare value that starts so is a bcrypt hash, not a variable. */
const BCRYPT_PREFIX = '$2a$';

export interface ParseInputs {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @throws what the file system says, if the file can't be read */
  readonly readFile: (path: string) => string;
}

/**
 * Parses `text`, which was read from `file`. Missing variables and unreadable includes are gathered in `problems`;
 * a syntax error ends the parse of its file, as nothing after it can be trusted.
 */
export function parseConfig(text: string, file: string, inputs: ParseInputs, problems: Problems): ConfigMap {
  return new Parser(new Scanner(text.replace(/^\uFEFF/, ''), file), inputs, problems, [resolve(file)]).parse();
}

class Parser {
  readonly #scanner: Scanner;
  readonly #inputs: ParseInputs;
  readonly #problems: Problems;
  /** The file and all that led to it, files and environment variables: none of them may be entered again. */
  readonly #sources: readonly string[];
  /** The maps that enclose the current place, outermost first: where variables are looked up. */
  readonly #scopes: Map<string, ConfigEntry>[] = [];
  #depth = 0;

  constructor(scanner: Scanner, inputs: ParseInputs, problems: Problems, sources: readonly string[]) {
    this.#scanner = scanner;
    this.#inputs = inputs;
    this.#problems = problems;
    this.#sources = sources;
  }

  parse(): ConfigMap {
    const position = this.#scanner.position;
    const entries = new Map<string, ConfigEntry>();
    this.#scopes.push(entries);
    try {
      this.#parsePairs(entries, 'top');
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error;
      this.#problems.error(error.position, error.message);
    }
    return { kind: 'map', entries, position };
  }

  /** The value of an environment variable, read as if it stood in the file. */
  parseLone(scopes: readonly Map<string, ConfigEntry>[]): ConfigValue | undefined {
    this.#scopes.push(...scopes);
    const value = this.#parseValue();
    this.#scanner.skipSpace();
    if (!this.#scanner.atEnd()) this.#scanner.fail(`unexpected ${this.#scanner.describeNext()} after the value`);
    return value;
  }

  /** Pairs until the end of the file, or of the braces around them. */
  #parsePairs(entries: Map<string, ConfigEntry>, level: 'top' | 'braced'): void {
    const scanner = this.#scanner;
    for (;;) {
      this.#skipSeparators();
      if (scanner.atEnd()) {
        if (level === 'braced') scanner.fail('the map is not closed: "}" is missing');
        return;
      }
      if (scanner.peek() === '}') {
        if (level === 'top') scanner.fail('there is no map that this "}" could close');
        return;
      }
      // The whole file may be wrapped in braces, as JSON is.
      if (scanner.peek() === '{' && level === 'top') {
        this.#parseBraced(entries);
      } else {
        this.#parsePair(entries);
      }
      this.#expectPairEnd();
    }
  }

  #skipSeparators(): void {
    this.#scanner.skipSpace();
    while (this.#scanner.peek() === ',' || this.#scanner.peek() === ';') {
      this.#scanner.take();
      this.#scanner.skipSpace();
    }
  }

  #parseBraced(entries: Map<string, ConfigEntry>): void {
    this.#enter();
    this.#scanner.take();
    this.#parsePairs(entries, 'braced');
    this.#scanner.take();
    this.#depth -= 1;
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#scanner.fail(`nested deeper than ${MAX_DEPTH} levels`);
  }

  #expectPairEnd(): void {
    const scanner = this.#scanner;
    scanner.skipBlanks();
    const next = scanner.peek();
    if (next === '' || next === ',' || next === ';' || next === '}' || isLineEnd(next) || scanner.atComment()) return;
    scanner.fail(`expected the end of the line, "," or ";" after a value, but found ${scanner.describeNext()}`);
  }

  #parsePair(entries: Map<string, ConfigEntry>): void {
    const scanner = this.#scanner;
    const position = scanner.position;
    const quoted = scanner.peek() === '"' || scanner.peek() === "'";
    const key = this.#parseKey();
    if (key === 'include' && !quoted && this.#atIncludePath()) {
      this.#include(entries, position);
      return;
    }
    this.#skipKeySeparator(key);
    const value = this.#parseValue();
    if (value === undefined) return;
    // Deleted first, so that the order of entries is that of their last definition.
    entries.delete(key);
    entries.set(key, { key, position, value, usedAsVariable: false });
  }

  #parseKey(): string {
    const scanner = this.#scanner;
    if (scanner.peek() === '"') return scanner.doubleQuoted();
    if (scanner.peek() === "'") return scanner.singleQuoted();
    let key = '';
    for (;;) {
      const char = scanner.peek();
      if (char === '' || isBlank(char) || isLineEnd(char) || '=:{}[],;'.includes(char)) break;
      key += scanner.take();
    }
    if (key === '') scanner.fail(`expected the name of an option, but found ${scanner.describeNext()}`);
    return key;
  }

  #skipKeySeparator(key: string): void {
    const scanner = this.#scanner;
    scanner.skipSpace();
    if (scanner.peek() === '=' || scanner.peek() === ':') {
      scanner.take();
      scanner.skipBlanks();
    }
    if (scanner.atEnd() || isLineEnd(scanner.peek()) || scanner.atComment()) {
      scanner.fail(`"${key}" has no value: expected one, but found ${scanner.describeNext()}`);
    }
  }

  /** Undefined: a problem with the value was reported, and the text goes on behind it. */
  #parseValue(): ConfigValue | undefined {
    const scanner = this.#scanner;
    const position = scanner.position;
    switch (scanner.peek()) {
      case '{': {
        const entries = new Map<string, ConfigEntry>();
        this.#scopes.push(entries);
        this.#parseBraced(entries);
        this.#scopes.pop();
        return { kind: 'map', entries, position };
      }
      case '[':
        return this.#parseArray(position);
      case '"':
        return { kind: 'string', value: scanner.doubleQuoted(), position };
      case "'":
        return { kind: 'string', value: scanner.singleQuoted(), position };
      case '(':
        return { kind: 'string', value: scanner.block(), position };
      default:
        return this.#parseWord(position);
    }
  }

  /** Elements are separated by commas or line ends. */
  #parseArray(position: Position): ConfigArray {
    const scanner = this.#scanner;
    const items: ConfigValue[] = [];
    this.#enter();
    scanner.take();
    for (;;) {
      scanner.skipSpace();
      if (scanner.atEnd()) scanner.fail('the array is not closed: "]" is missing');
      if (scanner.peek() === ']') break;
      const item = this.#parseValue();
      if (item !== undefined) items.push(item);
      this.#expectItemEnd();
    }
    scanner.take();
    this.#depth -= 1;
    return { kind: 'array', items, position };
  }

  #expectItemEnd(): void {
    const scanner = this.#scanner;
    scanner.skipBlanks();
    const separated = isLineEnd(scanner.peek()) || scanner.atComment();
    scanner.skipSpace();
    if (scanner.peek() === ',') {
      scanner.take();
    } else if (!separated && scanner.peek() !== ']' && !scanner.atEnd()) {
      scanner.fail(`expected "," or "]" in the array, but found ${scanner.describeNext()}`);
    }
  }

  #parseWord(position: Position): ConfigValue | undefined {
    const { word, escaped } = this.#takeWord();
    if (word === '' && !escaped) this.#scanner.fail(`expected a value, but found ${this.#scanner.describeNext()}`);
    if (escaped) return { kind: 'string', value: word, position };
    if (word.startsWith('$') && word.length > 1 && !word.startsWith(BCRYPT_PREFIX)) {
      return this.#resolveVariable(word.slice(1), position);
    }
    const literal = readLiteral(word);
    if (literal.kind === 'invalid') return this.#scanner.fail(literal.message, position);
    return { ...literal, position };
  }

  #takeWord(): { word: string; escaped: boolean } {
    const scanner = this.#scanner;
    let word = '';
    let escaped = false;
    for (;;) {
      const char = scanner.peek();
      if (char === '' || isBlank(char) || isLineEnd(char) || WORD_END.includes(char)) return { word, escaped };
      if (char === '\\') {
        escaped = true;
        word += scanner.escape();
      } else {
        word += scanner.take();
      }
    }
  }

  /** Innermost map first, then the environment. */
  #resolveVariable(name: string, position: Position): ConfigValue | undefined {
    for (const scope of this.#scopes.toReversed()) {
      const entry = scope.get(name);
      if (entry === undefined) continue;
      entry.usedAsVariable = true;
      return { ...entry.value, position };
    }
    const text = this.#inputs.env[name];
    if (text === undefined) {
      this.#problems.error(position, `variable "${name}" is neither defined before its use nor in the environment`);
      return undefined;
    }
    return this.#parseEnvironment(name, text, position);
  }

  #parseEnvironment(name: string, text: string, position: Position): ConfigValue | undefined {
    const source = `$${name}`;
    if (this.#sources.includes(source)) {
      this.#problems.error(position, `environment variable "${name}" refers to itself`);
      return undefined;
    }
    const parser = new Parser(new Scanner(text, source), this.#inputs, this.#problems, [...this.#sources, source]);
    try {
      const value = parser.parseLone(this.#scopes);
      return value === undefined ? undefined : { ...value, position };
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error;
      this.#problems.error(position, `environment variable "${name}": ${error.message}`);
      return undefined;
    }
  }

  /** `include` is a keyword only when a path follows directly: `include: x` would be an option of that name. */
  #atIncludePath(): boolean {
    this.#scanner.skipBlanks();
    const next = this.#scanner.peek();
    return next !== '' && next !== '=' && next !== ':' && next !== '{' && !isLineEnd(next);
  }

  #include(entries: Map<string, ConfigEntry>, position: Position): void {
    const name = this.#parseIncludePath();
    const path = resolve(dirname(this.#scanner.file), name);
    if (this.#sources.includes(path)) {
      this.#problems.error(position, `file "${name}" includes itself`);
      return;
    }
    let text: string;
    try {
      text = this.#inputs.readFile(path);
    } catch (error) {
      this.#problems.error(position, `can't read included file "${name}": ${(error as Error).message}`);
      return;
    }
    // A parser of its own: an included file must not depend on the variables of whoever includes it.
    const parser = new Parser(new Scanner(text, path), this.#inputs, this.#problems, [...this.#sources, path]);
    for (const [key, entry] of parser.parse().entries) {
      entries.delete(key);
      entries.set(key, entry);
    }
  }

  #parseIncludePath(): string {
    if (this.#scanner.peek() === '"') return this.#scanner.doubleQuoted();
    if (this.#scanner.peek() === "'") return this.#scanner.singleQuoted();
    return this.#takeWord().word;
  }
}
