/** Owns what is expected of snapshots and restores of streams (streams.md 3.11 and 3.12). */
import assert from 'node:assert/strict';
import { waitFor } from '../harness/wait-for.ts';
import type { RawClient, Reply } from './raw-client.ts';
import {
  ABSENT,
  ANYTHING,
  answers,
  assertContains,
  consumer,
  fails,
  messages,
  onSingleServer,
  scenario,
  SOME_TIME,
  stream,
} from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const S2_IDENTIFIER = Buffer.from('ff060000' + Buffer.from('S2sTwO').toString('hex'), 'hex');
const ACK_SUBJECT = /^\$JS\.SNAPSHOT\.ACK\.[^.]+\.[0-9A-Za-z]{22}\.(\d+)\.(\d+)$/;
const RESTORE_SUBJECT = /^\$JS\.SNAPSHOT\.RESTORE\.[^.]+\.[0-9A-Za-z]{22}$/;
const GATHERING_MS = 10_000;
const SMALL_CHUNK = 1024;
/** As long as a step waits for what must not come. */
const SILENCE_MS = 300;

/** What a scenario has received, for its later steps. */
class Backup {
  archive: Buffer = Buffer.alloc(0);
}

interface Snapshot {
  readonly chunks: readonly Reply[];
  readonly end: Reply;
}

/** Takes a snapshot, acknowledging every chunk. */
async function takeSnapshot(client: RawClient, name: string, request: object): Promise<Snapshot> {
  const subject = `snapshot.${name}`;
  const subscription = client.subscribe(subject);
  await client.request(`$JS.API.STREAM.SNAPSHOT.${name}`, JSON.stringify({ deliver_subject: subject, ...request }));
  let acknowledged = 0;
  const end = await waitFor(
    `the end of the snapshot of ${name}`,
    () => {
      for (const { replyTo } of subscription.received.slice(acknowledged)) {
        acknowledged++;
        if (replyTo !== '') client.publish(replyTo);
      }
      return subscription.received.find(({ bytes }) => bytes.length === 0);
    },
    GATHERING_MS,
  );
  subscription.close();
  return { chunks: subscription.received.filter(({ bytes }) => bytes.length > 0), end };
}

/** Backs the stream up; whatever else the step asserts of it. */
function backsUp(name: string, backup: Backup, request: object = {}, check?: (snapshot: Snapshot) => void): Step {
  return async (client) => {
    const snapshot = await takeSnapshot(client, name, request);
    backup.archive = Buffer.concat(snapshot.chunks.map(({ bytes }) => bytes));
    assert.deepEqual(backup.archive.subarray(0, S2_IDENTIFIER.length), S2_IDENTIFIER);
    check?.(snapshot);
  };
}

async function beginRestore(client: RawClient, name: string, config: object): Promise<string> {
  const body = JSON.stringify({ config: { name, ...config }, state: {} });
  const [reply] = await client.request(`$JS.API.STREAM.RESTORE.${name}`, body);
  const answer = JSON.parse(reply?.payload ?? '{}') as { readonly deliver_subject?: string };
  assert.match(answer.deliver_subject ?? '', RESTORE_SUBJECT, reply?.payload);
  return answer.deliver_subject!;
}

/** Sends chunks, each acknowledged by an empty message, and gives the answer to the end. */
async function sendChunks(client: RawClient, subject: string, chunks: readonly Buffer[]): Promise<unknown> {
  for (const chunk of chunks) {
    const [ack] = await client.request(subject, chunk);
    assert.equal(ack?.payload, '', 'a chunk is acknowledged by an empty message');
  }
  const [answer] = await client.request(subject, '', { timeoutMs: GATHERING_MS });
  return JSON.parse(answer?.payload ?? 'null');
}

function chunksOf(archive: Buffer, bytes: number): Buffer[] {
  const count = Math.ceil(archive.length / bytes);
  return Array.from({ length: count }, (_, i) => archive.subarray(i * bytes, (i + 1) * bytes));
}

/** Restores what was backed up, by way of chunks of `chunkBytes`. */
function restores(name: string, config: object, from: Backup, expected: object, chunkBytes = 700): Step {
  return async (client) => {
    const replicas = client.clustered ? { num_replicas: 3 } : {};
    const subject = await beginRestore(client, name, { ...replicas, ...config });
    const answer = await sendChunks(client, subject, chunksOf(from.archive, chunkBytes));
    assertContains(answer, { type: 'io.nats.jetstream.api.v1.stream_create_response', ...expected }, name);
  };
}

/** A restore of these chunks fails, and leaves nothing behind. */
function refusesToRestore(
  name: string,
  chunks: (archive: Buffer) => readonly Buffer[],
  from: Backup,
  text: string,
): Step {
  return async (client) => {
    const subject = await beginRestore(client, name, { subjects: [`${name}.>`] });
    const answer = await sendChunks(client, subject, chunks(from.archive));
    const error = { code: 500, err_code: 10062, description: text };
    assert.deepEqual(answer, { type: 'io.nats.jetstream.api.v1.stream_create_response', error });
    await fails(`STREAM.INFO.${name}`, '', 404, 10059, 'stream not found')(client);
  };
}

const deletes = (name: string): Step => answers(`STREAM.DELETE.${name}`, '', { success: true });

function manyMessages(count: number): Step {
  return async (client) => {
    // Random enough that compression does not make them one small chunk.
    const payload = (i: number): string =>
      Array.from({ length: 40 }, (_, j) => ((i + 7) * (j + 13) * 7919) % 9973).join('');
    for (let i = 0; i < count; i++) client.publish('ARC.many', payload(i));
    await waitFor('all messages', async () => {
      const [info] = await client.request('$JS.API.STREAM.INFO.ARC');
      return (JSON.parse(info!.payload) as { state: { messages: number } }).state.messages === count;
    });
  };
}

const content = [
  stream('ARC', { subjects: ['ARC.>'] }),
  messages(
    ['ARC.a', 'one', 'H: v'],
    ['ARC.b', 'two'],
    ['ARC.a', 'three'],
    ['ARC.c', 'four', 'Nats-Msg-Id: i4'],
    ['ARC.c', 'five'],
  ),
  answers('STREAM.MSG.DELETE.ARC', { seq: 2 }, { success: true }),
  answers('STREAM.MSG.DELETE.ARC', { seq: 5 }, { success: true }),
];

const requests: readonly Scenario[] = [
  scenario(
    'a snapshot request without a body is refused',
    ['ARC'],
    [
      stream('ARC'),
      fails('STREAM.SNAPSHOT.ARC', '', 400, 10003, 'bad request'),
      fails('STREAM.SNAPSHOT.ARC', {}, 400, 10003, 'bad request'),
    ],
  ),
  scenario(
    'a snapshot goes to one literal subject',
    ['ARC'],
    [
      stream('ARC'),
      fails('STREAM.SNAPSHOT.ARC', { chunk_size: 1024 }, 400, 10015, 'deliver subject not valid'),
      fails('STREAM.SNAPSHOT.ARC', { deliver_subject: 'a.*' }, 400, 10015, 'deliver subject not valid'),
      fails('STREAM.SNAPSHOT.ARC', { deliver_subject: 'a..b' }, 400, 10015, 'deliver subject not valid'),
    ],
  ),
  onSingleServer(
    'there is no snapshot of a stream that does not exist',
    [],
    [fails('STREAM.SNAPSHOT.ARC', { deliver_subject: 'a' }, 404, 10059, 'stream not found')],
  ),
  scenario(
    'a snapshot request answers with configuration and state',
    ['ARC'],
    [
      ...content,
      answers(
        'STREAM.SNAPSHOT.ARC',
        { deliver_subject: 'snapshot.nobody' },
        {
          type: 'io.nats.jetstream.api.v1.stream_snapshot_response',
          config: { name: 'ARC', subjects: ['ARC.>'], metadata: { '_nats.ver': ABSENT, '_nats.level': ABSENT } },
          state: { messages: 3, first_seq: 1, last_seq: 5, num_deleted: 2, first_ts: SOME_TIME },
        },
      ),
    ],
  ),
  scenario(
    'a restore request without a body is refused',
    [],
    [fails('STREAM.RESTORE.ARC', '', 400, 10003, 'bad request')],
  ),
  scenario(
    'a restore request names its stream as its subject does',
    [],
    [
      fails(
        'STREAM.RESTORE.ARC',
        { config: { name: 'B' }, state: {} },
        400,
        10056,
        'stream name in subject does not match request',
      ),
    ],
  ),
  scenario(
    'a stream that exists is not restored',
    ['ARC'],
    [
      stream('ARC'),
      fails(
        'STREAM.RESTORE.ARC',
        { config: { name: 'ARC' }, state: {} },
        400,
        10130,
        'stream name already in use, cannot restore',
      ),
    ],
  ),
  scenario(
    'the configuration of a restored stream is checked',
    [],
    [
      fails(
        'STREAM.RESTORE.ARC',
        { config: { name: 'ARC', max_age: -1 }, state: {} },
        500,
        10052,
        'max age can not be negative',
      ),
      fails('STREAM.RESTORE.ARC', { foo: 1 }, 400, 10025, 'invalid JSON: json: unknown field "foo"'),
    ],
  ),
];

function transfers(): readonly Scenario[] {
  const plain = new Backup();
  const renamed = new Backup();
  const limited = new Backup();
  const bare = new Backup();
  const large = new Backup();
  const damaged = new Backup();
  const working = new Backup();
  return [
    scenario(
      'a small snapshot is one chunk without a reply, and an end without headers',
      ['ARC'],
      [
        ...content,
        backsUp('ARC', new Backup(), {}, ({ chunks, end }) => {
          assert.deepEqual(
            chunks.map(({ replyTo }) => replyTo),
            [''],
          );
          assert.equal(end.headers, '');
        }),
      ],
    ),
    scenario(
      'full chunks ask for an acknowledgement, and the end then has status 204',
      ['ARC'],
      [
        stream('ARC', { subjects: ['ARC.>'] }),
        manyMessages(60),
        backsUp('ARC', large, { chunk_size: SMALL_CHUNK }, ({ chunks, end }) => {
          const [last] = chunks.slice(-1);
          assert.equal(last?.replyTo, '');
          for (const [index, { bytes, replyTo }] of chunks.slice(0, -1).entries()) {
            assert.equal(bytes.length, SMALL_CHUNK);
            assert.deepEqual(ACK_SUBJECT.exec(replyTo)?.slice(1), [String(SMALL_CHUNK), String(index + 1)]);
          }
          assert.ok(chunks.length > 3, `${chunks.length} chunks`);
          assert.equal(end.headers, 'NATS/1.0 204\r\n\r\n');
        }),
        deletes('ARC'),
        restores('ARC', { subjects: ['ARC.>'] }, large, { state: { messages: 60, last_seq: 60 } }),
      ],
    ),
    scenario(
      'no more chunks come than the window holds, until one is acknowledged',
      ['ARC'],
      [
        stream('ARC', { subjects: ['ARC.>'] }),
        manyMessages(60),
        async (client) => {
          const subscription = client.subscribe('snapshot.window');
          const request = { deliver_subject: 'snapshot.window', chunk_size: SMALL_CHUNK, window_size: 2 * SMALL_CHUNK };
          await client.request('$JS.API.STREAM.SNAPSHOT.ARC', JSON.stringify(request));
          await waitFor('the first two chunks', () => subscription.received.length >= 2);
          await client.request('nobody.listens', '', { timeoutMs: SILENCE_MS });
          assert.equal(subscription.received.length, 2);
          client.publish(subscription.received[0]!.replyTo);
          await waitFor('the third chunk', () => subscription.received.length === 3);
        },
      ],
    ),
    scenario(
      'a restored stream has its sequences, times, headers and gaps again',
      ['ARC'],
      [
        ...content,
        async (client) => {
          const [before] = await client.request('$JS.API.STREAM.MSG.GET.ARC', '{"seq":3}');
          await backsUp('ARC', plain)(client);
          await deletes('ARC')(client);
          const state = { messages: 3, first_seq: 1, last_seq: 5, num_deleted: 2, num_subjects: 2, consumer_count: 0 };
          await restores('ARC', { subjects: ['ARC.>'] }, plain, { state, did_create: ABSENT })(client);
          const [after] = await client.request('$JS.API.STREAM.MSG.GET.ARC', '{"seq":3}');
          assert.equal(after?.payload, before?.payload);
        },
        answers('STREAM.MSG.GET.ARC', { seq: 1 }, { message: { subject: 'ARC.a', hdrs: ANYTHING, data: 'b25l' } }),
        fails('STREAM.MSG.GET.ARC', { seq: 2 }, 404, 10037, 'no message found'),
        answers('STREAM.INFO.ARC', { deleted_details: true }, { state: { deleted: [2, 5] } }),
      ],
    ),
    scenario(
      'a restored stream goes on behind its last sequence, deleted or not',
      ['ARC'],
      [
        ...content,
        backsUp('ARC', bare),
        deletes('ARC'),
        restores('ARC', { subjects: ['ARC.>'] }, bare, { state: { last_seq: 5 } }),
        answers('STREAM.INFO.ARC', '', { state: { last_seq: 5 } }),
        messages(['ARC.a', 'six']),
        answers('STREAM.MSG.GET.ARC', { seq: 6 }, { message: { subject: 'ARC.a' } }),
      ],
    ),
    scenario(
      'an archive may be restored under another name and with other rules',
      ['ARC', 'OTHER'],
      [
        ...content,
        backsUp('ARC', renamed),
        restores('OTHER', { subjects: ['OTHER.>'], storage: 'memory' }, renamed, {
          config: { name: 'OTHER', storage: 'memory' },
          state: { messages: 3, last_seq: 5 },
        }),
        answers('STREAM.INFO.ARC', '', { state: { messages: 3 } }),
      ],
    ),
    scenario(
      'the limits of a restored stream hold',
      ['ARC'],
      [
        ...content,
        backsUp('ARC', limited),
        deletes('ARC'),
        restores('ARC', { subjects: ['ARC.>'], max_msgs: 2 }, limited, {
          state: { messages: 2, first_seq: 3, last_seq: 5 },
        }),
      ],
    ),
    scenario(
      'consumers are restored with what they acknowledged and what waits for it',
      ['ARC'],
      [
        ...content,
        consumer('ARC', 'work', { ack_policy: 'explicit' }),
        async (client) => {
          const got = await client.request('$JS.API.CONSUMER.MSG.NEXT.ARC.work', '{"batch":2,"expires":20000000000}', {
            isComplete: (replies) => replies.length === 2,
          });
          await client.request(got[0]!.replyTo, '+ACK');
        },
        backsUp('ARC', working),
        deletes('ARC'),
        restores('ARC', { subjects: ['ARC.>'] }, working, { state: { consumer_count: 1 } }),
        answers('CONSUMER.INFO.ARC.work', '', {
          config: { durable_name: 'work', ack_policy: 'explicit' },
          num_pending: 1,
        }),
        async (client) => {
          const got = await client.request('$JS.API.CONSUMER.MSG.NEXT.ARC.work', '{"batch":1,"expires":20000000000}');
          assert.equal(got[0]?.subject, 'ARC.c', 'what was acknowledged does not come again');
        },
      ],
    ),
    scenario(
      'a snapshot without consumers restores none',
      ['ARC'],
      [
        ...content,
        consumer('ARC', 'work', { ack_policy: 'explicit' }),
        backsUp('ARC', new Backup(), { no_consumers: true }),
        backsUp('ARC', working, { no_consumers: true }),
        deletes('ARC'),
        restores('ARC', { subjects: ['ARC.>'] }, working, { state: { messages: 3, consumer_count: 0 } }),
      ],
    ),
    scenario(
      'while it is restored a stream is not there',
      ['ARC', 'NEW'],
      [
        ...content,
        backsUp('ARC', damaged),
        async (client) => {
          const subject = await beginRestore(client, 'NEW', { subjects: ['NEW.>'] });
          await fails('STREAM.INFO.NEW', '', 404, 10059, 'stream not found')(client);
          await answers('STREAM.NAMES', { subject: 'NEW.x' }, { total: 0 })(client);
          const [published] = await client.request('NEW.x', 'lost');
          assert.match(published?.headers ?? '', /^NATS\/1\.0 503/);
          assertContains(await sendChunks(client, subject, [damaged.archive]), { config: { name: 'NEW' } }, 'NEW');
          await answers('STREAM.INFO.NEW', '', { state: { messages: 3 } })(client);
        },
      ],
    ),
    scenario(
      'an archive that is none, or not all of one, is refused at its end',
      ['ARC', 'NEW'],
      [
        ...content,
        backsUp('ARC', damaged),
        refusesToRestore(
          'NEW',
          () => [Buffer.from('garbage'), Buffer.from('more')],
          damaged,
          'restore failed: s2: corrupt input',
        ),
        refusesToRestore('NEW', (archive) => [archive.subarray(0, -20)], damaged, 'restore failed: s2: corrupt input'),
      ],
    ),
  ];
}

export const ARCHIVE_SCENARIOS: readonly Scenario[] = [...requests, ...transfers()];
