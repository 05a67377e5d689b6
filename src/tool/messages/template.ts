/** Owns the words in double braces that are replaced in what is published. */
import { randomBytes, randomInt } from 'node:crypto';
import { UsageError } from '../failure.ts';

export const TEMPLATE_HELP = `In subject, body and headers, {{Count}} is the number of the message, {{ID}} a random name, {{Time}} the time of day,
{{TimeStamp}} the date and time, {{Unix}} and {{UnixNano}} the seconds and nanoseconds since 1970, {{Random 10 100}} a
text of 10 to 100 random letters, {{Request}} the request that is answered. --no-templates leaves all of it as it is.`;

const PLACEHOLDER = /\{\{\s*\.?(\w+)((?:\s+\d+)*)\s*\}\}/g;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

export interface TemplateValues {
  readonly count: number;
  readonly request?: string;
}

/** @throws {UsageError} for a word that means nothing. */
export function fill(template: string, values: TemplateValues): string {
  if (!template.includes('{{')) return template;
  return template.replace(PLACEHOLDER, (_, name: string, numbers: string) => {
    return valueOf(name, numbers.trim().split(/\s+/).map(Number), values);
  });
}

function valueOf(name: string, numbers: readonly number[], { count, request }: TemplateValues): string {
  const now = new Date();
  switch (name) {
    case 'Count':
      return String(count);
    case 'ID':
      return randomBytes(12).toString('hex');
    case 'Time':
      return now.toISOString().slice(11, 19);
    case 'TimeStamp':
      return now.toISOString();
    case 'Unix':
      return String(Math.floor(now.getTime() / 1000));
    case 'UnixNano':
      return `${now.getTime()}000000`;
    case 'Request':
      return request ?? '';
    case 'Random':
      return randomText(numbers[0] ?? 0, numbers[1] ?? numbers[0] ?? 0);
    default:
      throw new UsageError(`{{${name}}} means nothing here; --no-templates publishes it as it is`);
  }
}

function randomText(min: number, max: number): string {
  const length = randomInt(min, Math.max(min, max) + 1);
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}
