/** Atomic batches: messages that are stored together or not at all (streams.md 5.6). */
import { advises, COMMIT, END, keeps, member, refuses, sends } from './batch-steps.ts';
import { ABSENT, answers, messages, publishes, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const DISABLED = [400, 10174, 'atomic publish is disabled'] as const;
const SEQUENCE_MISSING = [400, 10175, 'atomic publish sequence is missing'] as const;
const INCOMPLETE = [400, 10176, 'atomic publish batch is incomplete'] as const;
const ID_INVALID = [400, 10179, 'atomic publish batch ID is invalid'] as const;
const TOO_LARGE = [400, 10199, 'atomic publish batch is too large: 1000'] as const;
const COMMIT_INVALID = [400, 10200, 'atomic publish batch commit is invalid'] as const;
const DUPLICATE_ID = [400, 10201, 'atomic publish batch contains duplicate message id'] as const;
const TOO_MANY = [429, 10210, 'atomic publish too many inflight'] as const;
const WRONG_SEQUENCE = [400, 10164, 'wrong last sequence'] as const;
const LEVEL_REQUIRED = [412, 10185, 'JetStream minimum api level required'] as const;
const MESSAGE_TOO_LARGE = [400, 10054, 'message size exceeds maximum allowed'] as const;
const MAX_MSGS = 1000;

const EXPECTED_LAST = 'Nats-Expected-Last-Sequence';
const EXPECTED_SUBJECT = 'Nats-Expected-Last-Subject-Sequence';
const EXPECTED_SUBJECT_OF = 'Nats-Expected-Last-Subject-Sequence-Subject';

function batches(config: object = {}): Step {
  return stream('B', { subjects: ['b.>'], allow_atomic: true, ...config });
}

function on(title: string, ...steps: readonly Step[]): Scenario {
  return scenario(title, ['B'], [batches(), ...steps]);
}

function has(state: object): Step {
  return answers('STREAM.INFO.B', '', { state });
}

function holds(seq: number, message: { subject: string; headers: string; payload: string }): Step {
  const { subject, headers, payload } = message;
  const block = `NATS/1.0\r\n${headers}\r\n\r\n`;
  const hdrs = Buffer.from(block).toString('base64');
  return answers(
    'STREAM.MSG.GET.B',
    { seq },
    { message: { subject, hdrs, data: Buffer.from(payload).toString('base64') } },
  );
}

/** A batch of two, of which the second one is refused with the batch. */
function refusesTwo(id: string, first: string, second: string, error: readonly [number, number, string]): Step[] {
  return [
    keeps('b.a', 'x', member(id, 1, ...(first === '' ? [] : [first]))),
    refuses('b.a', 'x', member(id, 2, COMMIT, ...(second === '' ? [] : [second])), error),
  ];
}

function upTo(id: string, count: number): { headers: string; payload: string }[] {
  return Array.from({ length: count }, (_, at) => ({ headers: member(id, at + 1), payload: 'x' }));
}

const COMMITS: readonly Scenario[] = [
  on(
    'a batch is stored by its commit, and not before',
    keeps('b.a', 'one', member('u', 1)),
    keeps('b.b', 'two', member('u', 2)),
    has({ messages: 0, last_seq: 0 }),
    publishes('b.c', 'three', member('u', 3, COMMIT), { stream: 'B', seq: 3, batch: 'u', count: 3, domain: ABSENT }),
    has({ messages: 3, first_seq: 1, last_seq: 3 }),
    holds(1, { subject: 'b.a', headers: member('u', 1), payload: 'one' }),
    holds(3, { subject: 'b.c', headers: member('u', 3, COMMIT), payload: 'three' }),
  ),
  on(
    'a single message is a batch, too',
    publishes('b.a', 'x', member('u', 1, COMMIT), { seq: 1, batch: 'u', count: 1 }),
  ),
  on(
    'a batch may end behind its last message, which is then told to be the last',
    keeps('b.a', 'one', member('u', 1)),
    keeps('b.a', 'two', member('u', 2)),
    publishes('b.a', 'never', member('u', 3, END), { seq: 2, batch: 'u', count: 2 }),
    has({ messages: 2 }),
    holds(2, { subject: 'b.a', headers: member('u', 2, COMMIT), payload: 'two' }),
  ),
  on(
    'the id of a batch may be used again',
    publishes('b.a', 'x', member('u', 1, COMMIT), { seq: 1, count: 1 }),
    publishes('b.a', 'x', member('u', 1, COMMIT), { seq: 2, count: 1 }),
  ),
  on(
    'batches and single messages do not disturb each other',
    keeps('b.a', 'x', member('u', 1)),
    keeps('b.a', 'x', member('v', 1)),
    publishes('b.a', 'x', undefined, { seq: 1, batch: ABSENT }),
    publishes('b.a', 'x', member('v', 2, COMMIT), { seq: 3, batch: 'v', count: 2 }),
    publishes('b.a', 'x', member('u', 2, COMMIT), { seq: 5, batch: 'u', count: 2 }),
  ),
  on(
    'the required API level is honoured, and not stored',
    publishes('b.a', 'x', member('u', 1, COMMIT, 'Nats-Required-Api-Level: 2'), { seq: 1 }),
    holds(1, { subject: 'b.a', headers: member('u', 1, COMMIT), payload: 'x' }),
  ),
  on(
    'without an id, the other headers of batches mean nothing',
    publishes('b.a', 'x', 'Nats-Batch-Sequence: 1', { seq: 1, batch: ABSENT }),
    publishes('b.a', 'x', 'Nats-Batch-Sequence: 1\r\nNats-Batch-Commit: 1', { seq: 2, batch: ABSENT }),
    publishes('b.a', 'x', 'Nats-Batch-Id: \r\nNats-Batch-Sequence: 1', { seq: 3, batch: ABSENT }),
  ),
  scenario(
    'streams with batches require level 2 of the API',
    ['B'],
    [batches(), answers('STREAM.INFO.B', '', { config: { allow_atomic: true, metadata: { '_nats.req.level': '2' } } })],
  ),
  scenario(
    'limits remove messages of a batch like any others',
    ['B'],
    [
      batches({ max_msgs: 2 }),
      keeps('b.a', 'x', member('u', 1)),
      keeps('b.a', 'x', member('u', 2)),
      publishes('b.a', 'x', member('u', 3, COMMIT), { seq: 3, count: 3 }),
      has({ messages: 2, first_seq: 2, last_seq: 3 }),
    ],
  ),
  scenario(
    'a batch that nobody is interested in takes its sequences',
    ['B'],
    [
      batches({ retention: 'interest' }),
      keeps('b.a', 'x', member('u', 1)),
      publishes('b.a', 'x', member('u', 2, COMMIT), { seq: 2, count: 2 }),
      has({ messages: 0, last_seq: 2 }),
    ],
  ),
];

const REFUSALS: readonly Scenario[] = [
  scenario(
    'batches must be allowed',
    ['B'],
    [
      stream('B', { subjects: ['b.>'] }),
      refuses('b.a', 'x', member('u', 1), DISABLED),
      refuses('b.a', 'x', `Nats-Batch-Id: ${'k'.repeat(65)}`, DISABLED),
    ],
  ),
  on(
    'the sequence of a message in its batch is a number',
    refuses('b.a', 'x', 'Nats-Batch-Id: u', SEQUENCE_MISSING),
    refuses('b.a', 'x', member('u', 'abc'), SEQUENCE_MISSING),
    refuses('b.a', 'x', member('u', '-1'), SEQUENCE_MISSING),
    refuses('b.a', 'x', member('u', '18446744073709551616'), SEQUENCE_MISSING),
    refuses('b.a', 'x', member('u', 0), INCOMPLETE),
    publishes('b.a', 'x', member('u', '01', COMMIT), { seq: 1 }),
  ),
  on(
    'an id has 64 bytes at most',
    publishes('b.a', 'x', member('k'.repeat(64), 1, COMMIT), { seq: 1, batch: 'k'.repeat(64) }),
    refuses('b.a', 'x', member('k'.repeat(65), 1, COMMIT), ID_INVALID),
    refuses('b.a', 'x', `Nats-Batch-Id: ${'k'.repeat(65)}`, ID_INVALID),
  ),
  on('a batch begins with its first message', refuses('b.a', 'x', member('u', 2), INCOMPLETE)),
  on(
    'a gap ends the batch',
    keeps('b.a', 'x', member('u', 1)),
    advises('BATCH_ABANDONED.B', { stream: 'B', batch: 'u', reason: 'incomplete' }, [
      refuses('b.a', 'x', member('u', 3), INCOMPLETE),
    ]),
    refuses('b.a', 'x', member('u', 2, COMMIT), INCOMPLETE),
    has({ messages: 0 }),
  ),
  on(
    'a message that comes twice ends the batch',
    keeps('b.a', 'x', member('u', 1)),
    refuses('b.a', 'x', member('u', 1), INCOMPLETE),
  ),
  on(
    'a batch can not end before it began',
    advises('BATCH_ABANDONED.B', { batch: 'u', reason: 'incomplete' }, [
      refuses('b.a', 'x', member('u', 1, END), INCOMPLETE),
    ]),
  ),
  on(
    'a commit that is neither of the two ends the batch',
    keeps('b.a', 'x', member('u', 1)),
    refuses('b.a', 'x', member('u', 2, 'Nats-Batch-Commit: 2'), COMMIT_INVALID),
    refuses('b.a', 'x', member('u', 2, COMMIT), INCOMPLETE),
    refuses('b.a', 'x', member('u', 1, 'Nats-Batch-Commit: EOB'), COMMIT_INVALID),
  ),
  on(
    'a level of the API that the server does not have ends the batch',
    keeps('b.a', 'x', member('u', 1)),
    advises('BATCH_ABANDONED.B', { batch: 'u', reason: 'unsupported' }, [
      refuses('b.a', 'x', member('u', 2, COMMIT, 'Nats-Required-Api-Level: 99'), LEVEL_REQUIRED),
    ]),
    refuses('b.a', 'x', member('u', 2, COMMIT), INCOMPLETE),
  ),
  scenario(
    'a message that is too large is refused by itself, and may be sent again',
    ['B'],
    [
      batches({ max_msg_size: 100 }),
      keeps('b.a', 'x', member('u', 1)),
      refuses('b.a', 'x'.repeat(200), member('u', 2), MESSAGE_TOO_LARGE),
      keeps('b.a', 'x', member('u', 2)),
      refuses('b.a', 'x'.repeat(200), member('u', 3, COMMIT), MESSAGE_TOO_LARGE),
      publishes('b.a', 'x', member('u', 3, COMMIT), { seq: 3, count: 3 }),
    ],
  ),
  on(
    'a batch has a thousand messages at most',
    sends('b.a', upTo('u', MAX_MSGS)),
    advises('BATCH_ABANDONED.B', { batch: 'u', reason: 'large' }, [
      refuses('b.a', 'x', member('u', MAX_MSGS + 1), TOO_LARGE),
    ]),
    refuses('b.a', 'x', member('u', MAX_MSGS + 1, COMMIT), TOO_LARGE),
    sends('b.a', upTo('u', MAX_MSGS)),
    publishes('b.a', '', member('u', MAX_MSGS + 1, END), { seq: MAX_MSGS, count: MAX_MSGS }),
  ),
  on(
    'a stream has fifty open batches at most',
    sends(
      'b.a',
      Array.from({ length: 50 }, (_, at) => ({ headers: member(`u${at}`, 1), payload: '' })),
    ),
    refuses('b.a', 'x', member('v', 1), TOO_MANY),
    refuses('b.a', 'x', member('v', 1, COMMIT), TOO_MANY),
    publishes('b.a', 'x', member('u7', 2, COMMIT), { seq: 2, count: 2 }),
    keeps('b.a', 'x', member('v', 1)),
  ),
  on(
    'sealing a stream leaves no way to commit',
    keeps('b.a', 'x', member('u', 1)),
    async (client) => {
      const replicas = client.clustered ? { num_replicas: 3 } : {};
      const config = { name: 'B', subjects: ['b.>'], allow_atomic: true, sealed: true, ...replicas };
      await answers('STREAM.UPDATE.B', config, { config: { sealed: true } })(client);
    },
    refuses('b.a', 'x', member('u', 2, COMMIT), [400, 10109, 'invalid operation on sealed stream']),
  ),
  on(
    'forbidding batches drops those that are open',
    keeps('b.a', 'x', member('u', 1)),
    (client) => answers('STREAM.UPDATE.B', updated(client.clustered, false), {})(client),
    refuses('b.a', 'x', member('u', 2, COMMIT), DISABLED),
    (client) => answers('STREAM.UPDATE.B', updated(client.clustered, true), {})(client),
    refuses('b.a', 'x', member('u', 2, COMMIT), INCOMPLETE),
  ),
  scenario(
    'mirrors take no batches',
    ['M'],
    [
      async (client) => {
        const [reply] = await client.request(
          '$JS.API.STREAM.CREATE.M',
          JSON.stringify({ name: 'M', mirror: { name: 'B' }, allow_atomic: true }),
        );
        const { error } = JSON.parse(reply!.payload) as { error: { err_code: number } };
        if (error.err_code !== 10198) throw new Error(`a mirror with batches got ${JSON.stringify(error)}`);
      },
    ],
  ),
];

function updated(clustered: boolean, allowAtomic: boolean): object {
  return { name: 'B', subjects: ['b.>'], allow_atomic: allowAtomic, ...(clustered && { num_replicas: 3 }) };
}

const CHECKS: readonly Scenario[] = [
  on(
    'one message that may not be stored keeps the whole batch out',
    ...refusesTwo('u', 'Nats-Expected-Stream: X', '', [400, 10060, 'expected stream does not match']),
    ...refusesTwo('v', 'Nats-Rollup: sub', '', [500, 10111, 'rollup not permitted']),
    ...refusesTwo('w', 'Nats-Incr: 1', '', [400, 10168, 'message counters is disabled']),
    ...refusesTwo('y', 'Nats-Stream-Source: s', '', [400, 10227, 'message stream source header is not allowed']),
    has({ messages: 0, last_seq: 0 }),
  ),
  on(
    'the id of the last message can not be expected within a batch',
    ...refusesTwo('u', 'Nats-Expected-Last-Msg-Id: q', '', [
      400,
      10177,
      'atomic publish unsupported header used: Nats-Expected-Last-Msg-Id',
    ]),
  ),
  on(
    'no id may come twice, neither in the batch nor in the window',
    messages(['b.a', 'x', 'Nats-Msg-Id: d0']),
    ...refusesTwo('u', 'Nats-Msg-Id: d1', 'Nats-Msg-Id: d1', DUPLICATE_ID),
    ...refusesTwo('u', 'Nats-Msg-Id: d0', '', DUPLICATE_ID),
    publishes('b.a', 'x', member('u', 1, COMMIT, 'Nats-Msg-Id: d5'), { seq: 2 }),
    refuses('b.a', 'x', member('u', 1, COMMIT, 'Nats-Msg-Id: d5'), DUPLICATE_ID),
    publishes('b.a', 'x', 'Nats-Msg-Id: d5', { seq: 2, duplicate: true }),
  ),
  on(
    'the last sequence may be expected by the first message only',
    messages(['b.a', 'x'], ['b.a', 'x']),
    keeps('b.a', 'x', member('u', 1, `${EXPECTED_LAST}: 2`)),
    publishes('b.a', 'x', member('u', 2, COMMIT), { seq: 4 }),
    ...refusesTwo('u', `${EXPECTED_LAST}: 3`, '', [400, 10071, 'wrong last sequence: 4']),
    ...refusesTwo('u', '', `${EXPECTED_LAST}: 4`, [400, 10071, 'wrong last sequence: 5']),
    ...refusesTwo('u', '', `${EXPECTED_LAST}: 5`, WRONG_SEQUENCE),
  ),
  on(
    'the last sequences of subjects are those before the batch',
    messages(['b.a', 'x'], ['b.b', 'x']),
    keeps('b.a', 'x', member('u', 1, `${EXPECTED_SUBJECT}: 1`)),
    publishes('b.b', 'x', member('u', 2, COMMIT, `${EXPECTED_SUBJECT}: 2`), { seq: 4 }),
    ...refusesTwo('u', `${EXPECTED_SUBJECT}: 3`, `${EXPECTED_SUBJECT}: 3`, WRONG_SEQUENCE),
    ...refusesTwo('u', `${EXPECTED_SUBJECT}: 9`, '', [400, 10071, 'wrong last sequence: 3']),
    refuses('b.a', 'x', member('u', 1, COMMIT, `${EXPECTED_SUBJECT_OF}: b.a`), [
      400,
      10193,
      'missing sequence for expected last sequence per subject',
    ]),
  ),
  on(
    'other subjects may be expected unless the batch writes to them',
    messages(['b.a', 'x'], ['b.b', 'x']),
    keeps('b.c', 'x', member('u', 1, `${EXPECTED_SUBJECT}: 2`, `${EXPECTED_SUBJECT_OF}: b.b`)),
    publishes('b.c', 'x', member('u', 2, COMMIT, `${EXPECTED_SUBJECT}: 2`, `${EXPECTED_SUBJECT_OF}: b.*`), { seq: 4 }),
    keeps('b.a', 'x', member('u', 1)),
    refuses(
      'b.d',
      'x',
      member('u', 2, COMMIT, `${EXPECTED_SUBJECT}: 1`, `${EXPECTED_SUBJECT_OF}: b.a`),
      WRONG_SEQUENCE,
    ),
  ),
  scenario(
    'roll-ups come before anything that they would remove of their batch',
    ['B'],
    [
      batches({ allow_rollup_hdrs: true }),
      messages(['b.a', 'x'], ['b.b', 'x'], ['b.a', 'x']),
      keeps('b.b', 'x', member('u', 1)),
      publishes('b.a', 'x', member('u', 2, COMMIT, 'Nats-Rollup: sub'), { seq: 5 }),
      has({ messages: 3, first_seq: 2 }),
      ...refusesTwo('u', '', 'Nats-Rollup: sub', [500, 10111, 'batch rollup sub invalid']),
      ...refusesTwo('u', '', 'Nats-Rollup: all', [500, 10111, 'batch rollup all invalid']),
      ...refusesTwo('u', 'Nats-Rollup: foo', '', [500, 10111, 'rollup value invalid: "foo"']),
      keeps('b.b', 'x', member('u', 1, 'Nats-Rollup: all')),
      publishes('b.a', 'x', member('u', 2, COMMIT), { seq: 7 }),
      has({ messages: 2, first_seq: 6 }),
    ],
  ),
  scenario(
    'a batch must fit as a whole where a full stream refuses',
    ['B'],
    [
      batches({ discard: 'new', max_msgs: 3 }),
      messages(['b.a', 'x']),
      keeps('b.a', 'x', member('u', 1)),
      keeps('b.a', 'x', member('u', 2)),
      refuses('b.a', 'x', member('u', 3, COMMIT), [503, 10077, 'maximum messages exceeded']),
      has({ messages: 1, last_seq: 1 }),
      keeps('b.a', 'x', member('u', 1)),
      publishes('b.a', 'x', member('u', 2, COMMIT), { seq: 3 }),
    ],
  ),
  scenario(
    'the bytes of a batch count together',
    ['B'],
    [
      batches({ discard: 'new', max_bytes: 300 }),
      ...refusesTwo('u', `X: ${'x'.repeat(100)}`, `X: ${'x'.repeat(100)}`, [503, 10077, 'maximum bytes exceeded']),
      has({ messages: 0 }),
    ],
  ),
  scenario(
    'the messages of a batch on one subject count together',
    ['B'],
    [
      batches({ discard: 'new', max_msgs_per_subject: 1, discard_new_per_subject: true }),
      ...refusesTwo('u', '', '', [503, 10077, 'maximum messages per subject exceeded']),
      keeps('b.a', 'x', member('u', 1)),
      publishes('b.b', 'x', member('u', 2, COMMIT), { seq: 2 }),
    ],
  ),
];

export const ATOMIC_BATCH_SCENARIOS: readonly Scenario[] = [...COMMITS, ...REFUSALS, ...CHECKS];
