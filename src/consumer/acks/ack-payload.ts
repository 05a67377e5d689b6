/** Owns what the payload of an ack means: `+ACK`, `-NAK`, `+WPI`, `+NXT`, `+TERM`. */
import { parseDurationNs } from '../../base/go-duration.ts';
import { isInt64, parsePlainJson } from '../../base/json.ts';

/** `ignored` is answered like the others, and changes nothing. */
export type AckKind = 'ack' | 'nak' | 'progress' | 'next' | 'term' | 'ignored';

const MINUS_NAK = Buffer.from('-NAK');
const PLUS_ACK = Buffer.from('+ACK');
const PLUS_OK = Buffer.from('+OK');
const PLUS_WPI = Buffer.from('+WPI');
const PLUS_NXT = Buffer.from('+NXT');
const PLUS_TERM = Buffer.from('+TERM');
/** Of a delay, which is one number: whatever comes behind is not looked at. */
const MAX_DELAY_BYTES = 4096;

export function ackKind(payload: Buffer, start: number, end: number): AckKind {
  const length = end - start;
  if (length === 0) return 'ack';
  if (startsWith(payload, start, end, PLUS_ACK)) return length === PLUS_ACK.length ? 'ack' : 'ignored';
  if (startsWith(payload, start, end, MINUS_NAK)) return 'nak';
  if (startsWith(payload, start, end, PLUS_NXT)) return 'next';
  if (startsWith(payload, start, end, PLUS_TERM)) return 'term';
  if (startsWith(payload, start, end, PLUS_WPI)) return length === PLUS_WPI.length ? 'progress' : 'ignored';
  if (startsWith(payload, start, end, PLUS_OK)) return length === PLUS_OK.length ? 'ack' : 'ignored';
  return 'ignored';
}

/** Milliseconds that a `-NAK` asks to wait; 0 for at once, and for what can't be read. */
export function nakDelayMs(payload: Buffer, start: number, end: number): number {
  const argumentStart = start + MINUS_NAK.length;
  const argument = argumentOf(payload, argumentStart, Math.min(end, argumentStart + MAX_DELAY_BYTES));
  if (argument === '') return 0;
  const delayNs = argument.startsWith('{') ? jsonDelayNs(argument) : parseDurationNs(argument);
  return delayNs === undefined || !(delayNs > 0) ? 0 : delayNs / 1e6;
}

/** Why a message was terminated; empty if not said. */
export function termReason(payload: Buffer, start: number, end: number): string {
  return argumentOf(payload, start + PLUS_TERM.length, end);
}

/** The pull request behind a `+NXT`. */
export function nextRequest(payload: Buffer, start: number, end: number): Buffer {
  return payload.subarray(start + PLUS_NXT.length, end);
}

/** Undefined: not to be read, which makes it a plain nak, as in the reference server. */
function jsonDelayNs(text: string): number | undefined {
  const parsed = parsePlainJson(text);
  if (!parsed.ok || parsed.value.kind !== 'object') return undefined;
  const [, delay] = parsed.value.members.findLast(([name]) => name.toLowerCase() === 'delay') ?? [];
  return delay?.kind === 'number' && isInt64(delay.text) ? Number(delay.text) : undefined;
}

function argumentOf(payload: Buffer, start: number, end: number): string {
  return payload.toString('utf8', start, end).trim();
}

function startsWith(payload: Buffer, start: number, end: number, word: Buffer): boolean {
  if (end - start < word.length) return false;
  for (let at = 0; at < word.length; at++) if (payload[start + at] !== word[at]) return false;
  return true;
}
