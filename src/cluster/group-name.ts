/** Owns the names of stream groups, as they show in monitoring: `S-R3F-skjyhe78`. */
import type { Runtime } from '../base/runtime.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SUFFIX_CHARS = 8;

export function groupName(replicas: number, storage: 'file' | 'memory', runtime: Runtime): string {
  return `S-R${replicas}${storage === 'file' ? 'F' : 'M'}-${randomBase62(SUFFIX_CHARS, runtime)}`;
}

export function randomBase62(chars: number, runtime: Runtime): string {
  let text = '';
  for (let i = 0; i < chars; i++) text += BASE62[Math.floor(runtime.random() * BASE62.length)]!;
  return text;
}
