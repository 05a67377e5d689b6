import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { staticImports } from '../harness/static-imports.ts';

test('a standalone server loads neither gRPC nor protobuf with the cluster', () => {
  const loaded = [...staticImports(join(import.meta.dirname, '../../src/cluster/index.ts'))];
  assert.ok(loaded.some((file) => file.endsWith('standalone-node.ts')));
  const heavy = loaded.filter((file) => /grpc|protobuf|generated|wire\.ts/.test(file));
  assert.deepEqual(heavy, []);
});
