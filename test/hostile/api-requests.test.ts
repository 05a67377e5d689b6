/**
 * Bad requests to a real server: whatever a client puts into a call, it gets an answer of the call's own type or, where
 * nobody answers, none; a refused call changes nothing; and the server is there for the next one.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from '../harness/properties.ts';
import { RawClient, type Reply } from '../conformance/raw-client.ts';
import { PATIENT } from '../harness/patience.ts';
import { startServers, type Servers } from '../harness/server-process.ts';

/** Calls with a body, about a stream that exists and one that does not; the last token may be anything. */
const CALLS = [
  'INFO',
  'STREAM.CREATE.KEPT',
  'STREAM.CREATE.NEW',
  'STREAM.UPDATE.KEPT',
  'STREAM.INFO.KEPT',
  'STREAM.NAMES',
  'STREAM.LIST',
  'STREAM.PURGE.KEPT',
  'STREAM.MSG.GET.KEPT',
  'STREAM.MSG.DELETE.KEPT',
  'STREAM.SNAPSHOT.KEPT',
  'STREAM.RESTORE.NEW',
  'STREAM.LEADER.STEPDOWN.KEPT',
  'STREAM.PEER.REMOVE.KEPT',
  'CONSUMER.CREATE.KEPT',
  'CONSUMER.CREATE.KEPT.worker',
  'CONSUMER.CREATE.KEPT.new.kept.>',
  'CONSUMER.DURABLE.CREATE.KEPT.worker',
  'CONSUMER.INFO.KEPT.worker',
  'CONSUMER.PAUSE.KEPT.worker',
  'CONSUMER.NAMES.KEPT',
  'CONSUMER.LIST.KEPT',
  'CONSUMER.RESET.KEPT.worker',
  'CONSUMER.UNPIN.KEPT.worker',
  'CONSUMER.LEADER.STEPDOWN.KEPT.worker',
] as const;
/** They may succeed with what a hostile body happens to say, and are to change something then. */
const CHANGING = /^(STREAM\.(UPDATE|PURGE|MSG\.DELETE)|CONSUMER\.(PAUSE|RESET|CREATE|DURABLE))/;
const TYPE = /^io\.nats\.jetstream\.api\.v1\.[a-z_]+_response$/;
const SILENCE_MS = 400;

const MEMBERS = [
  'name',
  'subjects',
  'max_msgs',
  'max_age',
  'max_bytes',
  'num_replicas',
  'retention',
  'storage',
  'discard',
  'duplicate_window',
  'placement',
  'mirror',
  'sources',
  'republish',
  'subject_transform',
  'metadata',
  'first_seq',
  'config',
  'state',
  'stream_name',
  'durable_name',
  'filter_subject',
  'filter_subjects',
  'deliver_subject',
  'ack_policy',
  'backoff',
  'seq',
  'keep',
  'filter',
  'last_by_subj',
  'multi_last',
  'start_time',
  'offset',
  'peer',
  'pause_until',
  '__proto__',
  'constructor',
  'toString',
] as const;
const numbers = fc.constantFrom(
  '0',
  '-1',
  '1.5',
  '1e400',
  '-1e308',
  '9007199254740993',
  '18446744073709551616',
  '1e-9',
  '-0',
);
const texts = fc.constantFrom(
  '""',
  '"KEPT"',
  '"../../etc/passwd"',
  '"a.b"',
  '"a..b"',
  '">"',
  '"*"',
  '"$JS.>"',
  '"\\u0000"',
  '"\\ud800"',
  '"2026-13-45T99:99:99Z"',
  '"limits"',
  '"file"',
);
const leaf = fc.oneof(
  numbers,
  texts,
  fc.constantFrom('null', 'true', '{}', '[]', '[null]', '[[[]]]', '{"a":{"b":[1]}}'),
);
const member = fc.tuple(fc.constantFrom(...MEMBERS), leaf).map(([name, value]) => `${JSON.stringify(name)}:${value}`);
const object = fc.array(member, { maxLength: 6 }).map((members) => `{${members.join(',')}}`);
const nested = fc
  .tuple(fc.constantFrom('config', 'state', 'mirror', 'placement'), object)
  .map(([name, inner]) => `{"${name}":${inner}}`);
const cut = fc.tuple(object, fc.nat()).map(([json, at]) => json.slice(0, at % (json.length + 1)));
const deep = fc
  .tuple(fc.integer({ min: 10, max: 200_000 }), fc.constantFrom('[', '{"a":'))
  .map(([depth, open]) => open.repeat(depth));
const body = fc.oneof(
  { arbitrary: object, weight: 6 },
  { arbitrary: nested, weight: 3 },
  { arbitrary: cut, weight: 2 },
  { arbitrary: deep, weight: 1 },
  { arbitrary: fc.json({ maxDepth: 4 }), weight: 1 },
  { arbitrary: fc.string({ unit: 'binary' }), weight: 1 },
);

async function call(
  client: RawClient,
  subject: string,
  payload: string,
  timeoutMs = PATIENT.timeout,
): Promise<Reply | undefined> {
  return (await client.request(`$JS.API.${subject}`, payload, { timeoutMs }))[0];
}

describe('hostile requests', () => {
  let servers: Servers;
  let client: RawClient;
  before(async () => {
    servers = await startServers({ nodes: 1 });
    client = await RawClient.connect(servers.first.url);
  });
  after(async () => {
    client.close();
    await servers.stop();
  });

  /** The stream and its consumer as at first. */
  async function reset(): Promise<void> {
    for (const name of ['KEPT', 'NEW']) await call(client, `STREAM.DELETE.${name}`, '');
    await call(client, 'STREAM.CREATE.KEPT', '{"name":"KEPT","subjects":["kept.>"]}');
    for (let i = 0; i < 3; i++) await client.request('kept.a', String(i));
    const config = '{"stream_name":"KEPT","config":{"durable_name":"worker","ack_policy":"explicit"}}';
    await call(client, 'CONSUMER.CREATE.KEPT.worker', config);
  }

  /** What a refused call must not change. */
  async function picture(): Promise<unknown> {
    const answers = await Promise.all([
      call(client, 'STREAM.INFO.KEPT', '{"subjects_filter":">","deleted_details":true}'),
      call(client, 'CONSUMER.INFO.KEPT.worker', ''),
      call(client, 'STREAM.NAMES', ''),
      call(client, 'CONSUMER.NAMES.KEPT', ''),
    ]);
    return answers.map((answer) => {
      const members = Object.entries(JSON.parse(answer!.payload) as object);
      return members.filter(([name]) => name !== 'ts');
    });
  }

  test('every call is answered in its own form, and a refused one changes nothing', async () => {
    await reset();
    let before = await picture();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...CALLS), body, async (subject, payload) => {
        const answer = await call(client, subject, payload);
        assert.ok(answer !== undefined, `${subject} was not answered`);
        const { type, error } = JSON.parse(answer.payload) as {
          readonly type: string;
          readonly error?: { readonly code: number; readonly err_code: number; readonly description: string };
        };
        assert.match(type, TYPE);
        if (error === undefined && (CHANGING.test(subject) || subject.endsWith('NEW'))) {
          await reset();
          before = await picture();
          return;
        }
        if (error !== undefined) {
          assert.ok(error.code >= 400 && error.err_code > 10_000 && error.description !== '', answer.payload);
        }
        assert.deepEqual(await picture(), before);
      }),
      { numRuns: 250 },
    );
  });

  test('names with separators, blanks and wildcards reach no stream and no file', async () => {
    await reset();
    const before = await picture();
    const token = fc.constantFrom('..', '../x', 'a/b', 'a\\b', '*', '>', 'x'.repeat(300));
    const verbs = fc.constantFrom(
      'STREAM.CREATE',
      'STREAM.INFO',
      'STREAM.DELETE',
      'STREAM.RESTORE',
      'CONSUMER.CREATE.KEPT',
      'CONSUMER.INFO.KEPT',
      'CONSUMER.DELETE.KEPT',
    );
    await fc.assert(
      fc.asyncProperty(verbs, token, async (verb, name) => {
        const config = verb.startsWith('CONSUMER')
          ? { stream_name: 'KEPT', config: { name } }
          : { name, config: { name } };
        const payload = /INFO|DELETE/.test(verb) ? '' : JSON.stringify(config);
        const answer = await call(client, `${verb}.${name}`, payload, SILENCE_MS);
        if (answer !== undefined && answer.headers === '') assert.match(answer.payload, /"error":/, `${verb}.${name}`);
      }),
      { numRuns: 40 },
    );
    assert.deepEqual(await picture(), before);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  });

  test('a request larger than any configuration is refused unread', async () => {
    const answer = await call(client, 'STREAM.CREATE.NEW', `{"name":"NEW","description":"${'x'.repeat(1_000_000)}"}`);
    assert.match(answer!.payload, /stream description is too long/);
    const many = JSON.stringify({ name: 'NEW', subjects: Array.from({ length: 20_000 }, (_, i) => `s.${i}`) });
    const created = await call(client, 'STREAM.CREATE.NEW', many, 20_000);
    assert.match(created!.payload, /"type":"io\.nats\.jetstream\.api\.v1\.stream_create_response"/);
    await call(client, 'STREAM.DELETE.NEW', '');
  });
});
