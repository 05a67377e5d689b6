import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCommandLine, type Command } from '../../src/server/cli/index.ts';
import type { ServerOptions } from '../../src/server/config/index.ts';

function command(...words: string[]): Command {
  return parseCommandLine(['/usr/bin/node', '/opt/bin/nats-server', ...words], {});
}

function optionsOf(...words: string[]): ServerOptions {
  const result = command(...words);
  assert.equal(result.kind, 'run', JSON.stringify(result));
  return result.options;
}

function exitOf(...words: string[]): { code: number; stdout: string; stderr: string } {
  const result = command(...words);
  assert.equal(result.kind, 'exit');
  return result;
}

/** Runs `body` with the path of a file that holds `text`. */
function withFile(text: string, body: (path: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-config-'));
  try {
    const path = join(directory, 'server.conf');
    writeFileSync(path, text);
    body(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('one dash, two dashes and an equals sign mean the same', () => {
  for (const words of [['-p', '5'], ['--port', '5'], ['-port=5'], ['--p=5']]) {
    assert.equal(optionsOf(...words).port, 5, words.join(' '));
  }
});

test('booleans take a value only after an equals sign', () => {
  assert.equal(optionsOf('-D').log.debug, true);
  assert.equal(optionsOf('-D=false').log.debug, false);
  assert.equal(exitOf('-D', 'true').stderr, 'nats-server: unrecognized command: "true"\n');
});

test('flags win over the file, member by member', () => {
  withFile(
    'port: 1\nserver_name: file\njetstream { store_dir: "/a", max_mem: 1K }\ncluster { name: c, port: 2 }',
    (path) => {
      const words = [
        '-c',
        path,
        '-p',
        '9',
        '-sd',
        '/b',
        '--cluster',
        'nats://127.0.0.1:7',
        '--routes',
        'nats://h:1, nats://i:2',
      ];
      const options = optionsOf(...words);
      assert.deepEqual([options.port, options.serverName], [9, 'file']);
      assert.deepEqual([options.jetStream?.storeDir, options.jetStream?.maxMemoryBytes], ['/b/jetstream', 1000]);
      assert.deepEqual([options.cluster?.name, options.cluster?.host, options.cluster?.port], ['c', '127.0.0.1', 7]);
      assert.deepEqual(
        options.cluster?.routes.map((route) => route.host),
        ['h', 'i'],
      );
    },
  );
});

test('every flag of a JetStream cluster node is understood', () => {
  const options = optionsOf(
    ...[
      '-a',
      '127.0.0.1',
      '-p=-1',
      '-n',
      'n1',
      '-m',
      '8222',
      '-js',
      '-sd',
      '/data',
      '-P',
      '/p',
      '--ports_file_dir',
      '/d',
    ],
    ...['--cluster_name', 'c', '--cluster_listen', 'nats://u:p@0.0.0.0:0', '--routes', 'nats://h:1', '--no_advertise'],
    ...['--cluster_advertise', 'a:1', '--client_advertise', 'b:2', '-l', '/l', '-T=false', '--logtime_utc', '-DV'],
    ...['--connect_retries', '3', '--profile', '6060', '--max_traced_msg_len', '5', '--log_size_limit', '9'],
  );
  assert.deepEqual([options.host, options.port, options.serverName], ['127.0.0.1', -1, 'n1']);
  assert.deepEqual([options.monitoring?.port, options.monitoring?.host], [8222, '127.0.0.1']);
  assert.deepEqual([options.pidFile, options.portsFileDir, options.clientAdvertise], ['/p', '/d', 'b:2']);
  assert.deepEqual(options.log, {
    file: '/l',
    sizeLimitBytes: 9,
    maxFiles: 0,
    time: false,
    timeUtc: true,
    debug: true,
    trace: true,
  });
  const { cluster } = options;
  assert.deepEqual([cluster?.port, cluster?.name, cluster?.noAdvertise, cluster?.advertise], [-1, 'c', true, 'a:1']);
  assert.deepEqual(cluster?.authorization, { user: 'u', password: 'p', timeoutMs: 2000 });
});

test('the version names the program that was started', () => {
  assert.deepEqual(exitOf('-v'), { kind: 'exit', code: 0, stdout: 'nats-server: v2.15.1\n', stderr: '' });
  const own = parseCommandLine(['/usr/bin/node', '/opt/bin/millrace', 'version'], {});
  assert.equal(own.kind, 'exit');
  assert.match(own.stdout, /^millrace: v\d+\.\d+\.\d+\S* \(compatible with nats-server v2\.15\.1\)\n$/);
});

test('a flag that can not be read is answered on stderr, with the usage on stdout, and no failure', () => {
  const cases = [
    [['-foo'], 'flag provided but not defined: -foo\n'],
    [['-p', 'abc'], 'invalid value "abc" for flag -p: parse error\n'],
    [['-p'], 'flag needs an argument: -p\n'],
    [['-D=maybe'], 'invalid boolean value "maybe" for -D: parse error\n'],
    [['---p'], 'bad flag syntax: ---p\n'],
  ] as const;
  for (const [words, stderr] of cases) {
    const result = exitOf(...words);
    assert.deepEqual([result.code, result.stderr], [0, stderr]);
    assert.match(result.stdout, /Usage: nats-server \[options\]/);
  }
});

test('help is printed on stdout', () => {
  for (const words of [['-h'], ['--help'], ['help']]) assert.match(exitOf(...words).stdout, /Usage: nats-server/);
});

test('a word that is no command fails', () => {
  assert.deepEqual(exitOf('foo'), {
    kind: 'exit',
    code: 1,
    stdout: '',
    stderr: 'nats-server: unrecognized command: "foo"\n',
  });
});

test('flags that would protect something are refused, together with the problems of the file', () => {
  withFile('foo: 1', (path) => {
    const result = exitOf('--tlsverify', '--tls', '-c', path);
    assert.equal(result.code, 1);
    assert.equal(
      result.stderr,
      'nats-server: flag -tlsverify is not supported by this version\n' +
        `flag -tls is not supported by this version\n${path}:1:1: unknown field "foo"\n`,
    );
  });
});

test('routes without a cluster listener fail', () => {
  const result = exitOf('--routes', 'nats://a:5');
  assert.deepEqual(
    [result.code, result.stderr],
    [1, 'nats-server: solicited routes require cluster capabilities, e.g. --cluster\n'],
  );
});

test('-t reports a valid file with its digest, on stderr', () => {
  withFile('port: -1\n', (path) => {
    const result = exitOf('-c', path, '-t');
    assert.equal(result.code, 0);
    assert.match(result.stderr, /^nats-server: configuration file \S+ is valid \(sha256:[0-9a-f]{64}\)\n$/);
  });
});

test('-t fails on errors, on warnings, and without a file', () => {
  withFile('ping_interval: 5', (path) => {
    const result = exitOf('-t', '-c', path);
    assert.deepEqual([result.code, result.stderr.startsWith(`nats-server: ${path}:1:1: `)], [1, true]);
    assert.equal(command('-c', path).kind, 'run');
  });
  assert.match(exitOf('-t').stderr, /must specify \[-c, --config\] option/);
  assert.equal(
    exitOf('-c', '/nonexistent/x.conf').stderr,
    'nats-server: open /nonexistent/x.conf: no such file or directory\n',
  );
});

test('a reload reads the file again, with the same flags on top', () => {
  withFile('max_payload: 1KB', (path) => {
    const running = command('-c', path, '-p', '7');
    assert.equal(running.kind, 'run');
    writeFileSync(path, 'max_payload: 2KB');
    const { options } = running.reload();
    assert.deepEqual([options.maxPayloadBytes, options.port], [2048, 7]);
    assert.notEqual(options.configDigest, running.options.configDigest);
  });
});

test('signals go to the process that a number, a pid file, or the only running server names', () => {
  const sent: string[] = [];
  const processes = {
    kill: (pid: number, signal: string) => {
      if (pid === 999_999) throw Object.assign(new Error('gone'), { code: 'ESRCH' });
      sent.push(`${signal} ${pid}`);
    },
    find: () => [41, 42],
    readFile: (path: string) => {
      if (path === '/run/pid') return '77\n';
      return 'no number';
    },
  };
  const run = (argument: string) => {
    const result = parseCommandLine(['node', 'nats-server', `-sl=${argument}`], {}, processes);
    assert.equal(result.kind, 'exit');
    return [result.code, result.stderr];
  };
  assert.deepEqual(run('ldm=/run/pid'), [0, '']);
  assert.deepEqual(run('reload=12'), [0, '']);
  assert.deepEqual(run('term=4*'), [0, '']);
  assert.deepEqual(sent, ['SIGUSR2 77', 'SIGHUP 12', 'SIGTERM 41', 'SIGTERM 42']);
  assert.deepEqual(run('reload=999999'), [1, 'nats-server: signal "reload" 999999: no such process\n']);
  assert.deepEqual(run('foo=1'), [1, 'nats-server: unknown signal "foo"\n']);
  assert.deepEqual(run('stop'), [1, 'nats-server: multiple nats-server processes running:\n41\n42\n']);
  assert.deepEqual(run('stop=5*'), [1, 'nats-server: no nats-server processes running\n']);
  assert.deepEqual(run('stop=/run/other'), [1, 'nats-server: invalid pid: no number\n']);
});
