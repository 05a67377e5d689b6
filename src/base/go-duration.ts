/** Owns reading the durations that clients send as text: `1.5s`, `2m30s`, `500ms`. */

const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const MAX_DURATION_TEXT = 64;

/** Nanoseconds, or undefined if `text` is no duration. */
export function parseDurationNs(text: string): number | undefined {
  if (text.length === 0 || text.length > MAX_DURATION_TEXT) return undefined;
  let rest = text.startsWith('-') || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return 0;
  if (rest === '') return undefined;
  let total = 0;
  while (rest !== '') {
    const part = /^(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/.exec(rest);
    if (part === null) return undefined;
    total += Number(part[1]) * UNIT_NS[part[2]!]!;
    rest = rest.slice(part[0].length);
  }
  return text.startsWith('-') ? -total : total;
}
