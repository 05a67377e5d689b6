/** Runs scripts/*.txt. `UPDATE=1` rewrites what they expect; the difference wants a review. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatScript, parseScript, runScript } from './script.ts';

const folder = join(import.meta.dirname, 'scripts');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort();

test('there are scripts', () => {
  assert.ok(files.length > 0);
});

for (const file of files) {
  const path = join(folder, file);
  const blocks = parseScript(readFileSync(path, 'utf8'));
  test(`${file}: ${blocks[0]?.commands.split('\n')[0] ?? ''}`, () => {
    const happened = runScript(blocks);
    if (process.env['UPDATE'] === '1') writeFileSync(path, formatScript(happened));
    else assert.equal(formatScript(happened), formatScript(blocks));
  });
}
