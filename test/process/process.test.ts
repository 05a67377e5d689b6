import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { test } from 'node:test';
import { waitFor } from '../harness/wait-for.ts';
import { withProcesses } from './watched-process.ts';

test('SIGTERM ends the server with exit code 0, and its ports file with it, but not its pid file', () =>
  withProcesses(async (start, directory) => {
    const server = start('-p', '-1', '-m', '-1', '-P', 'server.pid', '--ports_file_dir', 'ports');
    await server.logged('Server is ready');
    assert.match(server.stderr, /\[INF\] Listening for client connections on 127\.0\.0\.1:\d+\n/);
    assert.equal(readFileSync(join(directory, 'server.pid'), 'utf8'), String(server.pid));
    const file = join(directory, 'ports', `millrace_${server.pid}.ports`);
    const ports = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string[]>;
    assert.match(ports['nats']![0]!, /^nats:\/\/127\.0\.0\.1:\d+$/);
    const health = await fetch(`${ports['monitoring']![0]!}/healthz`);
    assert.deepEqual(await health.json(), { status: 'ok' });

    server.signal('SIGTERM');
    assert.equal(await server.exit(), 0);
    assert.match(server.stderr, /Trapped "terminated" signal[^]*Server Exiting\.\.\n$/);
    assert.deepEqual(readdirSync(join(directory, 'ports')), []);
    assert.ok(existsSync(join(directory, 'server.pid')));
  }));

test('a client port that is taken fails the start, and says so', () =>
  withProcesses(async (start) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const server = start('-p', String(port));
    assert.equal(await server.exit(), 1);
    assert.match(server.stderr, new RegExp(`\\[FTL\\] .*${port}`));
    other.close();
  }));

test('a configuration that can not be used fails the start, with all of its problems on stderr', () =>
  withProcesses(async (start, directory) => {
    writeFileSync(join(directory, 'bad.conf'), 'foo: 1\nport: x\n');
    const server = start('-c', 'bad.conf');
    assert.equal(await server.exit(), 1);
    assert.equal(
      server.stderr,
      'millrace: bad.conf:1:1: unknown field "foo"\nbad.conf:2:1: port: expected an integer, got a string\n',
    );
  }));

test('SIGHUP applies all changes of the file, or none of them', () =>
  withProcesses(async (start, directory) => {
    const file = join(directory, 'server.conf');
    writeFileSync(file, 'max_payload: 1KB\n');
    const server = start('-p', '-1', '-c', 'server.conf');
    await server.logged('Server is ready');

    writeFileSync(file, 'max_payload: 2KB\n');
    server.signal('SIGHUP');
    await server.logged('Reloaded server configuration (sha256:');
    assert.match(server.stderr, /Reloaded: max_payload = 2048/);

    writeFileSync(file, 'max_payload: 3KB\nmax_pending: 1MB\n');
    server.signal('SIGHUP');
    await server.logged('Failed to reload server configuration: config reload not supported for MaxPending');
    assert.doesNotMatch(server.stderr, /max_payload = 3072/);
  }));

test('SIGUSR1 opens the log file anew', () =>
  withProcesses(async (start, directory) => {
    const [file, moved] = [join(directory, 'server.log'), join(directory, 'moved.log')];
    const server = start('-p', '-1', '-l', 'server.log');
    await waitFor('a log file', () => readFileSync(file, 'utf8').includes('Server is ready'));
    renameSync(file, moved);
    server.signal('SIGUSR1');
    await waitFor('a new log file', () => readFileSync(file, 'utf8').includes('re-opened'));
    assert.match(readFileSync(moved, 'utf8'), /Trapped "user defined signal 1" signal/);
    server.signal('SIGINT');
    assert.equal(await server.exit(), 0);
  }));
