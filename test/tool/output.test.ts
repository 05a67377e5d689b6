import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { text } from 'node:stream/consumers';
import {
  facts,
  harmlessLine,
  NO_STYLE,
  Output,
  Progress,
  progressLine,
  styleFor,
  table,
} from '../../src/tool/output/index.ts';

interface Row {
  readonly name: string;
  readonly count: string;
}

const COLUMNS = [
  { title: 'Name', cell: ({ name }: Row) => name },
  { title: 'Count', align: 'right', cell: ({ count }: Row) => count },
] as const;

describe('tables', () => {
  test('columns are as wide as their widest cell, and numbers stand right', () => {
    const rows = [
      { name: 'a', count: '1' },
      { name: 'longer', count: '1,000,000' },
    ];
    assert.equal(table(COLUMNS, rows, NO_STYLE), 'Name        Count\na               1\nlonger  1,000,000\n');
  });

  test('colours take no room', () => {
    const style = styleFor(true, {});
    const rows = [
      { name: style.bad('x'), count: '1' },
      { name: 'y', count: '2' },
    ];
    const lines = table(COLUMNS, rows, NO_STYLE).split('\n');
    assert.equal(lines[1], `${style.bad('x')}         1`);
    assert.equal(lines[2], 'y         2');
  });

  test('on a narrow terminal the widest texts are cut, and numbers are whole', () => {
    const rows = [
      { name: 'x'.repeat(50), count: '1,000,000' },
      { name: 'short', count: '2' },
    ];
    const lines = table(COLUMNS, rows, NO_STYLE, 40).trimEnd().split('\n');
    assert.deepEqual(lines, [`Name${' '.repeat(31)}Count`, `${'x'.repeat(28)}…  1,000,000`, `short${' '.repeat(34)}2`]);
    assert.equal(table(COLUMNS, rows, NO_STYLE, 5).split('\n')[1], `${'x'.repeat(19)}…  1,000,000`);
  });

  test('letters of two columns and of none are counted as they are seen', () => {
    const rows = ['日本語', 'e\u0301te\u0301', '👩‍👩‍👧', 'ab'].map((name) => ({ name, count: '1' }));
    assert.equal(
      table(COLUMNS, rows, NO_STYLE),
      'Name    Count\n日本語      1\ne\u0301te\u0301         1\n👩‍👩‍👧          1\nab          1\n',
    );
    assert.equal(
      table(COLUMNS, [{ name: '日'.repeat(20), count: '1' }], NO_STYLE, 20).split('\n')[1],
      `${'日'.repeat(9)}…       1`,
    );
  });

  test('what others wrote steers no terminal', () => {
    assert.equal(harmlessLine('a\u001b[2Jb\tc\nd\u009be\u007f'), 'a␛[2Jb␉c␊d\ufffde␡');
    const row = { name: 'a\nb', count: '\u001b]0;title\u0007' };
    assert.equal(table(COLUMNS, [row], NO_STYLE).split('\n')[1], 'a␊b   ␛]0;title␇');
  });

  test('facts stand below one another, and what is not known is left out', () => {
    const sections = [
      { title: 'One', facts: [['A', '1'] as const, ['Longer', '2'] as const, ['None', undefined] as const] },
      { title: 'Empty', facts: [] },
    ];
    assert.equal(facts(sections, NO_STYLE), 'One\n  A:      1\n  Longer: 2\n');
  });
});

test('there are colours on a terminal only, and not where NO_COLOR is set', () => {
  const bold = (isTerminal: boolean, env: NodeJS.ProcessEnv): string => styleFor(isTerminal, env).bold('x');
  assert.equal(bold(true, {}), '\u001b[1mx\u001b[22m');
  assert.equal(bold(true, { NO_COLOR: '' }), '\u001b[1mx\u001b[22m');
  assert.equal(bold(true, { NO_COLOR: '1' }), 'x');
  assert.equal(bold(true, { TERM: 'dumb' }), 'x');
  assert.equal(bold(false, {}), 'x');
});

test('with --json only documents are printed: one, or one a line', async () => {
  for (const json of [true, false]) {
    const destination = new PassThrough();
    const output = new Output({ json, style: NO_STYLE, destination });
    await output.say('for people');
    await output.document({ a: 1 }, () => 'text\n');
    await output.item({ b: 2 }, () => 'line\n');
    destination.end();
    assert.equal(await text(destination), json ? '{\n  "a": 1\n}\n{"b":2}\n' : 'for people\ntext\nline\n');
  }
});

describe('progress bars', () => {
  test('the bar says how far, how much and how fast', () => {
    const half = progressLine({ label: 'S', total: 2048, unit: 'bytes' }, 1024, 2);
    assert.equal(half, `S ${'█'.repeat(10)}${'░'.repeat(10)} 50%  1 KiB of 2 KiB  512 B/s  2s left`);
    assert.equal(progressLine({ label: 'S', total: undefined, unit: 'messages' }, 3000, 1), 'S 3,000  3,000/s');
  });

  test('nothing is drawn where there is no terminal', () => {
    const destination = Object.assign(new PassThrough(), { isTTY: false }) as unknown as NodeJS.WriteStream;
    const progress = new Progress({ label: 'x', total: 1, unit: 'messages', destination });
    progress.add(1);
    progress.end();
    assert.equal((destination as unknown as PassThrough).readableLength, 0);
  });

  test('on a terminal the line is drawn, and cleared at the end', () => {
    const destination = Object.assign(new PassThrough(), { isTTY: true }) as unknown as NodeJS.WriteStream;
    const progress = new Progress({ label: 'x', total: 1, unit: 'messages', destination });
    progress.add(1);
    progress.end();
    const drawn = String((destination as unknown as PassThrough).read());
    assert.ok(drawn.startsWith(`\r\u001b[Kx ${'█'.repeat(20)} 100%`));
    assert.ok(drawn.endsWith('\r\u001b[K'));
  });
});
