/** Owns what a bare (unquoted) word means: a boolean, a number with a size suffix, a date, or just a string. */

export type Literal =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'datetime'; readonly value: Date }
  | { readonly kind: 'invalid'; readonly message: string };

const TRUE_WORDS = new Set(['true', 'yes', 'on']);
const FALSE_WORDS = new Set(['false', 'no', 'off']);
const SIZE_LETTERS = 'kmgtpe';

const INTEGER = /^(-?\d+)([kmgtpe])?(b|i|ib)?$/i;
const FLOAT = /^-?\d+\.\d+$/;
const DATETIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
/** Digits and dots, then possibly a port: an address, not a number. */
const ADDRESS = /^[\d.]+(:\d*)?$/;

/** `word` is not empty and holds no blank. */
export function readLiteral(word: string): Literal {
  const lower = word.toLowerCase();
  if (TRUE_WORDS.has(lower)) return { kind: 'boolean', value: true };
  if (FALSE_WORDS.has(lower)) return { kind: 'boolean', value: false };
  if (word.startsWith('.')) return invalid(`"${word}": numbers must start with a digit, other values need quotes`);
  if (/^-?\d/.test(word)) return readNumeric(word);
  if (word.startsWith('-')) return invalid(`"${word}": a digit must follow "-", other values need quotes`);
  return { kind: 'string', value: word };
}

function readNumeric(word: string): Literal {
  const integer = INTEGER.exec(word);
  if (integer !== null) return readInteger(word, integer);
  if (FLOAT.test(word)) return { kind: 'float', value: Number(word) };
  // A year and a dash begin a date, and nothing else: the reference server reads it so, and silence would hide a typo.
  if (/^\d{4}-/.test(word)) return readDatetime(word);
  if (/^\d+-/.test(word)) return invalid(`"${word}": dates are written like 2006-01-02T15:04:05Z, strings need quotes`);
  if (ADDRESS.test(word)) return { kind: 'string', value: word };
  if (/^-|^\d+\./.test(word)) return invalid(`"${word}" is not a number; strings like this one need quotes`);
  return { kind: 'string', value: word };
}

/** `8M` is eight million, `8MB`, `8Mi` and `8MiB` are 8 * 2^20. */
function readInteger(word: string, match: RegExpExecArray): Literal {
  const [, digits = '', letter, binary] = match;
  if (letter === undefined && binary !== undefined) return { kind: 'string', value: word };
  const base = binary === undefined ? 1000 : 1024;
  const exponent = letter === undefined ? 0 : SIZE_LETTERS.indexOf(letter.toLowerCase()) + 1;
  const value = Number(digits) * base ** exponent;
  if (!Number.isSafeInteger(value)) return invalid(`integer "${word}" is out of range`);
  return { kind: 'integer', value };
}

function readDatetime(word: string): Literal {
  const value = new Date(DATETIME.test(word) ? word : Number.NaN);
  if (Number.isNaN(value.getTime())) {
    return invalid(`"${word}": dates are written like 2006-01-02T15:04:05Z, strings need quotes`);
  }
  return { kind: 'datetime', value };
}

function invalid(message: string): Literal {
  return { kind: 'invalid', message };
}
