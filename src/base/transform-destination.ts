/**
 * Owns the language of a subject transform's destination: tokens, placeholders and mapping functions, with their errors in
 * the words of the reference server (streams.md 2.6).
 */

const MAX_INT32 = 2 ** 31 - 1;

/** What one token of the destination becomes. `token` is an index into the tokens of the subject. */
export type Piece =
  | { readonly kind: 'literal'; readonly bytes: Buffer }
  | { readonly kind: 'token'; readonly token: number }
  /** Hash of the tokens; of the whole subject if there are none. */
  | { readonly kind: 'partition'; readonly buckets: number; readonly tokens: readonly number[] }
  | { readonly kind: 'random'; readonly buckets: number }
  | { readonly kind: 'split'; readonly token: number; readonly separator: Buffer }
  | { readonly kind: CutKind; readonly token: number; readonly size: number };

export type CutKind = 'splitFromLeft' | 'splitFromRight' | 'sliceFromLeft' | 'sliceFromRight' | 'left' | 'right';

/** The destination can't be had; the message is for the client. */
export class MappingError extends Error {}

/** @throws {MappingError} whose message is the reference server's. */
export function compileDestination(source: string, dest: string): Piece[] {
  const tokens = dest.split('.');
  for (const [index, token] of tokens.entries()) checkToken(token, index === tokens.length - 1);
  const sourceTokens = source.split('.');
  const openEnded = tokens.at(-1) === '>';
  if (tokens.includes('*') || openEnded !== (sourceTokens.at(-1) === '>')) throw new MappingError('invalid subject');
  const wildcards = sourceTokens.flatMap((token, index) => (token === '*' ? [index] : []));
  const context = { wildcards, fixed: wildcards.length === 0 && !openEnded };
  return (openEnded ? tokens.slice(0, -1) : tokens).map((token) => compileToken(token, context));
}

function checkToken(token: string, isLast: boolean): void {
  if (isFunction(token)) {
    if (parseCall(token) === undefined) throw destinationError('unknown function', token);
  } else if (token === '' || (token === '>' && !isLast) || /[ \t\r\n\f]/.test(token)) {
    throw new MappingError('invalid mapping destination: invalid transform');
  }
}

function isFunction(token: string): boolean {
  return token.length > 4 && token.startsWith('{{') && token.endsWith('}}');
}

const FUNCTION_NAMES = [
  'wildcard',
  'partition',
  'splitFromLeft',
  'splitFromRight',
  'sliceFromLeft',
  'sliceFromRight',
  'split',
  'left',
  'right',
  'random',
] as const;
type FunctionName = (typeof FUNCTION_NAMES)[number];

/** The first letter of each word in a function's name may be of either case. */
const PATTERNS = FUNCTION_NAMES.map((name) => {
  const words = name.replace(/^[a-z]|[A-Z]/g, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);
  return [name, new RegExp(`\\{\\{\\s*${words}\\s*\\((.*)\\)\\s*\\}\\}`)] as const;
});

function parseCall(token: string): { readonly name: FunctionName; readonly args: readonly string[] } | undefined {
  for (const [name, pattern] of PATTERNS) {
    const args = pattern.exec(token)?.[1];
    if (args !== undefined) return { name, args: args.split(/,\s*/) };
  }
  return undefined;
}

interface Context {
  /** Which tokens of the source are wildcards. */
  readonly wildcards: readonly number[];
  /** The source is a literal subject. */
  readonly fixed: boolean;
}

function compileToken(token: string, context: Context): Piece {
  const index = /^\$([+-]?[0-9]+)$/.exec(token)?.[1];
  if (index !== undefined) return { kind: 'token', token: sourceToken(Number(index), token, context) };
  const call = isFunction(token) ? parseCall(token) : undefined;
  if (call === undefined) return { kind: 'literal', bytes: Buffer.from(token) };
  const { name, args } = call;
  switch (name) {
    case 'wildcard':
      if (args[0] === '' && args.length === 1) throw notEnough(token);
      if (args.length > 1) throw tooMany(token);
      return { kind: 'token', token: sourceToken(integer(args[0]!, token), token, context) };
    case 'partition': {
      const buckets = int32(args[0]!, token);
      const indexes = args.slice(1).map((arg) => integer(arg, token));
      // As for the reference server: where nothing varies, the whole subject counts, whatever was named.
      const tokens = context.fixed ? [] : indexes.map((each) => sourceToken(each, token, context));
      return { kind: 'partition', buckets, tokens };
    }
    case 'random':
      if (args.length !== 1) throw notEnough(token);
      return { kind: 'random', buckets: int32(args[0]!, token) };
    case 'split': {
      const [at, separator] = twoArguments(args, token);
      const position = integer(at, token);
      if (/[ .]/.test(separator)) throw invalidArgument(token);
      return { kind: 'split', token: sourceToken(position, token, context), separator: Buffer.from(separator) };
    }
    case 'splitFromLeft':
    case 'splitFromRight':
    case 'sliceFromLeft':
    case 'sliceFromRight':
    case 'left':
    case 'right': {
      const [at, size] = twoArguments(args, token);
      const position = integer(at, token);
      const piece = { kind: name, size: int32(size, token) };
      return { ...piece, token: sourceToken(position, token, context) };
    }
  }
}

/** The token that the n-th wildcard stands for. Below 1, as for the reference server, it is the first of all tokens. */
function sourceToken(n: number, token: string, { wildcards, fixed }: Context): number {
  if (fixed) throw destinationError('wildcard index out of range', token);
  if (n > wildcards.length) throw destinationError('wildcard index out of range', `${token}: [${n}]`);
  return n < 1 ? 0 : wildcards[n - 1]!;
}

function twoArguments(args: readonly string[], token: string): readonly [string, string] {
  if (args.length < 2) throw notEnough(token);
  if (args.length > 2) throw tooMany(token);
  return [args[0]!, args[1]!];
}

function integer(text: string, token: string): number {
  const trimmed = text.replace(/^ +| +$/g, '');
  const value = Number(trimmed);
  if (!/^[+-]?[0-9]+$/.test(trimmed) || !Number.isSafeInteger(value)) throw invalidArgument(token);
  return value;
}

function int32(text: string, token: string): number {
  const value = integer(text, token);
  if (value > MAX_INT32) throw invalidArgument(token);
  return value;
}

function destinationError(what: string, where: string): MappingError {
  return new MappingError(`invalid mapping destination: ${what} in ${where}`);
}

function notEnough(token: string): MappingError {
  return destinationError('not enough arguments passed to the function', token);
}

function tooMany(token: string): MappingError {
  return destinationError('too many arguments passed to the function', token);
}

function invalidArgument(token: string): MappingError {
  return destinationError('function argument is invalid or in the wrong format', token);
}
