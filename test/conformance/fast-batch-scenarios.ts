/** Fast batches: messages that are told about by their reply subjects, and acknowledged many at a time (streams.md 5.6). */
import assert from 'node:assert/strict';
import { waitFor } from '../harness/wait-for.ts';
import { ABSENT, answers, assertContains, publishes, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const OPS = { start: 0, append: 1, commit: 2, end: 3, ping: 4 } as const;
type Op = keyof typeof OPS;

/** One publish of a batch, and all that its client is told in answer to it. */
type Turn = readonly [seq: number, op: Op, told: readonly object[], headers?: string | undefined, payload?: string];

const ack = (seq: number, msgs: number): object => ({ type: 'ack', seq, msgs });
const gap = (last: number, seq: number): object => ({ type: 'gap', last_seq: last, seq });
const done = (seq: number, count: number): object => ({ stream: 'F', seq, count, type: ABSENT });
const error = (code: number, errCode: number): object => ({ error: { code, err_code: errCode }, type: ABSENT });
const err = (seq: number, errCode: number): object => ({ type: 'err', seq, error: { err_code: errCode } });
const UNKNOWN = error(400, 10208);
const PATTERN = error(400, 10206);
const WRONG = 'Nats-Expected-Last-Sequence: 99';

/** Runs a batch: what it is told must be this, and come in this order. */
function batch(id: string, flow: number | string, gapMode: string, turns: readonly Turn[]): Step {
  return async (client) => {
    const prefix = `_INBOX.fast.${process.pid}.${Math.floor(performance.now() * 1000)}`;
    const { received, ...subscription } = client.subscribe(`${prefix}.>`);
    let expected = 0;
    for (const [seq, op, told, headers, payload = 'x'] of turns) {
      const reply = `${prefix}.${id}.${flow}.${gapMode}.${seq}.${OPS[op]}.$FI`;
      client.publish('f.a', payload, { reply, ...(headers !== undefined && { headers }) });
      const from = expected;
      expected += told.length;
      const enough = expected;
      await waitFor(`${told.length} replies to ${seq} ${op}`, () => received.length >= enough);
      const texts = received.map(({ payload: text }) => text).join(' ');
      assert.equal(received.length, expected, `${id} ${seq} ${op}: ${texts}`);
      told.forEach((message, at) => {
        const { subject, payload: text } = received[from + at]!;
        assert.equal(subject, reply);
        assertContains(JSON.parse(text), message, `${id} ${seq} ${op}`);
      });
    }
    await client.flush();
    assert.equal(received.length, expected, `${id}: ${received.map(({ payload }) => payload).join(' ')}`);
    subscription.close();
  };
}

function batches(config: object = {}): Step {
  return stream('F', { subjects: ['f.>'], allow_batched: true, ...config });
}

function on(title: string, ...steps: readonly Step[]): Scenario {
  return scenario(title, ['F'], [batches(), ...steps]);
}

function has(state: object): Step {
  return answers('STREAM.INFO.F', '', { state });
}

const GOOD: readonly Scenario[] = [
  scenario(
    'streams with fast batches require level 4 of the API',
    ['F'],
    [
      batches(),
      answers('STREAM.INFO.F', '', { config: { allow_batched: true, metadata: { '_nats.req.level': '4' } } }),
    ],
  ),
  on(
    'a fast batch is acknowledged as often as its client wants',
    batch('a', 2, 'ok', [
      [1, 'start', [ack(0, 2)]],
      [2, 'append', [ack(2, 2)]],
      [3, 'append', []],
      [4, 'append', [ack(4, 2)]],
      [5, 'commit', [{ stream: 'F', seq: 5, batch: 'a', count: 5 }]],
    ]),
    has({ messages: 5, last_seq: 5 }),
    answers('STREAM.MSG.GET.F', { seq: 1 }, { message: { subject: 'f.a', hdrs: ABSENT, data: 'eA==' } }),
  ),
  on('one message is a fast batch, too', batch('a', 10, 'ok', [[1, 'commit', [done(1, 1)]]])),
  on(
    'a fast batch may end behind its last message',
    batch('a', 10, 'fail', [
      [1, 'start', [ack(0, 10)]],
      [2, 'append', []],
      [3, 'end', [done(2, 2)]],
    ]),
    has({ messages: 2 }),
  ),
  on(
    'without a wish, ten messages are acknowledged at a time',
    batch('a', 0, 'ok', [[1, 'start', [ack(0, 10)]]]),
    batch('a', 0, 'ok', [[2, 'commit', [done(2, 2)]]]),
    batch('b', 'abc', 'ok', [[1, 'start', [ack(0, 10)]]]),
  ),
  on('at most five hundred are acknowledged at a time', batch('a', 9999, 'ok', [[1, 'start', [ack(0, 500)]]])),
  on(
    'where others are, a batch begins slowly',
    batch('a', 10, 'ok', [[1, 'start', [ack(0, 10)]]]),
    batch('b', 8, 'ok', [
      [1, 'start', [ack(0, 1), ack(1, 2)]],
      [2, 'append', []],
      [3, 'append', [ack(3, 4)]],
      [4, 'append', []],
      [5, 'append', []],
      [6, 'append', []],
      [7, 'append', [ack(7, 8)]],
    ]),
  ),
  on(
    'a ping is answered by what was told last',
    batch('a', 3, 'ok', [
      [1, 'start', [ack(0, 3)]],
      [1, 'ping', [ack(0, 3)]],
      [2, 'append', []],
      [2, 'ping', [ack(0, 3)]],
      [3, 'append', [ack(3, 3)]],
      [3, 'ping', [ack(3, 3)]],
    ]),
  ),
  on(
    'duplicates pass as stored',
    batch('a', 2, 'ok', [
      [1, 'start', [ack(0, 2)], 'Nats-Msg-Id: 1'],
      [2, 'append', [ack(2, 2)], 'Nats-Msg-Id: 1'],
      [3, 'commit', [done(2, 3)], 'Nats-Msg-Id: 2'],
    ]),
    has({ messages: 2 }),
    batch('b', 2, 'fail', [
      [1, 'start', [ack(0, 2)], 'Nats-Msg-Id: 1'],
      [2, 'commit', [ack(2, 2), done(0, 2)], 'Nats-Msg-Id: 2'],
    ]),
  ),
  on('other publishes are answered as ever', publishes('f.a', 'x', undefined, { stream: 'F', seq: 1, type: ABSENT })),
];

const GAPS: readonly Scenario[] = [
  on(
    'a batch that allows gaps goes on behind them',
    batch('a', 3, 'ok', [
      [1, 'start', [ack(0, 3)]],
      [2, 'append', []],
      [8, 'append', [gap(3, 8), ack(6, 3)]],
      [9, 'append', [ack(9, 3)]],
      [11, 'end', [gap(10, 11), done(4, 10)]],
    ]),
  ),
  on(
    'a batch that allows no gaps ends with the first one',
    batch('a', 5, 'fail', [
      [1, 'start', [ack(0, 5)]],
      [2, 'append', []],
      [4, 'append', [gap(3, 4), done(2, 2)]],
      [5, 'append', [UNKNOWN]],
      [5, 'commit', [UNKNOWN]],
    ]),
    has({ messages: 2 }),
  ),
  on(
    'what comes too late ends any batch',
    batch('a', 5, 'ok', [
      [1, 'start', [ack(0, 5)]],
      [2, 'append', []],
      [1, 'start', [gap(3, 1), done(2, 2)]],
      [3, 'append', [UNKNOWN]],
    ]),
  ),
  on(
    'a ping tells of messages that did not come',
    batch('a', 3, 'ok', [
      [1, 'start', [ack(0, 3)]],
      [2, 'append', []],
      [5, 'ping', [gap(3, 6), ack(3, 3)]],
      [5, 'ping', [ack(3, 3)]],
      [6, 'append', [ack(6, 3)]],
    ]),
    batch('b', 3, 'fail', [
      [1, 'start', [ack(0, 1), ack(1, 2)]],
      [4, 'ping', [gap(2, 5), done(4, 1)]],
      [2, 'append', [UNKNOWN]],
    ]),
  ),
];

const ERRORS: readonly Scenario[] = [
  on(
    'a batch that allows gaps goes on behind what is refused',
    batch('a', 3, 'ok', [
      [1, 'start', [ack(0, 3)]],
      [2, 'append', []],
      [3, 'append', [err(3, 10071)], WRONG],
      [4, 'append', [ack(3, 3)]],
      [5, 'commit', [err(5, 10071), done(3, 4)], WRONG],
    ]),
  ),
  on(
    'a batch that allows none ends there, and nothing behind it is stored',
    batch('a', 3, 'fail', [
      [1, 'start', [ack(0, 3)]],
      [2, 'append', [err(2, 10071), done(1, 1)], WRONG],
      [3, 'append', [UNKNOWN]],
    ]),
    has({ messages: 1 }),
  ),
  on(
    'a batch whose first message is refused has not begun',
    batch('a', 3, 'fail', [
      [1, 'start', [ack(0, 3), error(400, 10071)], WRONG],
      [2, 'append', [UNKNOWN]],
    ]),
    batch('b', 3, 'ok', [
      [1, 'start', [ack(0, 3), err(1, 10071)], WRONG],
      [2, 'append', []],
      [3, 'commit', [done(2, 3)]],
    ]),
  ),
  scenario(
    'a full stream refuses messages of a fast batch one by one',
    ['F'],
    [
      batches({ discard: 'new', max_msgs: 2 }),
      batch('a', 1, 'ok', [
        [1, 'start', [ack(0, 1), ack(1, 1)]],
        [2, 'append', [ack(2, 1)]],
        [3, 'append', [err(3, 10077)]],
        [4, 'commit', [err(4, 10077), done(2, 3)]],
      ]),
    ],
  ),
  scenario(
    'a message that is too large is not one of the batch',
    ['F'],
    [
      batches({ max_msg_size: 50 }),
      batch('a', 50, 'ok', [
        [1, 'start', [ack(0, 50)]],
        [2, 'append', [error(400, 10054)], undefined, 'x'.repeat(60)],
        [3, 'append', [gap(2, 3)]],
        [4, 'commit', [done(3, 4)]],
      ]),
    ],
  ),
  on(
    'reply subjects must make sense',
    batch('a', 5, 'maybe', [[1, 'start', [PATTERN]]]),
    batch('a', 5, 'ok', [
      [2, 'start', [PATTERN]],
      [1, 'append', [PATTERN]],
      [1, 'end', [PATTERN]],
      [0, 'start', [PATTERN]],
      [-1, 'append', [PATTERN]],
    ]),
    batch('k'.repeat(65), 5, 'ok', [[1, 'start', [error(400, 10207)]]]),
    batch('k'.repeat(64), 5, 'ok', [[1, 'commit', [done(1, 1)]]]),
  ),
  on(
    'a batch must have begun',
    batch('a', 5, 'ok', [
      [2, 'append', [UNKNOWN]],
      [2, 'commit', [UNKNOWN]],
      [2, 'end', [UNKNOWN]],
      [1, 'ping', [UNKNOWN]],
    ]),
  ),
  scenario(
    'fast batches must be allowed',
    ['F'],
    [
      batches({ allow_batched: false }),
      batch('a', 5, 'ok', [[1, 'start', [error(400, 10205)]]]),
      batch('a', 5, 'maybe', [[1, 'start', [error(400, 10205)]]]),
    ],
  ),
  on(
    'a level of the API that the server does not have is refused, another one not stored',
    batch('a', 5, 'ok', [[1, 'start', [error(412, 10185)], 'Nats-Required-Api-Level: 99']]),
    batch('a', 5, 'ok', [[1, 'commit', [done(1, 1)], 'Nats-Required-Api-Level: 4']]),
    answers('STREAM.MSG.GET.F', { seq: 1 }, { message: { hdrs: ABSENT } }),
  ),
  on(
    'sealing a stream ends fast batches',
    batch('a', 5, 'ok', [[1, 'start', [ack(0, 5)]]]),
    (client) => {
      const replicas = client.clustered ? { num_replicas: 3 } : {};
      const config = { name: 'F', subjects: ['f.>'], allow_batched: true, sealed: true, ...replicas };
      return answers('STREAM.UPDATE.F', config, { config: { sealed: true } })(client);
    },
    batch('a', 5, 'ok', [[2, 'commit', [error(400, 10109)]]]),
  ),
];

const COUNTERS: readonly Scenario[] = [
  scenario(
    'counters count in fast batches, too',
    ['F'],
    [
      batches({ allow_msg_counter: true }),
      batch('a', 2, 'fail', [
        [1, 'start', [ack(0, 2)], 'Nats-Incr: 1', ''],
        [2, 'append', [ack(2, 2)], 'Nats-Incr: 2', ''],
        [3, 'append', [err(3, 10171), done(2, 2)], 'Nats-Incr: x', ''],
      ]),
      publishes('f.a', '', 'Nats-Incr: 1', { seq: 3, val: '4' }),
    ],
  ),
];

export const FAST_BATCH_SCENARIOS: readonly Scenario[] = [...GOOD, ...GAPS, ...ERRORS, ...COUNTERS];
