import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UsageError } from '../../src/tool/failure.ts';
import {
  argument,
  bucketArgument,
  bytes,
  choice,
  count,
  duration,
  flag,
  integer,
  limit,
  list,
  manyArguments,
  nameArgument,
  numberArgument,
  optional,
  pairs,
  subjectArgument,
  text,
  toggle,
  withDefault,
  type Parameters,
} from '../../src/tool/parameters/index.ts';
import { parse } from '../../src/tool/parse.ts';

const PARAMETERS = {
  stream: argument('STREAM', 'Name'),
  rest: manyArguments('WORD', 'Words'),
  maxMsgs: limit('Messages'),
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
    assert.equal(complaint('S', '--max-msgs', '-2'), '--max-msgs: -2 is less than -1');
    assert.equal(complaint('S', '--storage', 'tape'), '--storage: "tape" is none of file, memory');
    assert.equal(complaint('S', '-H', 'nothing'), '--header: "nothing" has no : between name and value');
    assert.equal(complaint('S', '--force=maybe'), '--force takes no value maybe');
  });

  test('what would go unanswered is refused: names, numbers and subjects that are none', () => {
    const words = {
      stream: nameArgument('STREAM', ''),
      bucket: bucketArgument('BUCKET', ''),
      subject: subjectArgument('SUBJECT', ''),
      seq: optional(numberArgument('SEQ', '')),
      times: count(''),
    };
    const complains = (...given: string[]): RegExpExecArray | null => {
      try {
        parse(words, given);
        return null;
      } catch (error) {
        return /^(.*?): /.exec((error as Error).message);
      }
    };
    assert.equal(complains('S', 'b-1', 'a.*.>', '7', '--times', '1'), null);
    assert.equal(complains('S', 'b', 'a'), null);
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ...['', 'a.b', 'a b', '*', '>', 'a/b'].map((name) => ['STREAM', [name, 'b', 's']] as const),
      ...['', 'a.b', 'ä'].map((name) => ['BUCKET', ['S', name, 's']] as const),
      ...['', 'a b', 'a..b', '.a', 'a.', '>.a'].map((subject) => ['SUBJECT', ['S', 'b', subject]] as const),
      ...['0', 'x', '1.5'].map((seq) => ['SEQ', ['S', 'b', 's', seq]] as const),
      ['--times', ['S', 'b', 's', '--times', '0']],
    ];
    for (const [name, given] of cases) assert.equal(complains(...given)?.[1], name, given.join(' '));
  });

  test("an option is known by the reference tool's name as well", () => {
    const options = { maxAckPending: limit('', { also: ['max-pending'] }), pull: flag('', { also: ['old'] }) };
    const parsed = parse(options, ['--max-pending', '5', '--no-old']);
    assert.deepEqual(parsed, { kind: 'input', values: { maxAckPending: 5, pull: false } });
  });

  test('a word too many is named', () => {
    const one = { stream: argument('STREAM', ''), other: optional(argument('OTHER', '')) };
    assert.throws(() => parse(one, ['a', 'b', 'c']), /"c" is one word too many/);
  });
});
