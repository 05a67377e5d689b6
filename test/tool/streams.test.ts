import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { commandLine, uniqueName } from './command-line.ts';

interface Info {
  readonly config: Readonly<Record<string, unknown>>;
  readonly state: Readonly<Record<string, unknown>>;
}

const millrace = commandLine();

describe('streams', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-tool-'));
  after(() => {
    rmSync(directory, { recursive: true });
  });
  async function withStream(words: readonly string[], work: (stream: string) => Promise<void>): Promise<void> {
    const stream = uniqueName('S');
    await millrace.output(['stream', 'add', stream, '--subjects', `${stream}.>`, ...words]);
    try {
      await work(stream);
    } finally {
      await millrace.output(['stream', 'rm', stream, '--force']);
    }
  }

  test('options become the configuration, with their units', async () => {
    const options = ['--max-age', '1h30m', '--max-bytes', '10MiB', '--max-msgs', '1000', '--max-msg-size', '1KiB'];
    const more = [
      '--dupe-window',
      '1m',
      '--discard',
      'new',
      '--no-ack',
      '--metadata',
      'team=a',
      '--description',
      'Test',
    ];
    await withStream([...options, ...more], async (stream) => {
      const { config } = (await millrace.json(['stream', 'info', stream])) as Info;
      assert.equal(config['max_age'], 5_400_000_000_000);
      assert.equal(config['max_bytes'], 10 * 1024 ** 2);
      assert.equal(config['max_msgs'], 1000);
      assert.equal(config['max_msg_size'], 1024);
      assert.equal(config['duplicate_window'], 60_000_000_000);
      assert.equal(config['discard'], 'new');
      assert.equal(config['no_ack'], true);
      assert.equal((config['metadata'] as Record<string, string>)['team'], 'a');
      const text = await millrace.output(['stream', 'info', stream]);
      assert.match(text, /Limits\n {2}Messages: +1,000\n/);
      assert.match(text, / Age: +1h30m\n/);
      assert.match(text, / Bytes: +10 MiB\n/);
      assert.match(text, /Metadata\n {2}team: +a\n$/);
    });
  });

  test('a configuration can come from a file, which may be the output of info', async () => {
    await withStream(['--max-msgs', '7'], async (stream) => {
      const file = join(directory, 'info.json');
      writeFileSync(file, await millrace.output(['stream', 'info', stream, '--json']));
      const copy = uniqueName('COPY');
      const words = ['stream', 'add', copy, '--config', file, '--subjects', copy, '--max-bytes', '1MiB'];
      const { config } = (await millrace.json(words)) as Info;
      assert.deepEqual([config['name'], config['max_msgs'], config['max_bytes']], [copy, 7, 1024 ** 2]);
      await millrace.output(['stream', 'rm', copy, '--force']);
    });
  });

  test('editing changes what is given, and asks where messages may have to go', async () => {
    await withStream(['--max-msgs', '10'], async (stream) => {
      const text = await millrace.output(['stream', 'edit', stream, '--description', 'New', '--max-msgs', '20']);
      assert.match(text, /^description: not set -> "New"\nmax_msgs: 10 -> 20\n/);
      const refused = await millrace.run(['stream', 'edit', stream, '--max-msgs', '5']);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /without --force/);
      const { config } = (await millrace.json(['stream', 'edit', stream, '--max-msgs', '5', '--force'])) as Info;
      assert.deepEqual([config['description'], config['max_msgs']], ['New', 5]);
      assert.match(await millrace.output(['stream', 'edit', stream, '--max-msgs', '5']), /^Nothing changes/);
      assert.match(await millrace.output(['stream', 'edit', stream, '--max-msgs', '3', '--dry-run']), /5 -> 3/);
    });
  });

  test('messages are fetched by sequence, subject and place, and deleted', async () => {
    await withStream([], async (stream) => {
      await millrace.output([
        'pub',
        `${stream}.{{Count}}`,
        'm{{Count}}',
        '--count',
        '5',
        '-J',
        '-q',
        '-H',
        'K:v{{Count}}',
      ]);
      const get = (...words: string[]): Promise<string> => millrace.output(['stream', 'get', stream, ...words]);
      assert.equal(await get('2', '--raw'), 'm2\n');
      assert.equal(await get('--last', '--raw'), 'm5\n');
      assert.equal(await get('--last', '--subject', `${stream}.3`, '--raw'), 'm3\n');
      assert.equal(await get('--subject', `${stream}.*`, '4', '--raw'), 'm4\n');
      assert.equal(await get('--since', '1h', '--raw'), 'm1\n');
      assert.match(await get('1'), new RegExp(`^${stream}\\.1 ${stream} #1 at .*\nK: v1\n\nm1\n\n$`));
      const { message } = JSON.parse(await get('1', '--json')) as { readonly message: Record<string, unknown> };
      assert.deepEqual([message['seq'], message['data']], [1, Buffer.from('m1').toString('base64')]);

      assert.equal(
        await millrace.output(['stream', 'rmm', stream, '2', '--force']),
        `Deleted message 2 of ${stream}.\n`,
      );
      const gone = await millrace.run(['stream', 'get', stream, '2']);
      assert.deepEqual([gone.code, gone.stderr], [1, 'millrace: no message found (10037)\n']);
      assert.equal((await millrace.run(['stream', 'get', stream])).code, 2);

      assert.deepEqual(await millrace.json(['stream', 'subjects', stream]), {
        [`${stream}.1`]: 1,
        [`${stream}.3`]: 1,
        [`${stream}.4`]: 1,
        [`${stream}.5`]: 1,
      });
      const purge = ['stream', 'purge', stream, '--force'];
      assert.equal(await millrace.output([...purge, '--subject', `${stream}.5`]), `Removed 1 message of ${stream}.\n`);
      assert.equal(await millrace.output([...purge, '--keep', '1']), `Removed 2 messages of ${stream}.\n`);
      const { state } = (await millrace.json(['stream', 'info', stream])) as Info;
      assert.deepEqual([state['messages'], state['first_seq']], [1, 4]);
    });
  });

  test('messages are paged through, and what is missing between them is listed', async () => {
    await withStream([], async (stream) => {
      await millrace.output(['pub', `${stream}.{{Count}}`, 'm{{Count}}', '--count', '9', '-J', '-q']);
      for (const seq of ['2', '3', '7']) await millrace.output(['stream', 'rmm', stream, seq, '--force']);
      const view = (...words: string[]): Promise<string> => millrace.output(['stream', 'view', stream, ...words]);
      assert.equal(await view('3', '--raw'), 'm1\nm4\nm5\n');
      assert.equal(await view('--raw', '--start-seq', '6'), 'm6\nm8\nm9\n');
      assert.equal(await view('--raw', '--since', '1h', '--subject', `${stream}.9`), 'm9\n');
      assert.deepEqual(await millrace.json(['stream', 'gaps', stream]), [
        { first: 2, last: 3 },
        { first: 7, last: 7 },
      ]);
      assert.match(await millrace.output(['stream', 'state', stream]), /^State of .*\n {2}Messages: +6\n/);
    });
  });

  test('streams are found by what they are like', async () => {
    await withStream(['--replicas', '1'], async (stream) => {
      const find = (...words: string[]): Promise<unknown> =>
        millrace.json(['stream', 'find', '--name', `^${stream}$`, '--names', ...words]);
      for (const words of [
        ['--empty'],
        ['--idle', '1h'],
        ['--consumers', '0'],
        ['--subject', `${stream}.x`],
        ['-r', '1'],
      ])
        assert.deepEqual(await find(...words), [stream], words.join(' '));
      for (const words of [['--sealed'], ['--mirrored'], ['--sourced'], ['--created', '1h'], ['--subject', 'other']])
        assert.deepEqual(await find(...words), [], words.join(' '));
      const others = (await find('--empty', '--invert')) as readonly string[];
      assert.ok(!others.includes(stream));
      assert.equal((await millrace.run(['stream', 'find', '--name', '('])).code, 2);
    });
  });

  test('streams are listed, compared, and found by subject', async () => {
    await withStream([], async (stream) => {
      await millrace.output(['pub', `${stream}.x`, 'y', '-J', '-q']);
      const row = new RegExp(
        `^${stream} +${stream}\\.> +1 +\\d+ B +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d +[\\dms.]+ ago$`,
        'm',
      );
      const list = await millrace.output(['stream', 'ls']);
      assert.match(list, /^Name +Subjects +Messages +Bytes +Created +Last message\n/);
      assert.match(list, row);
      assert.equal(await millrace.output(['stream', 'ls', '--names', '--subject', `${stream}.x`]), `${stream}\n`);
      assert.deepEqual(await millrace.json(['stream', 'ls', '--names', '--subject', `${stream}.x`]), [stream]);
      assert.match(
        await millrace.output(['stream', 'report']),
        new RegExp(`^${stream} +file +0 +1 +\\d+ B +1 +0 +`, 'm'),
      );
    });
  });

  test('a stream is copied and sealed', async () => {
    await withStream(['--max-msgs', '9'], async (stream) => {
      const copy = uniqueName('C');
      const { config } = (await millrace.json(['stream', 'copy', stream, copy, '--subjects', copy])) as Info;
      assert.deepEqual([config['max_msgs'], config['subjects']], [9, [copy]]);
      assert.match(await millrace.output(['stream', 'seal', copy, '--force']), /Sealed: +yes/);
      const refused = await millrace.run(['pub', copy, 'x', '-J']);
      assert.deepEqual([refused.code, refused.stderr], [1, 'millrace: invalid operation on sealed stream (10109)\n']);
      await millrace.output(['stream', 'rm', copy, '--force']);
    });
  });

  test('what would destroy something is not done without a terminal, unless forced', async () => {
    await withStream([], async (stream) => {
      for (const words of [['rm'], ['purge'], ['seal'], ['rmm', '1']]) {
        const [name, ...rest] = words as [string, ...string[]];
        const { code, stdout, stderr } = await millrace.run(['stream', name, stream, ...rest]);
        assert.deepEqual([code, stdout], [1, ''], name);
        assert.match(stderr, /^millrace: not done without --force/);
      }
    });
  });

  test("the API's refusals are one line, with their code", async () => {
    const missing = await millrace.run(['stream', 'info', 'NOPE']);
    assert.deepEqual(missing, { code: 1, stdout: '', stderr: 'millrace: stream not found (10059)\n' });
    const file = join(directory, 'broken.json');
    writeFileSync(file, '{');
    const broken = await millrace.run(['stream', 'add', 'X', '--config', file]);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /^millrace: .*broken\.json: .*\n$/);
  });

  test('a stream comes back from its backup, with sequences, gaps and consumers', async (t) => {
    const stream = uniqueName('B');
    const backup = join(directory, 'backup');
    await millrace.output(['stream', 'add', stream, '--subjects', `${stream}.>`]);
    await millrace.output(['pub', `${stream}.a`, '{{Count}} {{Random 2000 2000}}', '--count', '400']);
    await millrace.output(['stream', 'rmm', stream, '3', '--force']);
    await millrace.output(['consumer', 'add', stream, 'worker']);
    await millrace.output(['consumer', 'next', stream, 'worker']);
    const last = await millrace.output(['stream', 'get', stream, '--last', '--raw']);

    const backedUp = await millrace.run(['stream', 'backup', stream, backup, '--consumers', '--json']);
    if (backedUp.stderr.includes('not supported by this server')) {
      t.skip('the server takes no snapshots');
      return;
    }
    const report = JSON.parse(backedUp.stdout) as Info;
    assert.equal(report.state['messages'], 399);
    assert.deepEqual(readdirSync(backup).sort(), ['backup.json', 'stream.tar.s2']);
    assert.match((await millrace.run(['stream', 'backup', stream, backup])).stderr, /holds a backup already/);
    assert.match((await millrace.run(['stream', 'restore', backup])).stderr, /\(10130\)/);

    await millrace.output(['stream', 'rm', stream, '--force']);
    const { state } = (await millrace.json(['stream', 'restore', backup])) as Info;
    assert.deepEqual([state['messages'], state['last_seq'], state['num_deleted']], [399, 400, 1]);
    assert.equal(await millrace.output(['stream', 'get', stream, '--last', '--raw']), last);
    const next = (await millrace.json(['consumer', 'next', stream, 'worker'])) as { readonly seq: number };
    assert.equal(next.seq, 2);
    await millrace.output(['stream', 'rm', stream, '--force']);
  });
});
