import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';

const STATIC_IMPORT = /^(?:import|export) (?!type )[^;]*?from '([^']+)';/gm;

/** All that is loaded with a module, by its static imports. */
function staticImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.endsWith('.ts')) return seen;
  for (const [, target] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
    staticImports(target!.startsWith('.') ? resolve(dirname(file), target!) : target!, seen);
  }
  return seen;
}

test('a standalone server loads neither gRPC nor protobuf with the cluster', () => {
  const loaded = [...staticImports(join(import.meta.dirname, '../../src/cluster/index.ts'))];
  assert.ok(loaded.some((file) => file.endsWith('standalone-node.ts')));
  const heavy = loaded.filter((file) => /grpc|protobuf|generated|wire\.ts/.test(file));
  assert.deepEqual(heavy, []);
});
