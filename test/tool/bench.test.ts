import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Measurement } from '../../src/tool/bench/measurement.ts';
import { commandLine, uniqueName } from './command-line.ts';

interface Result {
  readonly messages: number;
  readonly bytes: number;
  readonly messages_per_second: number;
  readonly latency_ms?: Readonly<Record<string, number>>;
}

const millrace = commandLine();

describe('measurements', () => {
  async function bench(...words: string[]): Promise<Result> {
    return (await millrace.json(['bench', ...words])) as Result;
  }

  test('messages that are published are counted where they are sent and where they arrive', async () => {
    const subject = uniqueName('bench');
    const counting = millrace.start(['bench', 'sub', subject, '--count', '2000', '--clients', '2', '--json']);
    await counting.saying('Counting');
    const sent = await bench('pub', subject, '--count', '2000', '--size', '100', '--clients', '2');
    const received = JSON.parse((await counting.ended).stdout) as Result;
    assert.deepEqual([sent.messages, sent.bytes], [2000, 200_000]);
    assert.equal(received.messages, 4000);
    assert.ok(sent.messages_per_second > 0);
  });

  test('what was measured until Ctrl-C is the result', async () => {
    const subject = uniqueName('bench');
    const counting = millrace.start(['bench', 'sub', subject, '--json']);
    await counting.saying('Counting');
    const first = millrace.start(['sub', subject, '--count', '5', '--subjects-only']);
    await first.saying('Listening');
    await bench('pub', subject, '--count', '5');
    await first.ended;
    counting.interrupt();
    const { code, stdout } = await counting.ended;
    assert.equal(code, 0);
    assert.ok((JSON.parse(stdout) as Result).messages <= 5);
  });

  test('streams are filled and read in every mode', async () => {
    const stream = uniqueName('BENCH');
    const size = ['--size', '64', '--stream', stream];
    for (const [mode, count] of [
      ['sync', 20],
      ['async', 200],
      ['batch', 100],
    ] as const) {
      const result = await bench('js', 'pub', mode, '--count', String(count), '--clients', '2', ...size);
      assert.equal(result.messages, count);
      assert.ok(result.latency_ms!['p50']! <= result.latency_ms!['p99']!);
    }
    assert.equal((await bench('js', 'consume', '--stream', stream, '--clients', '2')).messages, 320);
    assert.equal((await bench('js', 'push', '--stream', stream, '--clients', '2')).messages, 320);
    assert.equal((await bench('js', 'push', '--stream', stream, '--count', '100')).messages, 100);
    assert.equal((await bench('js', 'ordered', '--stream', stream, '--clients', '2')).messages, 640);
    const gets = await bench('js', 'get', '--stream', stream, '--clients', '2', '--window', '3');
    assert.deepEqual([gets.messages, gets.bytes], [320, 320 * 64]);
    assert.equal(
      (await bench('js', 'fetch', '--stream', stream, '--clients', '2', '--batch', '50', '--ack', 'none')).messages,
      320,
    );
    assert.match(
      await millrace.output(['bench', 'js', 'fetch', '--stream', stream, '--count', '10']),
      /^js fetch: [\d,]+ msgs\/s, .*\/s\n {2}10 messages, 640 B in /,
    );
    await millrace.output(['stream', 'rm', stream, '--force']);
  });

  test('clients that find nothing left to read end with the others', async () => {
    const stream = uniqueName('BENCH');
    await bench('js', 'pub', 'async', '--count', '8', '--stream', stream);
    for (let i = 0; i < 3; i++) {
      assert.equal((await bench('js', 'consume', '--stream', stream, '--clients', '8')).messages, 8);
      assert.equal((await bench('js', 'push', '--stream', stream, '--clients', '8')).messages, 8);
    }
    await millrace.output(['stream', 'rm', stream, '--force']);
  });

  test('buckets are filled and read', async () => {
    const bucket = uniqueName('bench');
    const keys = ['--bucket', bucket, '--keys', '10', '--count', '50', '--window', '5'];
    assert.equal((await bench('kv', 'put', ...keys)).messages, 50);
    assert.equal((await bench('kv', 'get', ...keys)).bytes, 50 * 128);
    await millrace.output(['kv', 'rm-bucket', bucket, '--force']);
  });

  test('the server and the account are described and checked', async () => {
    assert.match(await millrace.output(['server', 'info']), /^Server /);
    assert.match(
      await millrace.output(['server', 'ping', '--count', '2', '--interval', '1ms']),
      /\nmin .*, average .*, max .*\n$/,
    );
    const checks = (await millrace.json(['server', 'check'])) as readonly { readonly ok: boolean }[];
    assert.ok(checks.length >= 2 && checks.every(({ ok }) => ok));
    const account = (await millrace.json(['account', 'info'])) as { readonly type: string };
    assert.equal(account.type, 'io.nats.jetstream.api.v1.account_info_response');
  });
});

test('percentiles are those of all answers, even of more than are kept', () => {
  const measurement = new Measurement();
  for (let i = 1; i <= 2_500_000; i++) measurement.recordLatency(i % 1000);
  const { latency_ms: latency } = measurement.result('x', []);
  assert.ok(Math.abs(latency!['p50']! - 500) < 5, JSON.stringify(latency));
  assert.ok(Math.abs(latency!['p99']! - 990) < 5, JSON.stringify(latency));
});
