/** Owns the arguments: words that are known by their place. Names are checked here, as a wrong one would go unanswered. */
import { UsageError } from '../failure.ts';
import type { Parameter } from './parameter.ts';
import { parseInteger } from './quantities.ts';

export function argument(placeholder: string, help: string): Parameter<string> {
  return oneWord(placeholder, help, (word) => word);
}

function oneWord<T>(placeholder: string, help: string, read: (word: string) => T): Parameter<T> {
  return { kind: 'argument', arity: 'one', placeholder, help, read: (texts) => read(texts[0]!) };
}

/** The same argument, which may be left out. */
export function optional<T>(whole: Parameter<T>): Parameter<T | undefined> {
  return { ...whole, arity: 'optional', read: (texts) => (texts.length === 0 ? undefined : whole.read(texts)) };
}

/** All words that are left. */
export function manyArguments(placeholder: string, help: string): Parameter<readonly string[]> {
  return { kind: 'argument', arity: 'many', placeholder, help, read: (texts) => texts };
}

/** A whole number from `least` on. */
export function numberArgument(placeholder: string, help: string, least = 1): Parameter<number> {
  return oneWord(placeholder, help, (word) => parseInteger(word, least));
}

/** Of a stream or a consumer: a token of the subjects on which the API is asked. */
export function nameArgument(placeholder: string, help: string): Parameter<string> {
  return oneWord(placeholder, help, (word) => {
    if (word === '') throw new UsageError('a name is not empty');
    if (/[\s.*>/\\]/.test(word)) throw new UsageError(`"${word}" is not a name: it has blanks or any of . * > / \\`);
    return word;
  });
}

/** Buckets have stricter names than streams. */
export function bucketArgument(placeholder: string, help: string): Parameter<string> {
  return oneWord(placeholder, help, (word) => {
    if (/^[\w-]+$/.test(word)) return word;
    throw new UsageError(`"${word}" is not the name of a bucket: letters, digits, _ and - only`);
  });
}

/** What is published to or asked has one subject; what is listened on or chosen may have wildcards. */
export function subjectArgument(placeholder: string, help: string): Parameter<string> {
  return oneWord(placeholder, help, (word) => {
    checkSubject(word);
    return word;
  });
}

/** @throws {UsageError} when nobody could ever listen on it. */
export function checkSubject(subject: string): void {
  if (subject === '') throw new UsageError('a subject is not empty');
  if (/\s/.test(subject)) throw new UsageError(`"${subject}" is not a subject: it has blanks`);
  const tokens = subject.split('.');
  if (tokens.includes('')) throw new UsageError(`"${subject}" is not a subject: nothing stands between two dots`);
  if (tokens.slice(0, -1).includes('>'))
    throw new UsageError(`"${subject}" is not a subject: > stands at its end only`);
}
