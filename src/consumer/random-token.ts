/** Owns random names made of letters and digits: advisory ids, flow-control tokens. */
import type { Runtime } from '../base/runtime.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export function randomToken(runtime: Runtime, length: number): string {
  let token = '';
  for (let count = 0; count < length; count++) token += ALPHABET[Math.floor(runtime.random() * ALPHABET.length)]!;
  return token;
}
