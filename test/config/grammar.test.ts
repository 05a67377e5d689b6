import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import { ConfigError } from '../../src/server/config/index.ts';
import { load, problemsOf, type World } from './fixture.ts';

/** What one option became, for texts that set the server's name or port. */
function nameIn(text: string, world?: World): string | undefined {
  return load(text, world).options.serverName;
}

function portIn(text: string, world?: World): number {
  return load(text, world).options.port;
}

const NAMES: readonly (readonly [title: string, text: string, name: string])[] = [
  ['a separator may be a blank', 'server_name n1', 'n1'],
  ['a separator may be =', 'server_name = n1', 'n1'],
  ['a separator may be :', 'server_name:n1', 'n1'],
  ['a value may follow its key on the next line', 'server_name\nn1', 'n1'],
  ['option names are case-insensitive', 'SERVER_NAME: n1', 'n1'],
  ['keys may be quoted', '"server_name": n1', 'n1'],
  ['# starts a comment', '# first\nserver_name: n1 # last', 'n1'],
  ['// starts a comment', '// first\nserver_name: n1 // last', 'n1'],
  ['# and // inside a bare string are ordinary characters', 'server_name: a#b//c', 'a#b//c'],
  ['double quotes know escapes', 'server_name: "a\\x41\\\\\\""', 'aA\\"'],
  ['single quotes know none', "server_name: 'a\\x41'", 'a\\x41'],
  ['bare strings know escapes', 'server_name: a\\x41', 'aA'],
  ['a comma ends a value', 'port: 1, server_name: n1,', 'n1'],
  ['a semicolon ends a value', 'port: 1; server_name: n1;', 'n1'],
  ['the whole file may be wrapped in braces', '{ "server_name": "n1", "port": 1 }', 'n1'],
  ['the last of duplicate keys wins', 'server_name: n0\nserver_name: n1', 'n1'],
  ['a bare address is a string', 'server_name: 127.0.0.1:4222', '127.0.0.1:4222'],
  ['a bcrypt hash is not a variable', 'server_name: $2a$11$abc', '$2a$11$abc'],
  ['a quoted variable is literal', 'server_name: "$NAME"', '$NAME'],
  ['CR LF ends lines', 'port: 1\r\nserver_name: n1\r\n', 'n1'],
  ['a byte order mark is skipped', '\uFEFFserver_name: n1', 'n1'],
];
for (const [title, text, name] of NAMES) {
  test(title, () => {
    assert.equal(nameIn(text), name);
  });
}

const SIZES: readonly (readonly [text: string, bytes: number])[] = [
  ['8K', 8000],
  ['8k', 8000],
  ['8M', 8_000_000],
  ['8MB', 8_388_608],
  ['8mb', 8_388_608],
  ['8Mi', 8_388_608],
  ['8MiB', 8_388_608],
  ['8192', 8192],
];
for (const [text, bytes] of SIZES) {
  test(`the size ${text} is ${bytes} bytes`, () => {
    assert.equal(load(`max_payload: ${text}`).options.maxPayloadBytes, bytes);
  });
}

test('JetStream sizes mean powers of 1024 when quoted, and powers of 1000 when bare', () => {
  const memory = (text: string) => load(`jetstream { max_mem: ${text} }`).options.jetStream?.maxMemoryBytes;
  assert.deepEqual(['8G', '"8G"', '8GB'].map(memory), [8e9, 8 * 2 ** 30, 8 * 2 ** 30]);
  assert.match(problemsOf('jetstream { max_mem: "8GB" }')[0]!, /^1:13: .*"8GB" is no size/);
});

test('booleans are words of any case, and 1 is none of them', () => {
  for (const word of ['true', 'YES', 'On']) assert.equal(load(`debug: ${word}`).options.log.debug, true, word);
  for (const word of ['false', 'No', 'OFF']) assert.equal(load(`debug: ${word}`).options.log.debug, false, word);
  assert.deepEqual(problemsOf('debug: 1'), ['1:1: debug: expected a boolean, got an integer']);
  assert.deepEqual(problemsOf('debug: t'), ['1:1: debug: expected a boolean, got a string']);
});

test('arrays are separated by commas or line ends', () => {
  const tags = load('server_tags: [a, "b"\n c # comment\n d,\n]').options.serverTags;
  assert.deepEqual(tags, ['a', 'b', 'c', 'd']);
});

test('a map needs no separator, and keeps the last of duplicate keys whole', () => {
  const { jetStream } = load('jetstream{domain: a\n max_mem: 1}\njetstream {\n domain: b\n max_mem: 2 }').options;
  assert.deepEqual([jetStream?.domain, jetStream?.maxMemoryBytes], ['b', 2]);
  const replaced = load('jetstream { domain: a, max_mem: 1 }\njetstream { max_mem: 2 }').options;
  assert.equal(replaced.jetStream?.domain, undefined);
});

test('a block string is raw, and ends at a parenthesis alone on its line', () => {
  const { serverMetadata } = load('server_metadata { text: (\n a\\n (b)\n)\n }').options;
  assert.equal(serverMetadata['text'], '\n a\\n (b)\n');
});

test('durations are Go durations; a bare integer with m is a number of seconds, and is warned about', () => {
  const interval = (text: string) => load(`ping_interval: ${text}`).options.pingIntervalMs;
  assert.deepEqual(
    ['"2m"', '30s', '1h', '"1.5s"', '100ms', '1m30s'].map(interval),
    [120_000, 30_000, 3_600_000, 1500, 100, 90_000],
  );
  const { options, warnings } = load('ping_interval: 20');
  assert.equal(options.pingIntervalMs, 20_000);
  assert.match(warnings[0]!, /^\/etc\/test\.conf:1:1: ping_interval: 20 is read as seconds/);
  assert.equal(interval('2m'), 2_000_000_000);
  assert.match(problemsOf('ping_interval: 3m')[0]!, /3000000000 is out of range/);
  assert.deepEqual(problemsOf('lame_duck_duration: 1m'), [
    '1:1: lame_duck_duration: expected a duration such as "10s", got an integer',
  ]);
  assert.match(problemsOf('ping_interval: "2x"')[0]!, /"2x" is not a duration/);
});

test('variables come from the enclosing maps, innermost first, then from the environment', () => {
  assert.equal(portIn('P: 1\nport: $P'), 1);
  assert.equal(load('P: 1\nport: $P\njetstream { P: 2, max_mem: $P }').options.jetStream?.maxMemoryBytes, 2);
  assert.equal(load('P: 1\njetstream { max_mem: $P }').options.jetStream?.maxMemoryBytes, 1);
  assert.equal(portIn('port: $P', { env: { P: '7' } }), 7);
  assert.equal(load('max_payload: $SIZE', { env: { SIZE: '8MB' } }).options.maxPayloadBytes, 8_388_608);
  assert.deepEqual(load('server_tags: $TAGS', { env: { TAGS: '[a, b]' } }).options.serverTags, ['a', 'b']);
});

test('a variable must be defined before its use, and used if it is no option', () => {
  assert.match(problemsOf('port: $P\nP: 1')[0]!, /^1:7: variable "P" is neither defined/);
  assert.deepEqual(problemsOf('P: 1\nport: 1'), ['1:1: unknown field "P"']);
  assert.match(problemsOf('port: $P', { env: { P: '$P' } })[0]!, /refers to itself/);
  assert.match(problemsOf('port: $P', { env: { P: '1 2' } })[0]!, /^1:7: environment variable "P"/);
});

test('an included file is merged into its place, relative to the file that includes it', () => {
  const files = { '/etc/sub/a.conf': 'port: 5\ninclude "b.conf"', '/etc/sub/b.conf': 'server_name: inner' };
  const { options } = load('server_name: outer\ninclude ./sub/a.conf', { files });
  assert.deepEqual([options.port, options.serverName], [5, 'inner']);
  const nested = load('jetstream { include c.conf }', { files: { '/etc/c.conf': 'max_mem: 9' } }).options;
  assert.equal(nested.jetStream?.maxMemoryBytes, 9);
});

test('an included file does not see the variables of who includes it', () => {
  const problems = problemsOf('P: 1\nport: $P\ninclude a.conf', { files: { '/etc/a.conf': 'http_port: $P' } });
  assert.match(problems[0]!, /^\/etc\/a\.conf:1:12: variable "P"/);
});

test('files that are missing or include themselves are reported where they are included', () => {
  assert.match(problemsOf('port: 1\ninclude nope.conf')[0]!, /^2:1: can't read included file "nope\.conf"/);
  const files = { '/etc/a.conf': 'include a.conf\ninclude a.conf' };
  assert.equal(problemsOf('include a.conf', { files }).length, 2);
});

const SYNTAX_ERRORS: readonly (readonly [text: string, problem: RegExp])[] = [
  ['/* no */\nport: 1', /^1:/],
  ['port: 1 server_name: x', /^1:9: expected the end of the line.*found 's'/],
  ['port: 1.5h', /^1:7: "1\.5h"/],
  ['server_name: 2020-01-01', /^1:14: .*2006-01-02T15:04:05Z/],
  ['server_name: .5', /start with a digit/],
  ['server_name: -abc', /a digit must follow/],
  ['port: 99999999999999999999', /out of range/],
  ['port:\n4222', /^1:6: "port" has no value/],
  ['port: [1', /the array is not closed/],
  ['cluster { port: 1', /the map is not closed/],
  ['port: 1 }', /no map that this "}" could close/],
  ['server_name: "abc', /^1:14: the string is not closed/],
  ["server_name: 'abc", /^1:14: the string is not closed/],
  ['server_name: (\nabc', /the block is not closed/],
  ['server_name: "a\\q"', /invalid escape "\\q"/],
  ['server_name: "a\\xZZ"', /two hex digits/],
  ['= 5', /expected the name of an option, but found '='/],
  [`port: ${'['.repeat(200)}`, /nested deeper/],
];
for (const [text, problem] of SYNTAX_ERRORS) {
  test(`a syntax error is reported with its place: ${JSON.stringify(text.slice(0, 30))}`, () => {
    assert.match(problemsOf(text)[0]!, problem);
  });
}

test('no text makes the loader throw anything but a ConfigError', () => {
  const words = fc.constantFrom(
    ...[
      'port',
      'cluster',
      'jetstream',
      '{',
      '}',
      '[',
      ']',
      ':',
      '=',
      '"',
      "'",
      '(',
      ')',
      '\n',
      ' ',
      ',',
      ';',
      '#',
      '//',
    ],
    ...['$P', '$Q', '\\', 'include', 'a.conf', '1', '-', '.', '5MB', '2m', 'true', 'max_mem', 'routes', 'nats://h:1'],
    ...['listen', 'http', 'authorization', 'server_metadata', '__proto__', 'sync', 'always', '2020-', 'é'],
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(words, { maxLength: 40 }).map((list) => list.join(' ')),
    fc.array(words, { maxLength: 40 }).map((list) => list.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        load(text, { env: { P: '$Q', Q: '$P' }, files: { '/etc/a.conf': 'include test.conf' } });
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        assert.ok(error.problems.length > 0);
      }
    }),
    { numRuns: 1500 },
  );
});
