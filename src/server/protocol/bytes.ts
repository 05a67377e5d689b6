/** Owns the bytes of the protocol: their names, copying and comparing them. Subjects as strings: see base/byte-string.ts. */

export const TAB = 0x09;
export const LF = 0x0a;
export const FF = 0x0c;
export const CR = 0x0d;
export const SPACE = 0x20;
export const STAR = 0x2a;
export const DOT = 0x2e;
export const ZERO = 0x30;
export const NINE = 0x39;
export const GREATER = 0x3e;

export const NO_BYTES = Buffer.alloc(0);

/** True when `a[start, end)` holds exactly the bytes of `b`. */
export function equalBytes(a: Buffer, start: number, end: number, b: Buffer): boolean {
  if (end - start !== b.length) return false;
  for (let i = 0; i < b.length; i++) if (a[start + i] !== b[i]) return false;
  return true;
}
