import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import type { Command, Group } from '../../src/tool/command.ts';
import { COMMANDS } from '../../src/tool/commands.ts';
import { COMMON_OPTIONS, type CommonOptions } from '../../src/tool/connection/index.ts';
import { Context, type Surroundings } from '../../src/tool/context.ts';
import { ToolError } from '../../src/tool/failure.ts';
import { commandHelp } from '../../src/tool/help.ts';
import { runTool } from '../../src/tool/index.ts';
import { fill } from '../../src/tool/messages/template.ts';
import { NO_STYLE } from '../../src/tool/output/index.ts';
import { parse } from '../../src/tool/parse.ts';
import { nearest } from '../../src/tool/suggestion.ts';
import { staticImports } from '../harness/static-imports.ts';

interface Placed {
  readonly path: readonly string[];
  readonly command: Command;
}

function walk(found: Command | Group, path: readonly string[]): readonly Placed[] {
  if (found.kind === 'command') return [{ path, command: found }];
  return Object.entries(found.commands).flatMap(([name, next]) => walk(next, [...path, name]));
}

async function allCommands(): Promise<readonly Placed[]> {
  const entries = Object.entries(COMMANDS).map(async ([name, { load }]) => walk(await load(), [name]));
  return (await Promise.all(entries)).flat();
}

/** As a shell splits a line that has no escapes. */
function shellWords(line: string): readonly string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare!);
}

/** Runs in this process, where nothing is a terminal. */
async function run(
  ...words: string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const surroundings = { stdin: new PassThrough(), stdout, stderr, env: {} } as unknown as Surroundings;
  const code = await runTool(words, surroundings);
  return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

describe('commands', () => {
  test('every example is understood by the command that it explains', async () => {
    for (const { path, command } of await allCommands()) {
      assert.notEqual(command.examples.length, 0, path.join(' '));
      for (const example of command.examples) {
        const words = shellWords(example);
        assert.deepEqual(words.slice(0, path.length), path, example);
        assert.equal(
          parse({ ...command.parameters, ...COMMON_OPTIONS }, words.slice(path.length)).kind,
          'input',
          example,
        );
      }
    }
  });

  test('every command in the documentation is understood', async () => {
    const root = join(import.meta.dirname, '..', '..');
    const documented = ['README.md', 'docs/command-line.md'].flatMap((file) => {
      const lines = readFileSync(join(root, file), 'utf8').matchAll(/^(?:bin\/)?millrace ([a-z].*)$/gm);
      return [...lines].map(([, line]) => line!);
    });
    assert.ok(documented.length > 50);
    const commands = await allCommands();
    for (const line of documented) {
      const words = shellWords(line);
      const found = commands.find(({ path }) => path.every((word, i) => word === words[i]));
      assert.ok(found, line);
      const { path, command } = found;
      assert.equal(parse({ ...command.parameters, ...COMMON_OPTIONS }, words.slice(path.length)).kind, 'input', line);
    }
  });

  test('no command takes the name or the letter of an option that all have', async () => {
    const letters = new Set(Object.values(COMMON_OPTIONS).flatMap((option) => ('short' in option ? option.short : [])));
    for (const { path, command } of await allCommands()) {
      const shorts = Object.values(command.parameters).flatMap(({ short }) => short ?? []);
      assert.equal(new Set(shorts).size, shorts.length, path.join(' '));
      for (const short of shorts) assert.ok(!letters.has(short) && short !== 'h', `${path.join(' ')} -${short}`);
      for (const key of Object.keys(command.parameters))
        assert.ok(!(key in COMMON_OPTIONS), `${path.join(' ')} ${key}`);
    }
  });

  test('help names every option and argument', async () => {
    for (const { path, command } of await allCommands()) {
      const help = commandHelp(command, path, NO_STYLE);
      assert.ok(help.includes(`millrace ${path.join(' ')}`));
      for (const { help: text } of Object.values(command.parameters))
        assert.ok(help.includes(text), `${path.join(' ')}: ${text}`);
    }
  });

  test('help is found in all places where people look for it', async () => {
    for (const words of [
      ['help'],
      ['help', 'stream'],
      ['stream', '--help'],
      ['stream', 'add', '--help'],
      ['help', 'stream', 'add'],
    ]) {
      const { code, stdout, stderr } = await run(...words);
      assert.equal(code, 0, words.join(' '));
      assert.match(stdout, /Examples\n {2}millrace /);
      assert.equal(stderr, '');
    }
  });

  test('an unknown command is answered with the nearest, and exit code 2', async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['strem'], 'millrace: unknown command "strem"; did you mean "stream"?\nTry: millrace help\n'],
      [
        ['kv', 'histroy', 'b'],
        'millrace: unknown command "kv histroy"; did you mean "history"?\nTry: millrace help kv\n',
      ],
      [['zzzzzz'], 'millrace: unknown command "zzzzzz"\nTry: millrace help\n'],
      [['constructor'], 'millrace: unknown command "constructor"\nTry: millrace help\n'],
      [
        ['stream', '--json', 'ls'],
        'millrace: unknown command "stream --json"; options come after the command\nTry: millrace help stream\n',
      ],
      [['stream', 'info'], 'millrace: STREAM is missing\nTry: millrace help stream info\n'],
    ];
    for (const [words, stderr] of cases) assert.deepEqual(await run(...words), { code: 2, stdout: '', stderr });
  });

  test('a group without a command shows what there is, and fails', async () => {
    const { code, stdout } = await run('stream');
    assert.equal(code, 2);
    assert.match(stdout, /Commands\n {2}add /);
  });

  test('a server that is not there is one line on stderr, and exit code 1', async () => {
    const { code, stderr } = await run('stream', 'ls', '-s', '127.0.0.1:1');
    assert.equal(code, 1);
    assert.equal(stderr, 'millrace: cannot connect to 127.0.0.1:1: connection refused\n');
  });
});

describe('asking before something that can not be undone', () => {
  function surroundings(isTTY: boolean, answer: string): Surroundings {
    const stdin = Object.assign(new PassThrough(), { isTTY });
    const stderr = Object.assign(new PassThrough(), { isTTY });
    stdin.end(answer);
    return { stdin, stdout: new PassThrough(), stderr, env: {} } as unknown as Surroundings;
  }

  function context(isTTY: boolean, answer: string): Context {
    const parsed = parse(COMMON_OPTIONS, []);
    assert.equal(parsed.kind, 'input');
    return new Context(parsed.values as CommonOptions, surroundings(isTTY, answer));
  }

  test('on a terminal only a yes goes on', async () => {
    for (const answer of ['y\n', 'YES\n']) await context(true, answer).confirm('Sure?', false);
    for (const answer of ['\n', 'n\n', 'yesterday\n']) {
      await assert.rejects(context(true, answer).confirm('Sure?', false), ToolError, answer);
    }
  });

  test('the end of what comes from the terminal is no yes', async () => {
    await assert.rejects(context(true, '').confirm('Sure?', false), /^ToolError: not done$/);
  });

  test('without a terminal nobody is asked: it takes --force', async () => {
    await assert.rejects(context(false, 'y\n').confirm('Sure?', false), /without --force/);
    await context(false, '').confirm('Sure?', true);
  });
});

test('templates are filled in, and what means nothing is refused', () => {
  assert.equal(fill('a {{Count}} b {{ .Count }}', { count: 7 }), 'a 7 b 7');
  assert.equal(fill('to {{Request}}', { count: 1, request: 'x' }), 'to x');
  assert.match(fill('{{Random 3 5}}', { count: 1 }), /^\w{3,5}$/);
  assert.match(fill('{{ID}}-{{Unix}}', { count: 1 }), /^[0-9a-f]{24}-\d{10}$/);
  assert.throws(() => fill('{{Nonsense}}', { count: 1 }), /\{\{Nonsense\}\} means nothing/);
  assert.equal(fill('{"a":{"b":1}}', { count: 1 }), '{"a":{"b":1}}');
});

test('a suggestion is near, or there is none', () => {
  const words = ['stream', 'consumer', 'kv', 'sub'];
  assert.equal(nearest('straem', words), 'stream');
  assert.equal(nearest('vk', words), 'kv');
  assert.equal(nearest('consumers', words), 'consumer');
  assert.equal(nearest('completely-else', words), undefined);
});

test('neither the server nor the help of a command loads the client library', () => {
  const source = join(import.meta.dirname, '..', '..', 'src');
  const groups = ['messages', 'streams', 'consumers', 'buckets', 'objects', 'servers', 'bench'];
  const entries = ['server/main.ts', 'tool/main.ts', ...groups.map((name) => `tool/${name}/index.ts`)];
  for (const entry of entries) {
    const loaded = [...staticImports(join(source, entry))];
    assert.ok(loaded.length > 3, entry);
    assert.deepEqual(
      loaded.filter((file) => file.startsWith('@nats-io/')),
      [],
      entry,
    );
  }
  assert.ok(!staticImports(join(source, 'server/main.ts')).has(join(source, 'tool/index.ts')));
});
