/** Counters: streams whose messages add up (streams.md 5.4 and 7.7). */
import { COMMIT, keeps, member, refuses } from './batch-steps.ts';
import { ABSENT, answers, fails, publishes, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const DISABLED = [400, 10168, 'message counters is disabled'] as const;
const MISSING = [400, 10169, 'message counter increment is missing'] as const;
const WITH_PAYLOAD = [400, 10170, 'message counter has payload'] as const;
const INVALID = [400, 10171, 'message counter increment is invalid'] as const;
const BROKEN = [400, 10172, 'message counter is broken'] as const;

function counters(config: object = {}): Step {
  return stream('C', { subjects: ['c.>'], allow_msg_counter: true, ...config });
}

function on(title: string, ...steps: readonly Step[]): Scenario {
  return scenario(title, ['C'], [counters(), ...steps]);
}

/** Adds to the counter; it must then stand at `val`. */
function adds(subject: string, increment: string, val: string, ...more: readonly string[]): Step {
  return publishes(subject, '', [`Nats-Incr: ${increment}`, ...more].join('\r\n'), { stream: 'C', val });
}

function holds(query: object, headers: string, payload: string): Step {
  const hdrs = Buffer.from(`NATS/1.0\r\n${headers}\r\n\r\n`).toString('base64');
  return answers('STREAM.MSG.GET.C', query, { message: { hdrs, data: Buffer.from(payload).toString('base64') } });
}

function updates(config: object): Step {
  return (client) => {
    const replicas = client.clustered ? { num_replicas: 3 } : {};
    return answers('STREAM.UPDATE.C', { name: 'C', subjects: ['c.>'], ...replicas, ...config }, {})(client);
  };
}

const CREATION: readonly Scenario[] = [
  scenario(
    'counter streams require level 2 of the API',
    ['C'],
    [
      counters(),
      answers('STREAM.INFO.C', '', { config: { allow_msg_counter: true, metadata: { '_nats.req.level': '2' } } }),
    ],
  ),
  scenario(
    'a counter stream keeps all that counts',
    ['C'],
    [
      refusesConfig({ discard: 'new' }, 'counter stream cannot use discard new'),
      refusesConfig({ allow_msg_ttl: true }, 'counter stream cannot use message TTLs'),
      refusesConfig({ allow_msg_schedules: true }, 'counter stream cannot use message schedules'),
      refusesConfig({ retention: 'interest' }, 'counter stream can only use limits retention'),
    ],
  ),
  on('a stream stays a counter stream', (client) => {
    const replicas = client.clustered ? { num_replicas: 3 } : {};
    const text = 'stream configuration update can not change message counter setting';
    return fails('STREAM.UPDATE.C', { name: 'C', subjects: ['c.>'], ...replicas }, 500, 10052, text)(client);
  }),
  scenario(
    'increments need a counter stream',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      refuses('c.a', '', 'Nats-Incr: 1', DISABLED),
      refuses('c.a', 'x', 'Nats-Incr: 1', DISABLED),
      refuses('c.a', '', 'Nats-Incr: x', INVALID),
      publishes('c.a', '{"val":"5"}', 'Nats-Incr: ', { seq: 1, val: ABSENT }),
    ],
  ),
];

function refusesConfig(config: object, text: string): Step {
  const request = { name: 'C', subjects: ['c.>'], allow_msg_counter: true, ...config };
  return fails('STREAM.CREATE.C', request, 500, 10052, text);
}

const COUNTING: readonly Scenario[] = [
  on(
    'what is stored is the sum',
    adds('c.a', '1', '1'),
    adds('c.a', '+10', '11'),
    adds('c.a', '-3', '8'),
    holds({ seq: 2 }, 'Nats-Incr: +10', '{"val":"11"}'),
    holds({ last_by_subj: 'c.a' }, 'Nats-Incr: -3', '{"val":"8"}'),
    answers('STREAM.INFO.C', '', { state: { messages: 3, last_seq: 3 } }),
  ),
  on(
    'each subject counts for itself',
    adds('c.a', '1', '1'),
    adds('c.b', '5', '5'),
    adds('c.a', '1', '2'),
    adds('c.b', '0', '5'),
    adds('c.b', '-0', '5'),
  ),
  on('a counter may go below zero', adds('c.a', '-7', '-7'), adds('c.a', '3', '-4'), adds('c.a', '00012', '8')),
  on(
    'counters have no bound',
    adds('c.a', '9007199254740991', '9007199254740991'),
    adds('c.a', '2', '9007199254740993'),
    adds('c.a', '9223372036854775807', '9232379236109516800'),
    adds('c.a', '123456789012345678901234567890', '123456789021578058137344084690'),
    adds('c.a', '-123456789012345678901234567890', '9232379236109516800'),
    adds('c.a', '-9232379236109516799', '1'),
  ),
  on(
    'an increment is a decimal',
    ...['1.5', 'abc', '1e3', '0x10', '7 ', '--1', '+-1', '1_000', '+', '-', '1,0'].map((text) =>
      refuses('c.a', '', `Nats-Incr: ${text}`, INVALID),
    ),
    adds('c.a', '   7', '7'),
  ),
  on(
    'a message that does not count is refused',
    refuses('c.a', '', undefined, MISSING),
    refuses('c.a', 'x', undefined, MISSING),
    refuses('c.a', '', 'X: 1', MISSING),
    refuses('c.a', '', 'Nats-Incr: ', MISSING),
  ),
  on(
    'the payload is for the sum',
    refuses('c.a', 'x', 'Nats-Incr: 1', WITH_PAYLOAD),
    refuses('c.a', '{"val":"3"}', 'Nats-Incr: 1', WITH_PAYLOAD),
    refuses('c.a', 'x', 'Nats-Incr: abc', INVALID),
  ),
  on(
    'nothing may be expected of a counter, and nothing rolled up',
    ...[
      'Nats-Rollup: sub',
      'Nats-Expected-Stream: C',
      'Nats-Expected-Last-Sequence: 0',
      'Nats-Expected-Last-Subject-Sequence: 0',
      'Nats-Expected-Last-Subject-Sequence-Subject: c.a',
      'Nats-Expected-Last-Msg-Id: x',
    ].map((header) => refuses('c.a', '', `Nats-Incr: 1\r\n${header}`, INVALID)),
    refuses('c.a', '', 'Nats-Incr: 1\r\nNats-TTL: 5s', [400, 10166, 'per-message TTL is disabled']),
    refuses('c.a', '', 'Nats-Incr: 1\r\nNats-Batch-Id: b', [400, 10174, 'atomic publish is disabled']),
    refuses('c.a', '', 'Nats-Incr: 1\r\nNats-Stream-Source: s', [
      400,
      10227,
      'message stream source header is not allowed',
    ]),
  ),
  on(
    'an increment with an id counts once',
    adds('c.a', '2', '2', 'Nats-Msg-Id: m1'),
    publishes('c.a', '', 'Nats-Incr: 2\r\nNats-Msg-Id: m1', { seq: 1, duplicate: true, val: ABSENT }),
    adds('c.a', '1', '3'),
  ),
  on(
    'a purge begins at zero again',
    adds('c.a', '5', '5'),
    adds('c.b', '5', '5'),
    answers('STREAM.PURGE.C', { filter: 'c.a' }, { purged: 1 }),
    adds('c.a', '2', '2'),
    adds('c.b', '2', '7'),
  ),
  on(
    'without its last message, a counter stands at the one before',
    adds('c.a', '5', '5'),
    adds('c.a', '1', '6'),
    answers('STREAM.MSG.DELETE.C', { seq: 2 }, { success: true }),
    adds('c.a', '2', '7'),
  ),
  scenario(
    'one message per subject is enough to count',
    ['C'],
    [
      counters({ max_msgs_per_subject: 1 }),
      adds('c.a', '1', '1'),
      adds('c.a', '1', '2'),
      adds('c.a', '1', '3'),
      answers('STREAM.INFO.C', '', { state: { messages: 1, last_seq: 3 } }),
    ],
  ),
  scenario(
    'the sum counts for the size of the message',
    ['C'],
    [
      counters({ max_msg_size: 37 }),
      adds('c.a', '9', '9'),
      refuses('c.a', '', 'Nats-Incr: 1', [400, 10054, 'message size exceeds maximum allowed']),
      adds('c.b', '1', '1'),
    ],
  ),
  scenario(
    'nothing is added to a sealed stream',
    ['C'],
    [
      counters(),
      adds('c.a', '1', '1'),
      updates({ allow_msg_counter: true, sealed: true }),
      refuses('c.a', '', 'Nats-Incr: 1', [400, 10109, 'invalid operation on sealed stream']),
    ],
  ),
];

const SHARES: readonly Scenario[] = [
  on(
    'shares of sources are carried on, sorted',
    adds('c.a', '1', '1', 'Nats-Counter-Sources: {"b":{"x":"1"},"a":{"z":"1","y":"2"}}'),
    adds('c.a', '1', '2'),
    holds(
      { last_by_subj: 'c.a' },
      'Nats-Incr: 1\r\nNats-Counter-Sources: {"a":{"y":"2","z":"1"},"b":{"x":"1"}}',
      '{"val":"2"}',
    ),
    adds('c.b', '1', '1', 'Nats-Counter-Sources: {}'),
    adds('c.b', '1', '2'),
    holds({ last_by_subj: 'c.b' }, 'Nats-Incr: 1', '{"val":"2"}'),
  ),
  on(
    'shares that nobody can read break the counter, until it is purged',
    adds('c.a', '1', '1', 'Nats-Counter-Sources: bad'),
    refuses('c.a', '', 'Nats-Incr: 1', BROKEN),
    adds('c.b', '1', '1'),
    answers('STREAM.PURGE.C', { filter: 'c.a' }, { purged: 1 }),
    adds('c.a', '1', '1'),
  ),
];

const BATCHES: readonly Scenario[] = [
  scenario(
    'a batch counts all at once',
    ['C'],
    [
      counters({ allow_atomic: true }),
      adds('c.a', '5', '5'),
      keeps('c.a', '', member('u', 1, 'Nats-Incr: 1')),
      keeps('c.b', '', member('u', 2, 'Nats-Incr: 1')),
      publishes('c.a', '', member('u', 3, COMMIT, 'Nats-Incr: 2'), { seq: 4, batch: 'u', count: 3, val: ABSENT }),
      holds({ seq: 2 }, member('u', 1, 'Nats-Incr: 1'), '{"val":"6"}'),
      holds({ last_by_subj: 'c.a' }, member('u', 3, COMMIT, 'Nats-Incr: 2'), '{"val":"8"}'),
      adds('c.a', '1', '9'),
    ],
  ),
  scenario(
    'a batch with one message that does not count is refused',
    ['C'],
    [
      counters({ allow_atomic: true }),
      keeps('c.a', '', member('u', 1, 'Nats-Incr: 1')),
      refuses('c.a', '', member('u', 2, COMMIT), MISSING),
      keeps('c.a', '', member('u', 1, 'Nats-Incr: x')),
      refuses('c.a', '', member('u', 2, COMMIT, 'Nats-Incr: 1'), INVALID),
      keeps('c.a', 'x', member('u', 1, 'Nats-Incr: 1')),
      refuses('c.a', '', member('u', 2, COMMIT, 'Nats-Incr: 1'), WITH_PAYLOAD),
      keeps('c.a', '', member('u', 1, 'Nats-Incr: 1', 'Nats-Msg-Id: d')),
      refuses('c.a', '', member('u', 2, COMMIT, 'Nats-Incr: 1', 'Nats-Msg-Id: d'), [
        400,
        10201,
        'atomic publish batch contains duplicate message id',
      ]),
      adds('c.a', '1', '1'),
    ],
  ),
];

export const COUNTER_SCENARIOS: readonly Scenario[] = [...CREATION, ...COUNTING, ...SHARES, ...BATCHES];
