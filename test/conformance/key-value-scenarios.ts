/**
 * Owns what key-value and object stores rely on, in the bytes that their clients send (kv-object.md): buckets as clients
 * make them, writes by revision, markers, reads of every form, and the consumers behind watches.
 */
import assert from 'node:assert/strict';
import { Ear } from './consumer-steps.ts';
import { ABSENT, answers, direct, endOfBatch, fails, messages, publishes, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';
import { becomes, holds, refuses, stores } from './timed-steps.ts';

const BUCKET = {
  retention: 'limits',
  max_bytes: -1,
  max_msg_size: -1,
  storage: 'file',
  subjects: ['$KV.B.>'],
  discard: 'new',
  allow_direct: true,
  allow_rollup_hdrs: true,
  max_msgs_per_subject: 1,
};
const bucket = (config: object = {}): Step => stream('KV_B', { ...BUCKET, ...config });
const HISTORY = { max_msgs_per_subject: 5 };
const DELETE = 'KV-Operation: DEL';
const PURGE = 'KV-Operation: PURGE\r\nNats-Rollup: sub';
const expecting = (revision: number | string): string => `Nats-Expected-Last-Subject-Sequence: ${revision}`;
const wrongLast = (actual: number) => [400, 10071, `wrong last sequence: ${actual}`] as const;
const state = (expected: object): Step => becomes('KV_B', expected);

/** A write to a key of the bucket: its revision. */
const put = (key: string, revision: number, value = 'x', headers?: string): Step =>
  stores(`$KV.B.${key}`, revision, headers, value);
const refusesPut = (key: string, headers: string, error: readonly [number, number, string], value = 'x'): Step =>
  refuses(`$KV.B.${key}`, headers, error, value);

const BUCKETS: readonly Scenario[] = [
  scenario(
    'a bucket as clients make it, made twice, and made otherwise',
    ['KV_B'],
    [
      answers(
        'STREAM.CREATE.KV_B',
        { name: 'KV_B', ...BUCKET, ...HISTORY, max_age: 3_600_000_000_000, num_replicas: 1 },
        {
          config: { duplicate_window: 120_000_000_000, deny_delete: false, allow_rollup_hdrs: true },
          did_create: true,
        },
      ),
      answers(
        'STREAM.CREATE.KV_B',
        { name: 'KV_B', ...BUCKET, ...HISTORY, max_age: 3_600_000_000_000, num_replicas: 1 },
        { config: { max_msgs_per_subject: 5 } },
      ),
      fails(
        'STREAM.CREATE.KV_B',
        { name: 'KV_B', ...BUCKET, max_age: 3_600_000_000_000, num_replicas: 1 },
        400,
        10058,
        'stream name already in use with a different configuration',
      ),
    ],
  ),
  scenario(
    'the duplicate window of a bucket is not longer than its values live',
    ['KV_B'],
    [
      bucket({ max_age: 1_000_000_000 }),
      answers('STREAM.INFO.KV_B', '', { config: { duplicate_window: 1_000_000_000 } }),
    ],
  ),
  scenario(
    'markers of a bucket bring times to live and rollups with them',
    ['KV_B'],
    [
      answers(
        'STREAM.CREATE.KV_B',
        { name: 'KV_B', subjects: ['$KV.B.>'], subject_delete_marker_ttl: 1_000_000_000 },
        { config: { allow_msg_ttl: true, allow_rollup_hdrs: true, subject_delete_marker_ttl: 1_000_000_000 } },
      ),
    ],
  ),
  scenario(
    'a bucket that denies deletes takes markers and purges of a key, but no removal',
    ['KV_B'],
    [
      bucket({ deny_delete: true }),
      put('a', 1),
      put('a', 2, '', DELETE),
      fails('STREAM.MSG.DELETE.KV_B', { seq: 2 }, 500, 10057, 'message delete not permitted'),
      answers('STREAM.PURGE.KV_B', { filter: '$KV.B.a' }, { success: true, purged: 1 }),
    ],
  ),
  scenario(
    'a bucket tells its keys, and clients find it by name and by subject',
    ['KV_B'],
    [
      bucket(HISTORY),
      put('a.b', 1),
      put('a.b', 2),
      put('c=/_-', 3),
      answers(
        'STREAM.INFO.KV_B',
        { subjects_filter: '$KV.B.>' },
        { state: { messages: 3, num_subjects: 2, subjects: { '$KV.B.a.b': 2, '$KV.B.c=/_-': 1 } } },
      ),
      answers('STREAM.NAMES', { subject: '$KV.B.>' }, { streams: ['KV_B'] }),
    ],
  ),
];

const WRITES: readonly Scenario[] = [
  scenario(
    'a key is created when there is nothing, or nothing any more',
    ['KV_B'],
    [
      bucket(),
      put('a', 1, 'v', expecting(0)),
      refusesPut('a', expecting(0), wrongLast(1)),
      answers('STREAM.PURGE.KV_B', { filter: '$KV.B.a' }, { purged: 1 }),
      put('a', 2, 'v', expecting(0)),
    ],
  ),
  scenario(
    'a marker is a revision: a deleted key is created over it',
    ['KV_B'],
    [
      bucket(HISTORY),
      put('a', 1),
      put('a', 2, '', DELETE),
      refusesPut('a', expecting(0), wrongLast(2)),
      put('a', 3, 'v', expecting(2)),
      put('a', 4, '', PURGE),
      refusesPut('a', expecting(3), wrongLast(4)),
      put('a', 5, 'v', expecting(4)),
      state({ messages: 2, first_seq: 4, last_seq: 5 }),
    ],
  ),
  scenario(
    'an update is stored with what it expected',
    ['KV_B'],
    [bucket(), put('a', 1), put('a', 2, 'v', expecting(1)), holds('KV_B', 2, [expecting(1)])],
  ),
  scenario(
    'only the exact key counts',
    ['KV_B'],
    [
      bucket(),
      put('a', 1),
      put('a.b', 2, 'v', expecting(0)),
      refusesPut('a', expecting(2), wrongLast(1)),
      refusesPut('c', expecting(2), wrongLast(0)),
    ],
  ),
  scenario(
    'a revision of several keys can be expected',
    ['KV_B'],
    [
      bucket(),
      put('a.x', 1),
      put('a.y', 2),
      put('b', 3),
      put('a.x', 4, 'v', `${expecting(2)}\r\nNats-Expected-Last-Subject-Sequence-Subject: $KV.B.a.*`),
      refusesPut('a.y', `${expecting(2)}\r\nNats-Expected-Last-Subject-Sequence-Subject: $KV.B.a.*`, wrongLast(4)),
    ],
  ),
  scenario(
    'a refused purge removes nothing',
    ['KV_B'],
    [
      bucket(HISTORY),
      put('a', 1),
      put('a', 2),
      refusesPut('a', `${PURGE}\r\n${expecting(1)}`, wrongLast(2), ''),
      state({ messages: 2, first_seq: 1, last_seq: 2 }),
      put('a', 3, '', `${PURGE}\r\n${expecting(2)}`),
      state({ messages: 1, first_seq: 3, last_seq: 3 }),
    ],
  ),
  scenario(
    'a purge leaves a marker of its key, and all of the others',
    ['KV_B'],
    [
      bucket(HISTORY),
      put('a', 1),
      put('b', 2),
      put('a', 3),
      put('a.b', 4),
      put('a', 5, '', PURGE),
      state({ messages: 3, first_seq: 2, last_seq: 5, subjects: { '$KV.B.a': 1, '$KV.B.b': 1, '$KV.B.a.b': 1 } }),
      holds('KV_B', 5, ['KV-Operation: PURGE', 'Nats-Rollup: sub']),
    ],
  ),
  scenario(
    'a bucket that allows no rollups takes no purges',
    ['KV_B'],
    [
      bucket({ allow_rollup_hdrs: false }),
      put('a', 1),
      refusesPut('a', PURGE, [500, 10111, 'rollup not permitted'], ''),
      put('a', 2, '', DELETE),
    ],
  ),
  scenario(
    'a full history drops its oldest revision, never a write',
    ['KV_B'],
    [
      bucket({ max_msgs_per_subject: 2 }),
      put('a', 1),
      put('a', 2),
      put('b', 3),
      put('a', 4),
      put('a', 5),
      state({ messages: 3, first_seq: 3, last_seq: 5, subjects: { '$KV.B.a': 2, '$KV.B.b': 1 } }),
    ],
  ),
  scenario(
    'a value larger than allowed is refused, headers and all',
    ['KV_B'],
    [
      bucket({ max_msg_size: 20 }),
      put('a', 1, 'x'.repeat(20)),
      refuses('$KV.B.a', undefined, [400, 10054, 'message size exceeds maximum allowed'], 'x'.repeat(21)),
      refusesPut('a', DELETE, [400, 10054, 'message size exceeds maximum allowed'], ''),
    ],
  ),
  scenario(
    'a full bucket takes what replaces a value, and refuses what is new',
    ['KV_B'],
    [
      bucket({ max_bytes: 200 }),
      put('a', 1, 'x'.repeat(150)),
      refuses('$KV.B.b', undefined, [503, 10077, 'maximum bytes exceeded'], 'x'.repeat(150)),
      put('a', 2, 'y'.repeat(150)),
      refuses('$KV.B.a', undefined, [503, 10077, 'maximum bytes exceeded'], 'x'.repeat(300)),
      put('a', 3, '', PURGE),
      put('b', 4, 'x'.repeat(20)),
    ],
  ),
  scenario(
    'purging the deleted keeps the newest, or nothing',
    ['KV_B'],
    [
      bucket(HISTORY),
      put('a', 1),
      put('a', 2),
      put('a', 3, '', DELETE),
      put('b', 4),
      answers('STREAM.PURGE.KV_B', { filter: '$KV.B.a', keep: 1 }, { purged: 2 }),
      answers('STREAM.PURGE.KV_B', { filter: '$KV.B.a', keep: 0 }, { purged: 1 }),
      state({ messages: 1, first_seq: 4, last_seq: 4 }),
    ],
  ),
];

const filled = [
  bucket(HISTORY),
  put('a', 1, 'v1'),
  put('b.x', 2, 'v2'),
  put('a', 3, 'v3', 'H: h'),
  put('b.y', 4, 'v4'),
  put('b.x', 5, '', DELETE),
];
const NOT_FOUND = { status: '404 Message Not Found' };

const READS: readonly Scenario[] = [
  scenario(
    'a key is read by its subject, its markers as they are',
    ['KV_B'],
    [
      ...filled,
      direct('KV_B.$KV.B.a', '', [{ seq: 3, subject: '$KV.B.a', payload: 'v3', headers: { H: 'h' } }]),
      direct('KV_B.$KV.B.b.x', '', [{ seq: 5, payload: '', headers: { 'KV-Operation': 'DEL' } }]),
      direct('KV_B.$KV.B.none', '', [NOT_FOUND]),
      direct('KV_B', { last_by_subj: '$KV.B.a' }, [{ seq: 3, payload: 'v3', headers: { 'Nats-Stream': 'KV_B' } }]),
    ],
  ),
  scenario(
    'a revision is read by its number',
    ['KV_B'],
    [
      ...filled,
      direct('KV_B', { seq: 1 }, [{ seq: 1, subject: '$KV.B.a', payload: 'v1' }]),
      direct('KV_B', { seq: 6 }, [NOT_FOUND]),
      direct('KV_B', { seq: 2, next_by_subj: '$KV.B.a' }, [{ seq: 3 }]),
    ],
  ),
  scenario(
    'without headers a key is its value alone',
    ['KV_B'],
    [...filled, direct('KV_B.$KV.B.a', { no_hdr: true }, [{ payload: 'v3', bare: true }])],
  ),
  scenario(
    'a bucket without direct gets is read through the API',
    ['KV_B'],
    [
      bucket({ allow_direct: false }),
      put('a', 1, 'v1'),
      put('a', 2, '', DELETE),
      answers('STREAM.MSG.GET.KV_B', { last_by_subj: '$KV.B.a' }, { message: { seq: 2, data: ABSENT } }),
      fails('STREAM.MSG.GET.KV_B', { seq: 1 }, 404, 10037, 'no message found'),
      fails('STREAM.MSG.GET.KV_B', { last_by_subj: '$KV.B.b' }, 404, 10037, 'no message found'),
    ],
  ),
  scenario(
    'the newest of several keys come in the order of their revisions',
    ['KV_B'],
    [
      ...filled,
      direct('KV_B', { multi_last: ['$KV.B.b.*', '$KV.B.a'] }, [
        { seq: 3, payload: 'v3' },
        { seq: 4, payload: 'v4' },
        { seq: 5, payload: '' },
        endOfBatch(0, 5, 5),
      ]),
      direct('KV_B', { multi_last: ['$KV.B.none'] }, [{ status: '404 No Results' }]),
    ],
  ),
  scenario(
    'what keys were at an older revision',
    ['KV_B'],
    [
      ...filled,
      direct('KV_B', { multi_last: ['$KV.B.>'], up_to_seq: 4 }, [
        { seq: 2, payload: 'v2' },
        { seq: 3, payload: 'v3' },
        { seq: 4, payload: 'v4' },
        endOfBatch(0, 4, 4),
      ]),
    ],
  ),
  scenario(
    'a history is read in batches',
    ['KV_B'],
    [
      ...filled,
      direct('KV_B', { batch: 1, seq: 1, next_by_subj: '$KV.B.b.>' }, [
        { seq: 2, payload: 'v2', headers: { 'Nats-Num-Pending': '2' } },
        endOfBatch(2, 2),
      ]),
    ],
  ),
];

const ear = new Ear('watch.out');
const WATCHER = {
  ack_policy: 'none',
  max_deliver: 1,
  flow_control: true,
  idle_heartbeat: 5_000_000_000,
  num_replicas: 1,
  inactive_threshold: 300_000_000_000,
  mem_storage: true,
  deliver_subject: 'watch.out',
};

/** The consumer behind a watch: `pending` tells the client how many values to wait for. */
const watches = (config: object, pending: number): Step =>
  answers(
    'CONSUMER.CREATE.KV_B.w.$KV.B.>',
    {
      stream_name: 'KV_B',
      action: 'create',
      config: { name: 'w', filter_subject: '$KV.B.>', ...WATCHER, ...config },
    },
    { num_pending: pending },
  );

/** The revisions heard so far, and how many were left behind each. */
const heard =
  (...expected: readonly (readonly [revision: number, pending: number])[]): Step =>
  () => {
    const places = expected.map((_, index) => ear.reply(index - expected.length).split('.'));
    assert.deepEqual(
      places.map((tokens) => [Number(tokens.at(-4)), Number(tokens.at(-1))]),
      expected,
    );
    return Promise.resolve();
  };

const WATCHES: readonly Scenario[] = [
  scenario(
    'a watch hears the last values in the order of their revisions, counting down, then what comes',
    ['KV_B'],
    [
      ...filled,
      ear.opens(),
      watches({ deliver_policy: 'last_per_subject' }, 3),
      ear.hears('v3', 'v4', ''),
      heard([3, 2], [4, 1], [5, 0]),
      put('c', 6, 'v6'),
      ear.hears('v6'),
      heard([6, 0]),
    ],
  ),
  scenario(
    'the keys of a bucket come without their values, with their sizes and markers',
    ['KV_B'],
    [
      ...filled,
      ear.opens(),
      watches({ deliver_policy: 'last_per_subject', headers_only: true }, 3),
      ear.hears('', '', ''),
      () => {
        assert.equal(ear.last().headers, 'NATS/1.0\r\nKV-Operation: DEL\r\nNats-Msg-Size: 0\r\n\r\n');
        return Promise.resolve();
      },
    ],
  ),
  scenario(
    'the keys of an empty bucket are none at once',
    ['KV_B'],
    [bucket(), ear.opens(), watches({ deliver_policy: 'last_per_subject', headers_only: true }, 0), ear.hearsNothing()],
  ),
  scenario(
    'a watch of the history, of updates only, and from a revision',
    ['KV_B'],
    [
      ...filled,
      ear.opens(),
      watches({ deliver_policy: 'all' }, 5),
      ear.hears('v1', 'v2', 'v3', 'v4', ''),
      answers('CONSUMER.DELETE.KV_B.w', '', { success: true }),
      watches({ deliver_policy: 'new' }, 0),
      put('a', 6, 'v6'),
      ear.hears('v6'),
      answers('CONSUMER.DELETE.KV_B.w', '', { success: true }),
      watches({ deliver_policy: 'by_start_sequence', opt_start_seq: 4 }, 3),
      ear.hears('v4', '', 'v6'),
    ],
  ),
  scenario(
    'a watch from a revision that is gone begins with the first there is',
    ['KV_B'],
    [
      ...filled,
      answers('STREAM.PURGE.KV_B', { seq: 3 }, { purged: 2 }),
      ear.opens(),
      watches({ deliver_policy: 'by_start_sequence', opt_start_seq: 1 }, 3),
      ear.hears('v3', 'v4', ''),
    ],
  ),
  scenario(
    'a watch of several keys',
    ['KV_B'],
    [
      ...filled,
      ear.opens(),
      answers(
        'CONSUMER.CREATE.KV_B.w',
        {
          stream_name: 'KV_B',
          action: 'create',
          config: {
            name: 'w',
            ...WATCHER,
            deliver_policy: 'last_per_subject',
            filter_subjects: ['$KV.B.a', '$KV.B.b.y'],
          },
        },
        { num_pending: 2 },
      ),
      ear.hears('v3', 'v4'),
      heard([3, 1], [4, 0]),
    ],
  ),
  scenario(
    'a value that is overwritten before anybody listens is skipped, and what is left is right',
    ['KV_B'],
    [
      bucket(),
      put('a', 1, 'v1'),
      put('b', 2, 'v2'),
      put('c', 3, 'v3'),
      watches({ deliver_policy: 'last_per_subject' }, 3),
      put('b', 4, 'v4'),
      answers('CONSUMER.INFO.KV_B.w', '', { num_pending: 3 }),
      ear.opens(),
      ear.hears('v1', 'v3', 'v4'),
      heard([1, 2], [3, 1], [4, 0]),
    ],
  ),
  scenario(
    'a purge is heard as what it is',
    ['KV_B'],
    [
      bucket(HISTORY),
      ear.opens(),
      watches({ deliver_policy: 'last_per_subject' }, 0),
      put('a', 1, 'v1'),
      put('a', 2, '', PURGE),
      ear.hears('v1', ''),
      () => {
        assert.equal(ear.last().headers, 'NATS/1.0\r\nKV-Operation: PURGE\r\nNats-Rollup: sub\r\n\r\n');
        return Promise.resolve();
      },
    ],
  ),
];

const MARKED = { subject_delete_marker_ttl: 1_000_000_000, allow_msg_ttl: true };

const LIVES: readonly Scenario[] = [
  scenario(
    'a value that lived its time ends in a marker that a watch hears, and the key can be created',
    ['KV_B'],
    [
      bucket(MARKED),
      ear.opens(),
      watches({ deliver_policy: 'last_per_subject' }, 0),
      put('a', 1, 'v1', `${expecting(0)}\r\nNats-TTL: 1s`),
      ear.hears('v1', ''),
      () => {
        assert.match(ear.last().headers, /Nats-Marker-Reason: MaxAge\r\n/);
        return Promise.resolve();
      },
      state({ messages: 0, first_seq: 3, last_seq: 2 }),
      put('a', 3, 'v3', expecting(0)),
    ],
  ),
  scenario(
    'a purge that lives for a time leaves nothing in the end',
    ['KV_B'],
    [
      bucket({ ...HISTORY, allow_msg_ttl: true }),
      put('a', 1),
      put('a', 2, '', `${PURGE}\r\nNats-TTL: 1s`),
      state({ messages: 0, first_seq: 3, last_seq: 2 }),
      put('a', 3, 'v', expecting(0)),
    ],
  ),
  scenario(
    'a bucket without times to live refuses them',
    ['KV_B'],
    [bucket(), refusesPut('a', 'Nats-TTL: 1s', [400, 10166, 'per-message TTL is disabled'])],
  ),
];

const META = '$O.O.M.ZmlsZS50eHQ=';
const OBJECTS = { subjects: ['$O.O.C.>', '$O.O.M.>'], discard: 'new', allow_rollup_hdrs: true, allow_direct: true };
const object = [
  stream('OBJ_O', { max_age: 0, ...OBJECTS }),
  messages(['$O.O.C.n1', 'one'], ['$O.O.C.n2', 'other'], ['$O.O.C.n1', 'two'], ['$O.O.C.n1', 'three']),
  publishes(META, '{"nuid":"n1"}', 'Nats-Rollup: sub', { seq: 5 }),
];

const STORES: readonly Scenario[] = [
  scenario(
    'the chunks of an object come in order and count down to its end',
    ['OBJ_O'],
    [
      ...object,
      ear.opens(),
      answers(
        'CONSUMER.CREATE.OBJ_O.w.$O.O.C.n1',
        {
          stream_name: 'OBJ_O',
          action: 'create',
          config: { name: 'w', ...WATCHER, filter_subject: '$O.O.C.n1' },
        },
        { num_pending: 3 },
      ),
      ear.hears('one', 'two', 'three'),
      heard([1, 2], [3, 1], [4, 0]),
    ],
  ),
  scenario(
    'a new object takes the place of the old, whose chunks are purged',
    ['OBJ_O'],
    [
      ...object,
      messages(['$O.O.C.n3', 'new']),
      publishes(META, '{"nuid":"n3"}', 'Nats-Rollup: sub', { seq: 7 }),
      answers('STREAM.PURGE.OBJ_O', { filter: '$O.O.C.n1' }, { purged: 3 }),
      answers('STREAM.MSG.GET.OBJ_O', { last_by_subj: META }, { message: { seq: 7 } }),
      becomes('OBJ_O', { messages: 3, first_seq: 2, last_seq: 7 }),
    ],
  ),
  scenario(
    'a sealed store is read, and changed no more',
    ['OBJ_O'],
    [
      stream('OBJ_O', { num_replicas: 1, ...OBJECTS }),
      messages(['$O.O.C.n1', 'one'], [META, '{}']),
      answers(
        'STREAM.UPDATE.OBJ_O',
        { name: 'OBJ_O', ...OBJECTS, sealed: true },
        { config: { sealed: true, deny_delete: true, deny_purge: true, allow_rollup_hdrs: false } },
      ),
      refuses(META, undefined, [400, 10109, 'invalid operation on sealed stream']),
      fails('STREAM.PURGE.OBJ_O', '', 400, 10109, 'invalid operation on sealed stream'),
      direct(`OBJ_O.${META}`, '', [{ seq: 2, payload: '{}' }]),
    ],
  ),
];

export const KEY_VALUE_SCENARIOS: readonly Scenario[] = [
  ...BUCKETS,
  ...WRITES,
  ...READS,
  ...WATCHES,
  ...LIVES,
  ...STORES,
];
