/**
 * Owns what clients of buckets may run into beside their everyday (key-value-scenarios.ts): keys that are no subjects,
 * placements, publishes that are given up, mirrors under the names of their keys.
 */
import assert from 'node:assert/strict';
import {
  answers,
  fails,
  hasNoResponders,
  messages,
  onSingleServer,
  scenario,
  stream,
  type Scenario,
  type Step,
} from './scenario.ts';
import { becomes, refuses, stores } from './timed-steps.ts';

const BUCKET = { subjects: ['$KV.B.>'], allow_direct: true, allow_rollup_hdrs: true, discard: 'new' };

const STORE = { subjects: ['$O.O.C.>', '$O.O.M.>'], discard: 'new', allow_rollup_hdrs: true, allow_direct: true };
const SEALED = { sealed: true, deny_delete: true, deny_purge: true, allow_rollup_hdrs: false };
const expecting = (revision: string): string => `Nats-Expected-Last-Subject-Sequence: ${revision}`;

/** A publish that nobody takes. */
const goesNowhere =
  (subject: string): Step =>
  async (client) => {
    const [reply] = await client.request(subject, 'x');
    assert.match(reply?.headers ?? '', /^NATS\/1\.0 503/, subject);
  };

export const BUCKET_SCENARIOS: readonly Scenario[] = [
  scenario(
    'nobody takes a key with an empty token, or answers for it',
    ['KV_B'],
    [
      stream('KV_B', BUCKET),
      goesNowhere('$KV.B.a..b'),
      goesNowhere('$KV.B.a.'),
      hasNoResponders('DIRECT.GET.KV_B.$KV.B.a..b'),
      hasNoResponders('DIRECT.GET.KV_B.$KV.B.a.'),
      hasNoResponders('CONSUMER.CREATE.KV_B.w.$KV.B.a..b', {
        stream_name: 'KV_B',
        config: { name: 'w', filter_subject: '$KV.B.a..b' },
      }),
      hasNoResponders('STREAM.INFO.'),
    ],
  ),
  scenario(
    'what is no revision is none that a key has',
    ['KV_B'],
    [
      stream('KV_B', { ...BUCKET, max_msgs_per_subject: 5 }),
      stores('$KV.B.a', 1),
      ...['x', '-1', '1x', '0x1', '99999999999999999999'].map((revision) =>
        refuses('$KV.B.a', expecting(revision), [400, 10071, 'wrong last sequence: 1']),
      ),
      refuses('$KV.B.none', expecting('x'), [400, 10071, 'wrong last sequence: 0']),
      refuses('$KV.B.a', 'Nats-Expected-Last-Subject-Sequence-Subject: $KV.B.a', [
        400,
        10193,
        'missing sequence for expected last sequence per subject',
      ]),
      stores('$KV.B.a', 2, expecting('1')),
    ],
  ),
  scenario(
    'a purge is asked for in any case of letters, of a key or of the whole bucket, and in no other words',
    ['KV_B'],
    [
      stream('KV_B', { ...BUCKET, max_msgs_per_subject: 5 }),
      stores('$KV.B.a', 1),
      stores('$KV.B.b', 2),
      stores('$KV.B.a', 3, 'Nats-Rollup: SUB'),
      becomes('KV_B', { messages: 2, first_seq: 2, last_seq: 3 }),
      refuses('$KV.B.a', 'Nats-Rollup: key', [500, 10111, 'rollup value invalid: "key"']),
      refuses('$KV.B.a', `Nats-Rollup: key\r\n${expecting('9')}`, [400, 10071, 'wrong last sequence: 3']),
      stores('$KV.B.c', 4, 'Nats-Rollup: All'),
      becomes('KV_B', { messages: 1, first_seq: 4, last_seq: 4 }),
    ],
  ),
  scenario(
    'a history of 64 keeps the newest 64',
    ['KV_B'],
    [
      stream('KV_B', { ...BUCKET, max_msgs_per_subject: 64 }),
      messages(...Array.from({ length: 66 }, (_, i) => ['$KV.B.a', `${i}`] as const)),
      stores('$KV.B.b', 67),
      becomes('KV_B', { messages: 65, first_seq: 3, last_seq: 67, subjects: { '$KV.B.a': 64, '$KV.B.b': 1 } }),
    ],
  ),
  scenario(
    'a sealed store is watched, described anew, and deleted',
    ['OBJ_O'],
    [
      stream('OBJ_O', { ...STORE, num_replicas: 1 }),
      messages(['$O.O.C.n', 'chunk'], ['$O.O.M.bmFtZQ==', '{}']),
      answers('STREAM.UPDATE.OBJ_O', { name: 'OBJ_O', ...STORE, sealed: true }, { config: { sealed: true } }),
      fails('STREAM.MSG.DELETE.OBJ_O', { seq: 1 }, 400, 10109, 'invalid operation on sealed stream'),
      answers(
        'CONSUMER.CREATE.OBJ_O.w.$O.O.M.>',
        {
          stream_name: 'OBJ_O',
          action: 'create',
          config: { name: 'w', filter_subject: '$O.O.M.>', deliver_policy: 'last_per_subject' },
        },
        { num_pending: 1 },
      ),
      answers(
        'STREAM.UPDATE.OBJ_O',
        { name: 'OBJ_O', ...STORE, ...SEALED, description: 'd' },
        { config: { sealed: true, description: 'd' } },
      ),
      answers('STREAM.DELETE.OBJ_O', '', { success: true }),
    ],
  ),
  onSingleServer(
    'a single server keeps where a bucket is to be placed, and holds it itself',
    ['KV_B'],
    [
      answers(
        'STREAM.CREATE.KV_B',
        { name: 'KV_B', ...BUCKET, placement: { cluster: 'nowhere', tags: ['a', '!b'] } },
        { config: { placement: { cluster: 'nowhere', tags: ['a', '!b'] } }, did_create: true },
      ),
      messages(['$KV.B.a', '1']),
      answers(
        'STREAM.UPDATE.KV_B',
        { name: 'KV_B', ...BUCKET, placement: { cluster: 'elsewhere' } },
        { config: { placement: { cluster: 'elsewhere' } } },
      ),
      becomes('KV_B', { messages: 1 }),
    ],
  ),
];
