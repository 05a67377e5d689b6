/** Owns finding out what is loaded with a module, for tests of what must not be. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const STATIC_IMPORT = /^(?:import|export) (?!type )[^;]*?from '([^']+)';/gm;

/** All that is loaded with a module, by its static imports. */
export function staticImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.endsWith('.ts')) return seen;
  for (const [, target] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
    staticImports(target!.startsWith('.') ? resolve(dirname(file), target!) : target!, seen);
  }
  return seen;
}
