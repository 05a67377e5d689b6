import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { waitFor } from '../harness/wait-for.ts';
import { commandLine, uniqueName } from './command-line.ts';

type Document = Readonly<Record<string, unknown>>;

const millrace = commandLine();

describe('consumers', () => {
  const stream = uniqueName('CONSUMED');
  let consumer = '';
  before(async () => {
    await millrace.output(['stream', 'add', stream, '--subjects', `${stream}.*`]);
    await millrace.output(['pub', `${stream}.{{Count}}`, 'm{{Count}}', '--count', '5', '-J', '-q']);
  });
  after(() => millrace.output(['stream', 'rm', stream, '--force']));
  beforeEach(() => {
    consumer = uniqueName('c');
  });

  async function info(): Promise<Document & { readonly config: Document }> {
    return (await millrace.json(['consumer', 'info', stream, consumer])) as Document & { readonly config: Document };
  }

  test('options become the configuration, with their units', async () => {
    const words = ['--filter', `${stream}.1,${stream}.2`, '--deliver', '2', '--ack-wait', '1m', '--max-deliver', '5'];
    const more = [
      '--backoff',
      '1m,2m',
      '--max-ack-pending',
      '7',
      '--inactive-threshold',
      '1h',
      '--description',
      'Test',
    ];
    await millrace.output(['consumer', 'add', stream, consumer, ...words, ...more]);
    const { config } = await info();
    assert.deepEqual(config['filter_subjects'], [`${stream}.1`, `${stream}.2`]);
    assert.deepEqual([config['deliver_policy'], config['opt_start_seq']], ['by_start_sequence', 2]);
    assert.deepEqual([config['ack_policy'], config['ack_wait']], ['explicit', 60_000_000_000]);
    assert.deepEqual(config['backoff'], [60_000_000_000, 120_000_000_000]);
    assert.deepEqual([config['max_deliver'], config['max_ack_pending']], [5, 7]);
    assert.deepEqual([config['durable_name'], config['inactive_threshold']], [consumer, 3_600_000_000_000]);
    const text = await millrace.output(['consumer', 'info', stream, consumer]);
    assert.match(text, new RegExp(`^Consumer ${consumer} of ${stream}\n {2}Description: +Test\n`));
    assert.match(text, / Begins: +at sequence 2\n/);
    assert.match(text, / Backoff: +1m, 2m\n/);
    await millrace.output(['consumer', 'rm', stream, consumer, '--force']);
  });

  test('a consumer without a name is ephemeral, and gets one', async () => {
    const created = (await millrace.json(['consumer', 'add', stream])) as Document & { readonly config: Document };
    assert.equal(created.config['durable_name'], undefined);
    consumer = created['name'] as string;
    await millrace.output(['consumer', 'rm', stream, consumer, '--force']);
    const { code, stderr } = await millrace.run(['consumer', 'info', stream, consumer]);
    assert.deepEqual([code, stderr], [1, 'millrace: consumer not found (10014)\n']);
  });

  test('messages are pulled and acknowledged, refused, or left', async () => {
    await millrace.output(['consumer', 'add', stream, consumer]);
    const next = (...words: string[]): Promise<string> =>
      millrace.output(['consumer', 'next', stream, consumer, ...words]);
    assert.equal(await next('--raw'), 'm1\n');
    assert.equal(await next('--raw', '--count', '2'), 'm2\nm3\n');
    assert.equal((await info())['num_ack_pending'], 0);
    assert.equal(await next('--raw', '--nak'), 'm4\n');
    assert.match(await next(), new RegExp(`^\\[#1\\] ${stream}\\.4 ${stream} #4 at .*, delivery 2, 1 pending\nm4\n`));
    assert.equal(await next('--raw', '--term'), 'm5\n');
    // On a very busy machine not even the server may answer in so short a time.
    await waitFor('hearing that there is no message', async () => {
      const none = await millrace.run(['consumer', 'next', stream, consumer, '--timeout', '1s']);
      assert.deepEqual([none.code, none.stderr], [1, 'millrace: no message in time; --timeout waits longer\n']);
      return true;
    });
    await millrace.output(['consumer', 'rm', stream, consumer, '--force']);
  });

  test('messages are taken as they come, from a pull and from a push consumer', async () => {
    await millrace.output(['consumer', 'add', stream, consumer, '--filter', `${stream}.2`]);
    assert.equal(await millrace.output(['consumer', 'sub', stream, consumer, '--count', '1', '--raw']), 'm2\n');
    await millrace.output(['consumer', 'rm', stream, consumer, '--force']);

    await millrace.output(['consumer', 'add', stream, consumer, '--target', uniqueName('push'), '--heartbeat', '1s']);
    assert.equal(
      await millrace.output(['consumer', 'sub', stream, consumer, '--count', '5', '--raw']),
      'm1\nm2\nm3\nm4\nm5\n',
    );
    await millrace.output(['consumer', 'rm', stream, consumer, '--force']);
  });

  test('a consumer is changed, paused and resumed', async () => {
    await millrace.output(['consumer', 'add', stream, consumer]);
    const edited = await millrace.output(['consumer', 'edit', stream, consumer, '--ack-wait', '2m']);
    assert.match(edited, /^ack_wait: 30s -> 2m\n/);
    assert.match(await millrace.output(['consumer', 'pause', stream, consumer, '1h']), /is paused until \d{4}-/);
    assert.equal((await info())['paused'], true);
    assert.match(await millrace.output(['consumer', 'info', stream, consumer]), / Paused: +for another 59m/);
    await millrace.output(['consumer', 'resume', stream, consumer]);
    assert.notEqual((await info())['paused'], true);
    await millrace.output(['consumer', 'rm', stream, consumer, '--force']);
  });

  test('consumers are listed and compared', async () => {
    await millrace.output(['consumer', 'add', stream, consumer, '--filter', `${stream}.1`]);
    assert.match(
      await millrace.output(['consumer', 'ls', stream]),
      new RegExp(`^${consumer} +pull +explicit +${stream}\\.1 +`, 'm'),
    );
    assert.deepEqual(await millrace.json(['consumer', 'ls', stream, '--names']), [consumer]);
    assert.match(
      await millrace.output(['consumer', 'report', stream]),
      new RegExp(`^${consumer} +pull( +0){5} +1`, 'm'),
    );
    await millrace.output(['consumer', 'rm', stream, consumer, '--force']);
  });
});
