/** Owns what is expected of the checks of a publish: each of them, and in which order they come (streams.md 5.3 to 5.5). */
import { onSingleServer, publishes, scenario, stream, answers } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';
import { holds, refuses, stores } from './timed-steps.ts';

type Refusal = readonly [code: number, errCode: number, description: string];

const WRONG_LAST = (seq: number): Refusal => [400, 10071, `wrong last sequence: ${seq}`];
const FULL: Refusal = [503, 10077, 'maximum messages exceeded'];
const FULL_BYTES: Refusal = [503, 10077, 'maximum bytes exceeded'];
const FULL_SUBJECT: Refusal = [503, 10077, 'maximum messages per subject exceeded'];
const TOO_LARGE: Refusal = [400, 10054, 'message size exceeds maximum allowed'];
const LAST_SUBJECT = 'Nats-Expected-Last-Subject-Sequence';
const HUGE = `X: ${'y'.repeat(65_536)}`;

/** In the order of their checks. */
const REASONS: readonly (readonly [header: string, refusal: Refusal | undefined])[] = [
  ['Nats-Batch-Id: b', [400, 10174, 'atomic publish is disabled']],
  ['Nats-Incr: 1', [400, 10168, 'message counters is disabled']],
  ['Nats-Expected-Stream: OTHER', [400, 10060, 'expected stream does not match']],
  ['Nats-TTL: 5', [400, 10166, 'per-message TTL is disabled']],
  ['Nats-Expected-Last-Subject-Sequence: 9', WRONG_LAST(1)],
  ['Nats-Expected-Last-Sequence: 8', WRONG_LAST(2)],
  ['Nats-Schedule: @daily', [400, 10188, 'message schedules is disabled']],
  ['Nats-Scheduler: p.x', [400, 10212, 'message schedules invalid scheduler']],
  ['Nats-Stream-Source: x', [400, 10227, 'message stream source header is not allowed']],
  ['Nats-Msg-Id: id', undefined],
  ['Nats-Expected-Last-Msg-Id: no', [400, 10070, 'wrong last msg ID: ']],
  ['Nats-Rollup: sub', [500, 10111, 'rollup not permitted']],
];

/** On streams of one replica: the reference server checks others in another order. */
const ordered: readonly Step[] = [
  stream('P', { subjects: ['p.>'], num_replicas: 1 }),
  stores('p.a', 1, 'Nats-Msg-Id: id'),
  stores('p.b', 2),
];

const ORDER: readonly Scenario[] = REASONS.map(([header, refusal], index) => {
  const name = header.split(':')[0]!;
  const all = REASONS.slice(index).map(([each]) => each);
  const check =
    refusal === undefined
      ? publishes('p.a', 'x', all.join('\r\n'), { seq: 1, duplicate: true })
      : refuses('p.a', all.join('\r\n'), refusal);
  return scenario(`${name} is checked before ${all.length - 1} others`, ['P'], [...ordered, check]);
});

const SIZES: readonly Scenario[] = [
  scenario(
    'the size of a message is checked before its headers',
    ['P'],
    [
      stream('P', { subjects: ['p.>'], max_msg_size: 100 }),
      refuses('p.a', HUGE, TOO_LARGE),
      refuses('p.a', 'Nats-Batch-Id: b', TOO_LARGE, 'x'.repeat(101)),
      refuses('p.a', 'Nats-Expected-Stream: OTHER', TOO_LARGE, 'x'.repeat(101)),
    ],
  ),
  scenario(
    'the limit of a message counts headers and payload',
    ['P'],
    [
      stream('P', { subjects: ['p.>'], max_msg_size: 30 }),
      stores('p.a', 1, undefined, 'x'.repeat(30)),
      refuses('p.a', undefined, TOO_LARGE, 'x'.repeat(31)),
      stores('p.a', 2, 'A: b', 'x'.repeat(12)),
      refuses('p.a', 'A: b', TOO_LARGE, 'x'.repeat(13)),
    ],
  ),
  scenario(
    'headers above 64 KiB are refused before they are read',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      ...['Nats-Incr: 1', 'Nats-Expected-Stream: OTHER', 'Nats-TTL: 5', 'Nats-Rollup: sub'].map((header) =>
        refuses('p.a', `${HUGE}\r\n${header}`, [400, 10097, 'header size exceeds maximum allowed of 64k']),
      ),
    ],
  ),
  scenario(
    'a sealed stream says so before anything else',
    ['P'],
    [
      stream('P', { subjects: ['p.>'], max_msg_size: 10, num_replicas: 1 }),
      answers('STREAM.UPDATE.P', { name: 'P', subjects: ['p.>'], max_msg_size: 10, sealed: true }, {}),
      refuses('p.a', 'Nats-Batch-Id: b', [400, 10109, 'invalid operation on sealed stream'], 'x'.repeat(20)),
    ],
  ),
];

const EXPECTATIONS: readonly Scenario[] = [
  scenario(
    'the last sequence of other subjects may be expected, wildcards and all',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      stores('p.a.b', 1),
      stores('p.b.c', 2),
      stores('p.a.c', 3),
      ...(
        [
          ['p.a.*', 3],
          ['p.b.*', 2],
          ['p.none', 0],
          ['x.y', 0],
          ['p.*.c', 3],
        ] as const
      ).map(([filter, seq], index) =>
        stores('p.q', 4 + index, `${LAST_SUBJECT}: ${seq}\r\n${LAST_SUBJECT}-Subject: ${filter}`),
      ),
      refuses('p.q', `${LAST_SUBJECT}: 3\r\n${LAST_SUBJECT}-Subject: p.>`, WRONG_LAST(8)),
    ],
  ),
  scenario(
    'other subjects without a sequence make no sense',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      refuses('p.a', `${LAST_SUBJECT}-Subject: p.a`, [
        400,
        10193,
        'missing sequence for expected last sequence per subject',
      ]),
    ],
  ),
  scenario(
    'a sequence that is no number is never the last one, and an empty one is none',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      stores('p.a', 1),
      refuses('p.a', 'Nats-Expected-Last-Sequence: abc', WRONG_LAST(1)),
      refuses('p.a', `${LAST_SUBJECT}: abc`, WRONG_LAST(1)),
      stores('p.a', 2, 'Nats-Expected-Last-Sequence: '),
    ],
  ),
  scenario(
    'names of headers are case-sensitive, and the first one wins',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      stores('p.a', 1, 'nats-expected-stream: OTHER'),
      stores('p.a', 2, 'Nats-Expected-Stream: P\r\nNats-Expected-Stream: OTHER'),
      refuses('p.a', 'Nats-Expected-Stream: P ', [400, 10060, 'expected stream does not match']),
    ],
  ),
  scenario(
    'the level of the API that a plain publish names is kept, and means nothing',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      stores('p.a', 1, 'Nats-Required-Api-Level: 99'),
      holds('P', 1, ['Nats-Required-Api-Level: 99']),
    ],
  ),
  onSingleServer(
    'the id of the message stored last may be expected',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      stores('p.a', 1, 'Nats-Msg-Id: one'),
      refuses('p.a', 'Nats-Expected-Last-Msg-Id: two', [400, 10070, 'wrong last msg ID: one']),
      stores('p.a', 2, 'Nats-Expected-Last-Msg-Id: one'),
      refuses('p.a', 'Nats-Expected-Last-Msg-Id: one', [400, 10070, 'wrong last msg ID: ']),
    ],
  ),
];

/** Streams of one replica: the reference server refuses more on others. */
function limited(config: object): Step {
  return stream('P', { subjects: ['p.>'], num_replicas: 1, discard: 'new', ...config });
}

const DISCARD_NEW: readonly Scenario[] = [
  scenario(
    'a full stream takes what replaces a message of a full subject',
    ['P'],
    [
      limited({ max_msgs: 3, max_msgs_per_subject: 1, allow_rollup_hdrs: true }),
      ...['p.a', 'p.b', 'p.c'].map((subject, index) => stores(subject, index + 1)),
      refuses('p.d', undefined, FULL),
      stores('p.a', 4),
      refuses('p.d', 'Nats-Rollup: sub', FULL),
      refuses('p.d', 'Nats-Rollup: all', FULL),
      stores('p.b', 5, 'Nats-Rollup: sub'),
      answers('STREAM.INFO.P', '', { state: { messages: 3, first_seq: 3, last_seq: 5 } }),
    ],
  ),
  scenario(
    'a stream full by bytes takes what replaces no smaller a message',
    ['P'],
    [
      limited({ max_bytes: 150, max_msgs_per_subject: 1 }),
      ...['p.a', 'p.b', 'p.c', 'p.d'].map((subject, index) => stores(subject, index + 1, undefined, 'xxxx')),
      stores('p.a', 5, undefined, 'xxxx'),
      refuses('p.b', undefined, FULL_BYTES, 'xxxxx'),
      stores('p.c', 6, undefined, 'xxx'),
      refuses('p.c', undefined, FULL_BYTES, 'xxxx'),
      refuses('p.c', 'A: b', FULL_BYTES, 'xxx'),
      stores('p.d', 7, undefined, ''),
    ],
  ),
  scenario(
    'a stream may be filled to its last byte',
    ['P'],
    [
      limited({ max_bytes: 37 }),
      refuses('p.a', undefined, FULL_BYTES, 'xxxxx'),
      stores('p.a', 1, undefined, 'xxxx'),
      refuses('p.b', undefined, FULL_BYTES, ''),
    ],
  ),
  scenario(
    'a full subject may refuse, but for rollups',
    ['P'],
    [
      limited({ max_msgs: 2, max_msgs_per_subject: 2, discard_new_per_subject: true, allow_rollup_hdrs: true }),
      stores('p.a', 1),
      stores('p.a', 2),
      refuses('p.a', undefined, FULL_SUBJECT),
      refuses('p.b', undefined, FULL),
      stores('p.a', 3, 'Nats-Rollup: sub'),
      stores('p.c', 4),
      refuses('p.a', 'Nats-Rollup: all', FULL),
    ],
  ),
  scenario(
    'a rollup does not get into a full stream whose subjects have no limit',
    ['P'],
    [
      limited({ max_msgs: 2, allow_rollup_hdrs: true }),
      stores('p.a', 1),
      stores('p.a', 2),
      refuses('p.a', 'Nats-Rollup: sub', FULL),
      refuses('p.a', 'Nats-Rollup: all', FULL),
    ],
  ),
  scenario(
    'discarding old messages, one that is larger than the stream goes at once',
    ['P'],
    [
      stream('P', { subjects: ['p.>'], max_bytes: 60 }),
      stores('p.a', 1, undefined, 'x'.repeat(100)),
      answers('STREAM.INFO.P', '', { state: { messages: 0, first_seq: 2, last_seq: 1 } }),
    ],
  ),
  scenario(
    'a time to live is checked before the limits, and after everything else',
    ['P'],
    [
      limited({ max_msgs: 1, allow_msg_ttl: true }),
      stores('p.a', 1),
      refuses('p.a', 'Nats-TTL: x', [400, 10165, 'invalid per-message TTL']),
      refuses('p.a', 'Nats-TTL: x\r\nNats-Expected-Last-Sequence: 7', WRONG_LAST(1)),
      refuses('p.a', 'Nats-TTL: x\r\nNats-Rollup: sub', [500, 10111, 'rollup not permitted']),
      refuses('p.a', 'Nats-TTL: 5', FULL),
    ],
  ),
];

export const PUBLISH_CHECK_SCENARIOS: readonly Scenario[] = [...ORDER, ...SIZES, ...EXPECTATIONS, ...DISCARD_NEW];
