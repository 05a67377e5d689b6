/** Owns what is expected of times to live, delete markers and `max_age` (streams.md 7.4, 7.5). */
import { answers, fails, scenario, stream } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { becomes, holds, refuses, stores } from './timed-steps.ts';

const INVALID = [400, 10165, 'invalid per-message TTL'] as const;
const DISABLED = [400, 10166, 'per-message TTL is disabled'] as const;
const WITH_TTL = { subjects: ['t.>'], allow_msg_ttl: true };
const WITH_MARKERS = { subjects: ['t.>'], subject_delete_marker_ttl: 1e9 };

const FORMS: readonly Scenario[] = [
  scenario(
    'times to live are seconds, durations, or never',
    ['T'],
    [
      stream('T', WITH_TTL),
      ...['30', '30s', '1h30m', '1.5s', '2500ms', '1000000us', '1.s', 'never', 'NEVER', '99999999999'].map(
        (value, index) => stores('t.a', index + 1, `Nats-TTL: ${value}`),
      ),
      holds('T', 3, ['Nats-TTL: 1h30m']),
    ],
  ),
  ...['0', '-1', '500ms', 'abc', '1d', '5 ', '+5', '0x10', '-5s', '0s', '5.5', '2562048h'].map((value) =>
    scenario(
      `${JSON.stringify(value)} is no time to live`,
      ['T'],
      [stream('T', WITH_TTL), refuses('t.a', `Nats-TTL: ${value}`, INVALID)],
    ),
  ),
  scenario(
    'an empty time to live is none',
    ['T'],
    [stream('T', { subjects: ['t.>'] }), stores('t.a', 1, 'Nats-TTL: ')],
  ),
  scenario(
    'times to live must be allowed, and never are forbidden again',
    ['T'],
    [
      stream('T', { subjects: ['t.>'], num_replicas: 1 }),
      refuses('t.a', 'Nats-TTL: 5', DISABLED),
      refuses('t.a', 'Nats-TTL: never', DISABLED),
      refuses('t.a', 'Nats-TTL: x', INVALID),
      answers('STREAM.UPDATE.T', { name: 'T', ...WITH_TTL }, { config: { allow_msg_ttl: true } }),
      stores('t.a', 1, 'Nats-TTL: 5'),
      fails('STREAM.UPDATE.T', { name: 'T' }, 500, 10052, 'message TTL status can not be disabled'),
    ],
  ),
];

const MARKER_CONFIG: readonly Scenario[] = [
  scenario(
    'delete markers bring times to live and rollups along',
    ['T'],
    [
      answers(
        'STREAM.CREATE.T',
        { name: 'T', subject_delete_marker_ttl: 3e9, deny_purge: true },
        {
          config: {
            allow_msg_ttl: true,
            allow_rollup_hdrs: true,
            deny_purge: false,
            subject_delete_marker_ttl: 3e9,
            metadata: { '_nats.req.level': '1' },
          },
        },
      ),
    ],
  ),
  scenario(
    'a pedantic client must ask for what delete markers need',
    ['T'],
    [
      fails(
        'STREAM.CREATE.T',
        { name: 'T', subject_delete_marker_ttl: 3e9, pedantic: true },
        500,
        10052,
        'subject delete marker cannot be set if message TTLs are disabled',
      ),
      fails(
        'STREAM.CREATE.T',
        { name: 'T', subject_delete_marker_ttl: 3e9, allow_msg_ttl: true, pedantic: true },
        500,
        10052,
        'subject delete marker cannot be set if roll-ups are disabled',
      ),
      answers(
        'STREAM.CREATE.T',
        { name: 'T', subject_delete_marker_ttl: 3e9, allow_msg_ttl: true, allow_rollup_hdrs: true, pedantic: true },
        { did_create: true },
      ),
    ],
  ),
  scenario(
    'delete markers live for a second at least, and not on mirrors',
    ['T'],
    [
      fails(
        'STREAM.CREATE.T',
        { name: 'T', subject_delete_marker_ttl: -1 },
        500,
        10052,
        'subject delete marker TTL must not be negative',
      ),
      fails(
        'STREAM.CREATE.T',
        { name: 'T', subject_delete_marker_ttl: 1 },
        500,
        10052,
        'subject delete marker TTL must be at least 1 second',
      ),
      fails(
        'STREAM.CREATE.T',
        { name: 'T', subject_delete_marker_ttl: 1e9, mirror: { name: 'X' } },
        500,
        10052,
        'subject delete markers forbidden on mirrors',
      ),
    ],
  ),
  scenario(
    'a time to live is raised to that of the markers',
    ['T'],
    [
      stream('T', { subjects: ['t.>'], subject_delete_marker_ttl: 30e9 }),
      stores('t.a', 1, 'A: b\r\nNats-TTL: 1\r\nC: d'),
      stores('t.b', 2, 'Nats-TTL: 2s'),
      stores('t.c', 3, 'Nats-TTL: 1h30m'),
      stores('t.d', 4, 'Nats-TTL: never'),
      holds('T', 1, ['A: b', 'C: d', 'Nats-TTL: 30']),
      holds('T', 2, ['Nats-TTL: 30']),
      holds('T', 3, ['Nats-TTL: 1h30m']),
      holds('T', 4, ['Nats-TTL: never']),
    ],
  ),
  scenario(
    'with one message per subject a time to live stays what it is',
    ['T'],
    [
      stream('T', { subjects: ['t.>'], subject_delete_marker_ttl: 30e9, max_msgs_per_subject: 1 }),
      stores('t.a', 1, 'Nats-TTL: 20s'),
      holds('T', 1, ['Nats-TTL: 20s']),
    ],
  ),
];

const EXPIRY: readonly Scenario[] = [
  scenario(
    'a message expires by its own time, and others stay',
    ['T'],
    [
      stream('T', WITH_TTL),
      stores('t.a', 1, 'Nats-TTL: 1'),
      stores('t.b', 2, 'Nats-TTL: 100'),
      stores('t.c', 3),
      becomes('T', { messages: 2, first_seq: 2, last_seq: 3, subjects: { 't.b': 1, 't.c': 1 } }),
    ],
  ),
  scenario(
    'max_age removes all but what lives for ever',
    ['T'],
    [
      stream('T', { ...WITH_TTL, max_age: 500e6, duplicate_window: 100e6 }),
      stores('t.never', 1, 'Nats-TTL: never'),
      stores('t.long', 2, 'Nats-TTL: 1h'),
      stores('t.plain', 3),
      becomes('T', { messages: 1, subjects: { 't.never': 1 } }),
    ],
  ),
  scenario(
    'the last message of a subject leaves a marker, which leaves nothing',
    ['T'],
    [
      stream('T', { ...WITH_MARKERS, subject_delete_marker_ttl: 3e9 }),
      stores('t.b', 1),
      stores('t.b', 2, 'Nats-TTL: 1'),
      stores('t.a', 3, 'Nats-TTL: 1'),
      becomes('T', { messages: 2, last_seq: 4, subjects: { 't.a': 1, 't.b': 1 } }),
      holds('T', 4, ['Nats-Marker-Reason: MaxAge', 'Nats-TTL: 3s', 'Nats-Rollup: sub'], { subject: 't.a' }),
      becomes('T', { messages: 1, last_seq: 4, subjects: { 't.b': 1 } }),
    ],
  ),
  scenario(
    'max_age leaves markers; deletes, purges and purged keys leave none',
    ['T'],
    [
      stream('T', { ...WITH_MARKERS, subject_delete_marker_ttl: 60e9, max_age: 3e9, duplicate_window: 100e6 }),
      stores('t.deleted', 1),
      stores('t.purged', 2),
      stores('t.key', 3, 'KV-Operation: PURGE\r\nNats-Rollup: sub'),
      stores('t.aged', 4),
      answers('STREAM.MSG.DELETE.T', { seq: 1 }, { success: true }),
      answers('STREAM.PURGE.T', { filter: 't.purged' }, { purged: 1 }),
      becomes('T', { messages: 1, last_seq: 5, subjects: { 't.aged': 1 } }),
      holds('T', 5, ['Nats-Marker-Reason: MaxAge', 'Nats-TTL: 1m0s', 'Nats-Rollup: sub']),
    ],
  ),
];

export const TTL_SCENARIOS: readonly Scenario[] = [...FORMS, ...MARKER_CONFIG, ...EXPIRY];
