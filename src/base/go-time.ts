/**
 * Owns the reading of times in requests: RFC 3339 as the reference server's library takes it, which is a little lenient, and
 * what it says about everything else.
 */
import type { TimestampUs } from './brand.ts';

export type GoTime =
  { readonly ok: true; readonly timeUs: TimestampUs } | { readonly ok: false; readonly error: string };

const LAYOUT = '2006-01-02T15:04:05Z07:00';
const MAX_FRACTION_DIGITS = 9;

/** What lies below a microsecond is cut off. Never throws. */
export function parseGoTime(text: string): GoTime {
  const parser = new Parser(text);
  const timeUs = parser.parse();
  return timeUs === null ? { ok: false, error: parser.error } : { ok: true, timeUs: timeUs as TimestampUs };
}

interface NumberForm {
  /** The element of the layout. */
  readonly element: string;
  /** What it is called when it is out of range. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** One digit may do. */
  readonly short?: boolean;
}

const MONTH: NumberForm = { element: '01', name: 'month', min: 1, max: 12 };
/** Whether the month has such a day is checked at the end. */
const DAY: NumberForm = { element: '02', name: 'day', min: 0, max: 99 };
const HOUR: NumberForm = { element: '15', name: 'hour', min: 0, max: 23, short: true };
const MINUTE: NumberForm = { element: '04', name: 'minute', min: 0, max: 59 };
const SECOND: NumberForm = { element: '05', name: 'second', min: 0, max: 59 };

/** From left to right. A method that fails has set `error` and returns null; nobody goes on after that. */
class Parser {
  readonly #text: string;
  #rest: string;
  error = '';

  constructor(text: string) {
    this.#text = text;
    this.#rest = text;
  }

  parse(): number | null {
    const year = this.#year();
    const month = year === null || !this.#skip('-') ? null : this.#number(MONTH);
    const day = month === null || !this.#skip('-') ? null : this.#number(DAY);
    const hour = day === null || !this.#skip('T') ? null : this.#number(HOUR);
    const minute = hour === null || !this.#skip(':') ? null : this.#number(MINUTE);
    const second = minute === null || !this.#skip(':') ? null : this.#number(SECOND);
    if (second === null) return null;
    const micros = this.#fraction();
    const offsetMinutes = this.#zone();
    if (offsetMinutes === null) return null;
    if (this.#rest !== '') return this.#fail(`: extra text: ${quoted(this.#rest)}`);
    // Years below 100 would be taken for those of the last century.
    const date = new Date(0);
    date.setUTCFullYear(year!, month! - 1, day!);
    if (day === 0 || date.getUTCDate() !== day) return this.#fail(': day out of range');
    const milliseconds = date.setUTCHours(hour!, minute! - offsetMinutes, second);
    return milliseconds * 1000 + micros;
  }

  #year(): number | null {
    const digits = this.#rest.slice(0, 4);
    if (!/^[0-9]{4}$/.test(digits)) return this.#cannot('2006');
    this.#rest = this.#rest.slice(4);
    return Number(digits);
  }

  #number({ element, name, min, max, short = false }: NumberForm): number | null {
    const digits = /^[0-9]{1,2}/.exec(this.#rest)?.[0] ?? '';
    if (digits.length < (short ? 1 : 2)) return this.#cannot(element);
    this.#rest = this.#rest.slice(digits.length);
    const value = Number(digits);
    return value < min || value > max ? this.#fail(`: ${name} out of range`) : value;
  }

  /** In microseconds. */
  #fraction(): number {
    const digits = /^[.,]([0-9]+)/.exec(this.#rest)?.[1];
    if (digits === undefined) return 0;
    this.#rest = this.#rest.slice(digits.length + 1);
    return Number(digits.slice(0, MAX_FRACTION_DIGITS).padEnd(6, '0').slice(0, 6));
  }

  /** Minutes east of UTC. */
  #zone(): number | null {
    if (this.#rest.startsWith('Z')) {
      this.#rest = this.#rest.slice(1);
      return 0;
    }
    const match = /^([+-])([0-9]{2}):([0-9]{2})/.exec(this.#rest);
    if (match === null) return this.#cannot('Z07:00');
    this.#rest = this.#rest.slice(match[0].length);
    const [hours, minutes] = [Number(match[2]), Number(match[3])];
    if (hours > 24) return this.#fail(': time zone offset hour out of range');
    if (minutes > 60) return this.#fail(': time zone offset minute out of range');
    return (match[1] === '-' ? -1 : 1) * (hours * 60 + minutes);
  }

  #skip(literal: string): boolean {
    if (!this.#rest.startsWith(literal)) {
      this.#cannot(literal);
      return false;
    }
    this.#rest = this.#rest.slice(literal.length);
    return true;
  }

  #cannot(element: string): null {
    return this.#fail(` as "${LAYOUT}": cannot parse ${quoted(this.#rest)} as "${element}"`);
  }

  #fail(what: string): null {
    this.error = `parsing time ${quoted(this.#text)}${what}`;
    return null;
  }
}

/** Bytes that do not print are shown by their number. */
function quoted(text: string): string {
  let shown = '';
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte);
    if (char === '"' || char === '\\') shown += `\\${char}`;
    else if (byte < 0x20 || byte >= 0x80) shown += `\\x${byte.toString(16).padStart(2, '0')}`;
    else shown += char;
  }
  return `"${shown}"`;
}
