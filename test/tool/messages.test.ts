import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { waitFor } from '../harness/wait-for.ts';
import { commandLine, uniqueName, type Outcome } from './command-line.ts';

const millrace = commandLine();

describe('publishing and listening', () => {
  test('what is published is printed by who listens, with its headers', async () => {
    const subject = uniqueName('chat');
    const listener = millrace.start(['sub', `${subject}.>`, '--count', '3']);
    await listener.saying('Listening on');
    await millrace.output(['pub', `${subject}.a`, 'hello', '--header', 'Who: anna', '--reply', 'answers']);
    await millrace.output(['pub', `${subject}.{{Count}}`, 'number {{Count}}', '--count', '2']);
    const { code, stdout } = await listener.ended;
    assert.equal(code, 0);
    assert.equal(
      stdout,
      `[#1] ${subject}.a reply to answers\nWho: anna\n\nhello\n\n[#2] ${subject}.1\nnumber 1\n\n[#3] ${subject}.2\nnumber 2\n\n`,
    );
  });

  test('a message is read from stdin, whole or line by line, and can be printed raw or as JSON', async () => {
    const subject = uniqueName('stdin');
    const raw = millrace.start(['sub', subject, '--count', '3', '--raw']);
    const json = millrace.start(['sub', subject, '--count', '3', '--json']);
    await Promise.all([raw.saying('Listening'), json.saying('Listening')]);
    assert.equal(
      await millrace.output(['pub', subject], { input: 'from stdin' }),
      `Published 1 message to ${subject}\n`,
    );
    assert.equal(
      await millrace.output(['pub', subject, '--lines'], { input: 'one\ntwo\n' }),
      `Published 2 messages to ${subject}\n`,
    );
    assert.equal((await raw.ended).stdout, 'from stdin\none\ntwo\n');
    const documents = (await json.ended).stdout.trim().split('\n');
    assert.deepEqual(
      documents.map((line) => JSON.parse(line) as unknown),
      ['from stdin', 'one', 'two'].map((data) => ({ subject, data })),
    );
  });

  test('Ctrl-C ends what would go on for ever with 0, and what it breaks off with 130', async () => {
    const subject = uniqueName('interrupted');
    const listener = millrace.start(['sub', subject]);
    await listener.saying('Listening');
    listener.interrupt();
    assert.deepEqual(await listener.ended, { code: 0, stdout: '', stderr: `Listening on ${subject}\n` });

    const first = millrace.start(['sub', subject, '--count', '1']);
    await first.saying('Listening');
    const publisher = millrace.start(['pub', subject, 'x', '--count', '2', '--sleep', '1h']);
    await first.ended;
    publisher.interrupt();
    assert.equal((await publisher.ended).code, 130);
  });

  test('Ctrl-C that comes while a command gets ready ends it as well', async () => {
    const [stream, bucket] = [uniqueName('EARLY'), uniqueName('early')];
    await millrace.output(['stream', 'add', stream]);
    await millrace.output(['consumer', 'add', stream, 'worker']);
    await millrace.output(['kv', 'add', bucket]);
    await millrace.output(['object', 'add', bucket]);
    for (const words of [
      ['sub', 'early'],
      ['reply', 'early', 'answer'],
      ['sub', '--stream', stream],
      ['consumer', 'sub', stream, 'worker'],
      ['consumer', 'sub', stream, 'worker', '--count', '1'],
      ['kv', 'watch', bucket],
      ['object', 'watch', bucket],
      ['bench', 'sub', 'early'],
    ])
      assert.equal((await millrace.interruptedAtOnce(words)).code, 0, words.join(' '));
    await millrace.output(['stream', 'rm', stream, '--force']);
    await millrace.output(['kv', 'rm', bucket, '--force']);
    await millrace.output(['object', 'rm', bucket, '--force']);
  });

  test('members of a queue group share the messages', async () => {
    const subject = uniqueName('queue');
    const members = [1, 2].map(() => millrace.start(['sub', subject, '--queue', 'q', '--raw']));
    await Promise.all(members.map((member) => member.saying('Listening')));
    const all = millrace.start(['sub', subject, '--count', '20', '--raw']);
    await all.saying('Listening');
    await millrace.output(['pub', subject, '{{Count}}', '--count', '20']);
    await all.ended;
    for (const member of members) member.interrupt();
    const received = await Promise.all(members.map(({ ended }) => ended));
    assert.deepEqual(
      received.map(({ code }) => code),
      [0, 0],
    );
    const numbers = received.flatMap(({ stdout }) => stdout.trim().split('\n').filter(Boolean).map(Number));
    assert.deepEqual(
      numbers.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  test('requests are answered, echoed, and missed', async () => {
    const subject = uniqueName('help');
    const answering = millrace.start(['reply', subject, '{{Count}}: {{Request}}', '--count', '1', '--quiet']);
    await answering.saying('Answering on');
    assert.equal(await millrace.output(['req', subject, 'anybody?', '--raw']), '1: anybody?\n');
    assert.equal((await answering.ended).code, 0);

    const echoes = [1, 2].map((i) => millrace.start(['reply', subject, '--echo', '--queue', `q${i}`, '--count', '1']));
    await Promise.all(echoes.map((echo) => echo.saying('Answering')));
    assert.equal(await millrace.output(['req', subject, 'both', '--replies', '2', '--raw']), 'both\nboth\n');
    await Promise.all(echoes.map(({ ended }) => ended));

    const { code, stderr } = await millrace.run(['req', subject, 'x']);
    assert.deepEqual([code, stderr], [1, 'millrace: nobody answers on this subject\n']);
  });

  test('what a stream has kept is replayed from where one likes', async () => {
    const stream = uniqueName('REPLAY');
    await millrace.output(['stream', 'add', stream, '--subjects', `${stream}.*`]);
    const stored = await millrace.output(['pub', `${stream}.{{Count}}`, 'm{{Count}}', '--count', '4', '--jetstream']);
    assert.equal(stored, [1, 2, 3, 4].map((seq) => `Stored in ${stream} as ${seq}\n`).join(''));

    const replay = async (...words: string[]): Promise<string> =>
      (await millrace.output(['sub', '--stream', stream, '--until-end', '--raw', ...words]))
        .replaceAll('\n', ' ')
        .trim();
    assert.equal(await replay('--all'), 'm1 m2 m3 m4');
    assert.equal(await replay('--last'), 'm4');
    assert.equal(await replay('--start-sequence', '3'), 'm3 m4');
    assert.equal(await replay('--since', '1h', '--count', '2'), 'm1 m2');
    assert.equal(await replay('--last-per-subject'), 'm1 m2 m3 m4');
    assert.equal(await replay('--all', `${stream}.2`), 'm2');
    const [line] = (await millrace.output(['sub', `${stream}.2`, '--since', '1h', '--count', '1', '--json'])).split(
      '\n',
    );
    const { seq, pending, data } = JSON.parse(line!) as Record<string, unknown>;
    assert.deepEqual([seq, pending, data], [2, 0, 'm2']);
    await millrace.output(['stream', 'rm', stream, '--force']);
  });

  test('the end of a stream is also found when its last message is removed before it is read', async () => {
    const stream = uniqueName('SHORTENED');
    await millrace.output(['stream', 'add', stream]);
    await millrace.output(['pub', stream, 'm{{Count}}', '--count', '2', '--sleep', '2s', '--jetstream']);
    const replay = millrace.start(['sub', '--stream', stream, '--until-end', '--original-pace', '--raw']);
    await replay.saying('Reading');
    await millrace.output(['stream', 'rmm', stream, '2', '--force']);
    const { code, stdout } = await replay.ended;
    // On a busy machine it may have been read by then.
    assert.ok(code === 0 && /^m1\n(m2\n)?$/.test(stdout), `${code}: ${stdout}`);
    await millrace.output(['stream', 'rm', stream, '--force']);
  });

  test('what is for a stream becomes headers, and its refusals are told', async () => {
    const stream = uniqueName('STORE');
    const config = ['--allow-msg-ttl', '--allow-batch', '--allow-schedules'];
    await millrace.output(['stream', 'add', stream, '--subjects', `${stream}.*`, ...config]);
    const pub = (...words: string[]): Promise<Outcome> => millrace.run(['pub', ...words]);
    const subject = `${stream}.a`;
    assert.equal(
      (await pub(subject, 'x', '--msg-id', 'n{{Count}}', '--ttl', '1h')).stdout,
      `Stored in ${stream} as 1\n`,
    );
    assert.match(await millrace.output(['stream', 'get', stream, '1']), /\nNats-Msg-Id: n1\nNats-TTL: 3600s\n/);
    const wrong = await pub(subject, 'x', '--expect-last-subject-sequence', '7');
    assert.deepEqual([wrong.code, wrong.stderr], [1, 'millrace: wrong last sequence: 1 (10071)\n']);
    const batch = await pub(subject, '{{Count}}', '--atomic', '--count', '3', '--expect-last-sequence', '1');
    assert.equal(batch.stdout, `Stored 3 messages in ${stream} as 4\n`);
    const lines = await millrace.run(['pub', subject, '--lines', '--atomic', '--json'], { input: 'a\nb\n' });
    const { seq, count } = JSON.parse(lines.stdout) as Record<string, unknown>;
    assert.deepEqual([seq, count], [6, 2]);
    const refused = await pub(subject, 'x', '--atomic', '--count', '2', '--expect-last-sequence', '1');
    assert.deepEqual([refused.code, refused.stderr], [1, 'millrace: wrong last sequence: 6 (10071)\n']);
    await pub(`${stream}.s`, 'later', '--schedule', '1h', '--schedule-target', `${stream}.due`);
    assert.match(await millrace.output(['stream', 'get', stream, '--last']), /\nNats-Schedule: @at \d{4}-.*Z\n/);
    for (const words of [
      ['--schedule', '1h'],
      ['--schedule-ttl', '1h'],
      ['--schedule', 'soon', '--schedule-target', 'x'],
    ])
      assert.equal((await pub(subject, 'x', ...words)).code, 2, words.join(' '));
    await millrace.output(['stream', 'rm', stream, '--force']);
  });

  test('listening ends after a silence, leaves out what is ignored, and can count instead of print', async () => {
    const subject = uniqueName('counted');
    const words = [`${subject}.>`, '--ignore', `${subject}.no.*`, '--count', '3'];
    const counting = millrace.start(['sub', ...words, '--report-subjects', '--json']);
    const names = millrace.start(['sub', ...words, '--subjects-only']);
    const silence = millrace.start(['sub', uniqueName('silence'), '--wait', '1ms']);
    await Promise.all([counting.saying('Listening'), names.saying('Listening')]);
    for (const [token, times] of [
      ['a', 2],
      ['no.x', 1],
      ['b', 1],
    ] as const)
      await millrace.output(['pub', `${subject}.${token}`, 'xy', '--count', String(times)]);
    assert.deepEqual(JSON.parse((await counting.ended).stdout), [
      { subject: `${subject}.a`, messages: 2, bytes: 4 },
      { subject: `${subject}.b`, messages: 1, bytes: 2 },
    ]);
    assert.equal((await names.ended).stdout, `${subject}.a\n${subject}.a\n${subject}.b\n`);
    assert.equal((await silence.ended).code, 0);
  });

  test('what a stream pushes can be acknowledged where it is listened to', async () => {
    const stream = uniqueName('PUSHED');
    const target = uniqueName('target');
    await millrace.output(['stream', 'add', stream]);
    const listener = millrace.start(['sub', target, '--ack', '--count', '1', '--raw']);
    await listener.saying('Listening');
    await millrace.output(['consumer', 'add', stream, 'pusher', '--target', target, '--defaults']);
    await millrace.output(['pub', stream, 'pushed']);
    assert.equal((await listener.ended).stdout, 'pushed\n');
    await waitFor('the acknowledgement', async () => {
      const info = (await millrace.json(['consumer', 'info', stream, 'pusher'])) as Record<string, unknown>;
      return info['num_ack_pending'] === 0;
    });
    await millrace.output(['stream', 'rm', stream, '--force']);
  });

  test('subjects on which nobody could listen are refused', async () => {
    for (const subject of ['', 'a b', 'a..b', 'a.*', '>'])
      assert.equal((await millrace.run(['pub', subject, 'x'])).code, 2);
    assert.equal((await millrace.run(['sub', 'a.>.b'])).code, 2);
  });

  test('a repeated id is stored once, and a subject that no stream stores is an error', async () => {
    const stream = uniqueName('DEDUPE');
    await millrace.output(['stream', 'add', stream]);
    const publish = ['pub', stream, 'x', '--header', 'Nats-Msg-Id:1', '--jetstream'];
    assert.equal(await millrace.output(publish), `Stored in ${stream} as 1\n`);
    assert.equal(await millrace.output(publish), `Stored in ${stream} as 1, as it was already\n`);
    assert.deepEqual(await millrace.json(publish), { stream, seq: 1, duplicate: true });
    await millrace.output(['stream', 'rm', stream, '--force']);
    const { code, stderr } = await millrace.run(publish);
    assert.deepEqual([code, stderr], [1, `millrace: no stream stores ${stream}\n`]);
  });
});
