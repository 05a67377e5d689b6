import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { waitFor } from '../harness/wait-for.ts';
import { commandLine, uniqueName, type Outcome } from './command-line.ts';

type Document = Readonly<Record<string, unknown>>;

const millrace = commandLine();
const directory = mkdtempSync(join(tmpdir(), 'millrace-tool-'));
after(() => {
  rmSync(directory, { recursive: true });
});

function failed({ code, stderr }: Outcome, message: string): void {
  assert.deepEqual([code, stderr], [1, `millrace: ${message}\n`]);
}

describe('key-value buckets', () => {
  const bucket = uniqueName('settings');
  const kv = (...words: string[]): Promise<string> => millrace.output(['kv', ...words]);
  before(() => kv('add', bucket, '--history', '3', '--description', 'Test'));
  after(() => kv('rm-bucket', bucket, '--force'));

  test('a value is put, read, created and updated, each change with its revision', async () => {
    assert.equal(await kv('put', bucket, 'theme', 'dark'), 'theme is at revision 1\n');
    assert.equal(await kv('get', bucket, 'theme'), 'dark\n');
    assert.equal(await kv('update', bucket, 'theme', 'light', '1'), 'theme is at revision 2\n');
    failed(await millrace.run(['kv', 'update', bucket, 'theme', 'grey', '1']), 'theme is no longer at revision 1');
    failed(await millrace.run(['kv', 'create', bucket, 'theme', 'grey']), 'theme has a value already');
    assert.equal(await kv('create', bucket, 'owner', 'anna'), 'owner is at revision 3\n');
    assert.equal(await kv('get', bucket, 'theme', '--revision', '1', '--raw'), 'dark');
    const { value, revision, operation } = (await millrace.json(['kv', 'get', bucket, 'theme'])) as Document;
    assert.deepEqual([value, revision, operation], ['light', 2, 'PUT']);
    assert.equal(await kv('keys', bucket), 'owner\ntheme\n');
    assert.deepEqual(await millrace.json(['kv', 'keys', bucket, 'own*']), []);
  });

  test('a value may have a life of its own, and an earlier one can come back', async () => {
    const other = uniqueName('other');
    await kv('add', other, '--limit-marker-ttl', '1m', '--history', '2', '--defaults');
    await kv('put', other, 'a', 'one', '--ttl', '1h');
    assert.match(await millrace.output(['stream', 'get', `KV_${other}`, '1']), /\nNats-TTL: 3600s\n/);
    await kv('put', other, 'a', 'two');
    assert.equal(await kv('revert', other, 'a', '1'), 'a is at revision 3\n');
    assert.equal(await kv('get', other, 'a'), 'one\n');
    failed(await millrace.run(['kv', 'revert', other, 'a', '9']), `${other} has no value of a at revision 9`);
    failed(await millrace.run(['kv', 'del', other, 'a', '--revision', '1', '-f']), 'a is no longer at revision 1');
    assert.equal(await kv('ls', other, 'a'), 'a\n');
    assert.match(await kv('edit', other, '--history', '5', '--description', 'D'), /^description: not set -> "D"\n/);
    assert.match(await kv('info', other), /Description: +D\n {2}Values of a key: 5\n/);
    assert.equal((await millrace.run(['kv', 'edit', other, '--history', '65'])).code, 2);
    assert.equal(await kv('rm', other, '--force'), `Deleted ${other}.\n`);
  });

  test('history and watching show what happened', async () => {
    await kv('put', bucket, 'h', 'one');
    await kv('put', bucket, 'h', 'two');
    const rows = (await kv('history', bucket, 'h')).split('\n');
    assert.match(rows[0]!, /^Key +Revision +Operation +Time +Value$/);
    assert.match(rows[1]!, /^h +\d+ +PUT +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +one$/);
    assert.match(rows[2]!, / two$/);
    const watching = millrace.start(['kv', 'watch', bucket, 'h', '--count', '2', '--json']);
    await watching.saying('Watching');
    await kv('del', bucket, 'h', '--force');
    const lines = (await watching.ended).stdout.trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as Document);
    assert.deepEqual(
      events.map(({ operation, value }) => [operation, value]),
      [
        ['PUT', 'two'],
        ['DEL', ''],
      ],
    );
    failed(await millrace.run(['kv', 'get', bucket, 'h']), `${bucket} has no key h`);
  });

  test('deleted keys leave nothing behind a compaction', async () => {
    await kv('put', bucket, 'gone', '1');
    await kv('purge', bucket, 'gone', '--force');
    await kv('compact', bucket, '--older-than', '0', '--force');
    assert.equal(await kv('history', bucket, 'gone'), 'No values.\n');
  });

  test('a copy of a bucket has its keys, and writes them where they come from', async () => {
    const [origin, copy] = [uniqueName('origin'), uniqueName('copy')];
    await kv('add', origin);
    await kv('add', copy, '--mirror', origin);
    assert.equal(await kv('put', copy, 'k', 'one'), 'k is at revision 1\n');
    assert.equal(await kv('get', origin, 'k'), 'one\n');
    await waitFor('the copy', async () => (await kv('ls', copy)) === 'k\n');
    assert.equal(await kv('get', copy, 'k'), 'one\n');
    assert.match(await kv('history', copy), /^k +1 +PUT /m);
    await kv('rm', copy, '--force');
    await kv('rm', origin, '--force');
  });

  test('buckets are listed and described', async () => {
    assert.match(await kv('ls'), new RegExp(`^${bucket} +Test +3 +`, 'm'));
    assert.match(
      await kv('status', bucket),
      new RegExp(`^Bucket ${bucket}\n {2}Description: +Test\n {2}Values of a key: 3\n`),
    );
    failed(await millrace.run(['kv', 'add', bucket]), `${bucket} exists already`);
    failed(await millrace.run(['kv', 'get', 'nope', 'x']), 'no bucket is called nope');
  });
});

describe('object store', () => {
  const bucket = uniqueName('files');
  const object = (...words: string[]): Promise<string> => millrace.output(['object', ...words]);
  before(() => object('add', bucket, '--description', 'Test'));
  after(() => object('rm-bucket', bucket, '--force'));

  test('a file comes back as it was', async () => {
    const content = randomBytes(700_000);
    const [source, copy] = [join(directory, 'source.bin'), join(directory, 'copy.bin')];
    writeFileSync(source, content);
    assert.equal(await object('put', bucket, source), `Stored source.bin in ${bucket} (684 KiB).\n`);
    assert.equal(
      await object('get', bucket, 'source.bin', '--output', copy),
      `Wrote source.bin to ${copy} (684 KiB).\n`,
    );
    assert.deepEqual(readFileSync(copy), content);
    const again = await millrace.run(['object', 'get', bucket, 'source.bin', '--output', copy]);
    failed(again, 'not done without --force, as there is no terminal to ask on');
    const { size, chunks, digest } = (await millrace.json(['object', 'info', bucket, 'source.bin'])) as Document;
    assert.deepEqual([size, chunks], [700_000, 6]);
    assert.match(String(digest), /^SHA-256=/);
    assert.match(await object('ls', bucket), /^source\.bin +684 KiB +6 +\d{4}-/m);
  });

  test('stdin and stdout are files as well, and a link stands for an object', async () => {
    await millrace.output(['object', 'put', bucket, '-', '--name', 'note'], { input: 'from stdin' });
    assert.equal(await object('link', bucket, 'latest', 'note'), 'latest stands for note.\n');
    assert.equal(await object('get', bucket, 'latest', '--output', '-'), 'from stdin');
    assert.match(await object('info', bucket, 'latest'), new RegExp(` Link to: +${bucket} note\n`));
    const watching = millrace.start(['object', 'watch', bucket, '--updates-only', '--count', '1', '--json']);
    await watching.saying('Watching');
    assert.equal(await object('rm', bucket, 'note', '--force'), 'Removed note.\n');
    const { name, deleted } = JSON.parse((await watching.ended).stdout) as Document;
    assert.deepEqual([name, deleted], ['note', true]);
    failed(await millrace.run(['object', 'get', bucket, 'note']), `${bucket} has no object note`);
  });

  test('buckets are listed, described and sealed', async () => {
    assert.match(await object('ls'), new RegExp(`^${bucket} +Test +`, 'm'));
    const sealed = uniqueName('sealed');
    await object('add', sealed);
    assert.equal(await object('seal', sealed, '--force'), `Sealed ${sealed}.\n`);
    assert.match(await object('info', sealed), / Sealed: +yes\n/);
    const refused = await millrace.run(['object', 'put', sealed, '-', '--name', 'x'], { input: 'x' });
    assert.equal(refused.code, 1);
    await object('rm-bucket', sealed, '--force');
    failed(await millrace.run(['object', 'ls', 'nope']), 'no bucket is called nope');
  });
});
