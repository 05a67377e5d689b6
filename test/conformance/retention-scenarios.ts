/** Owns what is expected of retention, of limits that change, and of the flags that forbid (streams.md 2.2, 7.1, 7.2, 7.6). */
import { answers, consumer, fails, messages, publishes, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';
import { becomes, refuses, stores } from './timed-steps.ts';

/** One replica: an update then need not say how many there are. */
function made(config: object = {}): Step {
  return stream('R', { subjects: ['r.>'], num_replicas: 1, ...config });
}

function updates(config: object, expected: object = {}): Step {
  return answers('STREAM.UPDATE.R', { name: 'R', subjects: ['r.>'], ...config }, expected);
}

const SIX = messages(['r.a', '1'], ['r.b', '2'], ['r.a', '3'], ['r.b', '4'], ['r.a', '5'], ['r.c', '6']);
const state = (expected: object): Step => answers('STREAM.INFO.R', '', { state: expected });

const TIGHTENED: readonly Scenario[] = [
  scenario(
    'fewer messages are kept at once',
    ['R'],
    [made(), SIX, updates({ max_msgs: 2 }), state({ messages: 2, first_seq: 5, last_seq: 6 })],
  ),
  scenario(
    'fewer bytes are kept at once',
    ['R'],
    [made(), SIX, updates({ max_bytes: 70 }), state({ messages: 2, bytes: 68, first_seq: 5 })],
  ),
  scenario(
    'fewer messages per subject are kept at once',
    ['R'],
    [
      made(),
      SIX,
      updates({ max_msgs_per_subject: 1 }),
      answers(
        'STREAM.INFO.R',
        { subjects_filter: '>' },
        { state: { messages: 3, first_seq: 4, subjects: { 'r.a': 1, 'r.b': 1, 'r.c': 1 } } },
      ),
    ],
  ),
  scenario(
    'a shorter age removes what is older',
    ['R'],
    [made(), SIX, updates({ max_age: 200e6, duplicate_window: 100e6 }), becomes('R', { messages: 0, last_seq: 6 })],
  ),
  scenario(
    'limits that are widened remove nothing',
    ['R'],
    [
      made({ max_msgs: 6 }),
      SIX,
      updates({ max_msgs: 7 }),
      stores('r.a', 7),
      stores('r.a', 8),
      state({ messages: 7, first_seq: 2 }),
    ],
  ),
];

const INTEREST: readonly Scenario[] = [
  scenario(
    'without a consumer a message takes a sequence and is not kept',
    ['R'],
    [
      made({ retention: 'interest' }),
      stores('r.a', 1, 'Nats-Msg-Id: x'),
      publishes('r.a', 'x', 'Nats-Msg-Id: x', { seq: 1, duplicate: true }),
      stores('r.a', 2),
      state({ messages: 0, first_seq: 3, last_seq: 2 }),
    ],
  ),
  scenario(
    'only what a consumer filters for is kept',
    ['R'],
    [
      made({ retention: 'interest' }),
      consumer('R', 'c', { ack_policy: 'explicit', filter_subject: 'r.a' }),
      SIX,
      answers('STREAM.INFO.R', { subjects_filter: '>' }, { state: { messages: 3, subjects: { 'r.a': 3 } } }),
    ],
  ),
  scenario(
    'the last consumer takes what was kept for it along',
    ['R'],
    [
      made({ retention: 'interest' }),
      consumer('R', 'c', { ack_policy: 'explicit', filter_subject: 'r.a' }),
      consumer('R', 'd', { ack_policy: 'explicit', filter_subject: 'r.*' }),
      SIX,
      answers('CONSUMER.DELETE.R.d', '', { success: true }),
      becomes('R', { messages: 3 }),
      answers('CONSUMER.DELETE.R.c', '', { success: true }),
      becomes('R', { messages: 0, first_seq: 7, last_seq: 6 }),
    ],
  ),
  scenario(
    'a stream that begins to keep by interest without consumers loses everything',
    ['R'],
    [made(), SIX, updates({ retention: 'interest' }), becomes('R', { messages: 0, first_seq: 7, last_seq: 6 })],
  ),
  scenario(
    'a stream that keeps by limits again keeps what comes',
    ['R'],
    [
      made({ retention: 'interest' }),
      stores('r.a', 1),
      updates({ retention: 'limits' }),
      stores('r.a', 2),
      state({ messages: 1, first_seq: 2 }),
    ],
  ),
];

const OTHERS: readonly Scenario[] = [
  scenario(
    'a work queue is made as one, and stays one',
    ['R'],
    [
      made({ retention: 'workqueue' }),
      SIX,
      state({ messages: 6 }),
      ...['limits', 'interest'].map((retention) =>
        fails(
          'STREAM.UPDATE.R',
          { name: 'R', subjects: ['r.>'], retention },
          500,
          10052,
          'stream configuration update can not change retention policy to/from workqueue',
        ),
      ),
    ],
  ),
  scenario(
    'a consumer that goes leaves its work in the queue',
    ['R'],
    [
      made({ retention: 'workqueue' }),
      consumer('R', 'c', { ack_policy: 'explicit' }),
      SIX,
      answers('CONSUMER.DELETE.R.c', '', { success: true }),
      state({ messages: 6 }),
    ],
  ),
  scenario(
    'sealing stops everything, time included',
    ['R'],
    [
      made({ max_age: 3600e9 }),
      SIX,
      updates(
        { sealed: true, max_age: 3600e9 },
        { config: { sealed: true, max_age: 0, discard: 'new', deny_delete: true, deny_purge: true } },
      ),
      refuses('r.a', undefined, [400, 10109, 'invalid operation on sealed stream']),
      fails('STREAM.PURGE.R', '', 400, 10109, 'invalid operation on sealed stream'),
      fails('STREAM.MSG.DELETE.R', { seq: 1 }, 400, 10109, 'invalid operation on sealed stream'),
      state({ messages: 6 }),
    ],
  ),
  scenario(
    'what was denied stays denied, and brings nothing else along',
    ['R'],
    [
      made({ deny_purge: true }),
      ...[{ allow_msg_schedules: true }, { subject_delete_marker_ttl: 2e9 }].map((needsPurge) =>
        fails(
          'STREAM.UPDATE.R',
          { name: 'R', subjects: ['r.>'], deny_purge: true, ...needsPurge },
          500,
          10052,
          'stream configuration update can not cancel deny purge',
        ),
      ),
    ],
  ),
  scenario(
    'async persistence is for single file streams, and for good',
    ['R'],
    [
      answers('STREAM.CREATE.R', { name: 'R', persist_mode: 'async' }, { config: { persist_mode: 'async' } }),
      stores('R', 1),
      fails('STREAM.UPDATE.R', { name: 'R' }, 500, 10052, 'stream configuration update can not change persist mode'),
      fails(
        'STREAM.CREATE.R2',
        { name: 'R2', persist_mode: 'async', storage: 'memory' },
        500,
        10052,
        'async persist mode is only supported on file storage',
      ),
      fails(
        'STREAM.CREATE.R2',
        { name: 'R2', persist_mode: 'async', num_replicas: 3 },
        500,
        10052,
        'async persist mode is not supported on replicated streams',
      ),
      fails(
        'STREAM.CREATE.R2',
        { name: 'R2', persist_mode: 'async', allow_atomic: true },
        500,
        10052,
        'async persist mode is not supported with atomic batch publish',
      ),
    ],
  ),
  scenario(
    'compression may come and go, and bytes count without it',
    ['R'],
    [
      made({ compression: 's2' }),
      SIX,
      answers('STREAM.INFO.R', '', { config: { compression: 's2' }, state: { bytes: 204 } }),
      updates({ compression: 'none' }, { config: { compression: 'none' } }),
    ],
  ),
];

export const RETENTION_SCENARIOS: readonly Scenario[] = [...TIGHTENED, ...INTEREST, ...OTHERS];
