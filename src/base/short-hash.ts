/** Owns the short names that the protocol makes of longer texts: of servers, of streams that take from others, of times. */
import { createHash } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const HASH_BYTES = 8;

/** Eight characters that stand for a text. */
export function shortHash(text: string): string {
  const digest = createHash('sha256').update(text).digest().subarray(0, HASH_BYTES);
  return Array.from(digest, (byte) => ALPHABET[byte % ALPHABET.length]!).join('');
}

/** Eight characters by chance. */
export function randomToken(random: () => number): string {
  return Array.from({ length: HASH_BYTES }, () => ALPHABET[Math.floor(random() * ALPHABET.length)]!).join('');
}
