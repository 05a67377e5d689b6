import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UsageError } from '../../src/tool/failure.ts';
import {
  argument,
  bytes,
  choice,
  duration,
  flag,
  integer,
  list,
  manyArguments,
  optionalArgument,
  pairs,
  text,
  toggle,
  withDefault,
  type Parameters,
} from '../../src/tool/parameters.ts';
import { parse } from '../../src/tool/parse.ts';

const PARAMETERS = {
  stream: argument('STREAM', 'Name'),
  rest: manyArguments('WORD', 'Words'),
  maxMsgs: integer('Messages'),
  maxBytes: bytes('Bytes'),
  maxAge: duration('Age'),
  subjects: list('Subjects'),
  header: pairs('Header', ':', { short: 'H' }),
  storage: choice('Storage', ['file', 'memory']),
  description: text('Description', { short: 'd' }),
  force: flag('Force', { short: 'f' }),
  ack: toggle('Ack'),
  count: withDefault(integer('Count', { short: 'n' }), 1),
} satisfies Parameters;

function values(...words: string[]): Readonly<Record<string, unknown>> {
  const parsed = parse(PARAMETERS, words);
  assert.equal(parsed.kind, 'input');
  return parsed.values;
}

function complaint(...words: string[]): string {
  try {
    parse(PARAMETERS, words);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
  return assert.fail(`understood ${words.join(' ')}`);
}

describe('the words of a command', () => {
  test('options are found wherever they stand, with a blank or an equals sign before the value', () => {
    const { stream, maxBytes, description, force } = values('--max-bytes', '1KiB', 'ORDERS', '--description=a=b', '-f');
    assert.deepEqual([stream, maxBytes, description, force], ['ORDERS', 1024, 'a=b', true]);
  });

  test('a value may begin with a dash', () => {
    assert.equal(values('S', '--max-msgs', '-1').maxMsgs, -1);
    assert.equal(values('S', '-d', '--x').description, '--x');
  });

  test('what is not given is undefined, false, or its default', () => {
    const { maxMsgs, subjects, force, ack, count, rest } = values('S');
    assert.deepEqual([maxMsgs, subjects, force, ack, count, rest], [undefined, undefined, false, undefined, 1, []]);
  });

  test('a toggle is on, off, or left alone', () => {
    assert.deepEqual(
      [values('S', '--ack').ack, values('S', '--no-ack').ack, values('S', '--ack=false').ack],
      [true, false, false],
    );
  });

  test('lists gather what is repeated and what stands between commas', () => {
    assert.deepEqual(values('S', '--subjects', 'a,b', '--subjects', 'c').subjects, ['a', 'b', 'c']);
    assert.deepEqual(values('S', '-H', 'A: x:y', '-H', 'B:').header, [
      ['A', 'x:y'],
      ['B', ''],
    ]);
  });

  test('after two dashes nothing is an option', () => {
    assert.deepEqual(values('--', '--force', '-x').rest, ['-x']);
    assert.equal(values('--', '--force').stream, '--force');
  });

  test('a lone dash is a word', () => {
    assert.deepEqual(values('S', '-').rest, ['-']);
  });

  test('help is asked for with -h, but not by a value', () => {
    assert.deepEqual(parse(PARAMETERS, ['-h']), { kind: 'help' });
    assert.deepEqual(parse(PARAMETERS, ['S', '--help']), { kind: 'help' });
    assert.equal(values('S', '-d', '-h').description, '-h');
  });

  test('what is wrong is said with the word that is wrong', () => {
    assert.equal(complaint(), 'STREAM is missing');
    assert.equal(complaint('S', '--max-byts', '1'), 'unknown option --max-byts; did you mean "--max-bytes"?');
    assert.equal(complaint('S', '--max-age'), 'option --max-age needs a value');
    assert.equal(complaint('S', '--max-age', '5x'), '--max-age: "5x" is not a duration such as 5m, 1h30m or 250ms');
    assert.equal(complaint('S', '--max-msgs', '1.5'), '--max-msgs: "1.5" is not a whole number');
    assert.equal(complaint('S', '--max-msgs', '9007199254740993'), '--max-msgs: 9007199254740993 is too large');
    assert.equal(complaint('S', '--storage', 'tape'), '--storage: "tape" is none of file, memory');
    assert.equal(complaint('S', '-H', 'nothing'), '--header: "nothing" has no : between name and value');
    assert.equal(complaint('S', '--force=maybe'), '--force takes no value maybe');
  });

  test('a word too many is named', () => {
    const one = { stream: argument('STREAM', ''), other: optionalArgument('OTHER', '') };
    assert.throws(() => parse(one, ['a', 'b', 'c']), /"c" is one word too many/);
  });
});
