/** Owns what is expected of priority groups: overflow, pinned clients, priorities (consumers.md 5.7). */
import assert from 'node:assert/strict';
import { comesTo, Ear, EXPLICIT, ofC, pullsInto, shown } from './consumer-steps.ts';
import { ABSENT, answers, consumer, fails, messages, scenario, SOME_TIME, stream, ZERO_TIME } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const C = stream('C', { subjects: ['c.>'] });
const group = (name: string, policy: string, more: object = {}): Step =>
  consumer('C', name, { ...EXPLICIT, priority_policy: policy, priority_groups: ['g'], ...more });
const publish = (count: number): Step => messages(...Array.from({ length: count }, () => ['c.a', 'm'] as const));
const EVENTS = '$JS.EVENT.ADVISORY.CONSUMER';

/** A request that is answered at once with this status. */
function refused(name: string, request: object | string, expected: string): Step {
  return async (client) => {
    const body = typeof request === 'string' ? request : JSON.stringify(request);
    const [reply] = await client.request(`$JS.API.CONSUMER.MSG.NEXT.C.${name}`, body);
    assert.equal(reply && shown(reply), expected, body);
  };
}

const a = new Ear('in.a');
const b = new Ear('in.b');
const c = new Ear('in.c');
const d = new Ear('in.d');
const e = new Ear('in.e');
const open = [a, b, c, d, e].map((ear) => ear.opens());

/** The pin that a message came with. */
const pinOf = (ear: Ear): string => /Nats-Pin-Id: (\w+)/.exec(ear.last().headers)?.[1] ?? '';

const CONFIGURATION: readonly Scenario[] = [
  scenario(
    'a pinned client has two minutes, and a group needs a level of the API',
    ['C'],
    [
      C,
      answers(
        'CONSUMER.CREATE.C.p',
        ofC({ durable_name: 'p', priority_policy: 'pinned_client', priority_groups: ['g1', 'g2'] }),
        {
          config: {
            priority_groups: ['g1', 'g2'],
            priority_policy: 'pinned_client',
            priority_timeout: 120e9,
            metadata: { '_nats.req.level': '1' },
          },
          priority_groups: [{ group: 'g1', pinned_client_id: ABSENT, pinned_ts: ZERO_TIME }],
        },
      ),
    ],
  ),
  scenario(
    'names of priority groups have rules',
    ['C'],
    [
      C,
      fails(
        'CONSUMER.CREATE.C.p',
        ofC({ priority_policy: 'overflow', priority_groups: [''] }),
        400,
        10161,
        'Group name cannot be an empty string',
      ),
      fails(
        'CONSUMER.CREATE.C.p',
        ofC({ priority_policy: 'overflow', priority_groups: ['a b'] }),
        400,
        10162,
        'Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 characters',
      ),
      fails(
        'CONSUMER.CREATE.C.p',
        ofC({ priority_timeout: 1e9 }),
        400,
        10197,
        'PinnedTTL cannot be set when PriorityPolicy is none',
      ),
      fails(
        'CONSUMER.CREATE.C.p',
        ofC({ priority_policy: 'zz' }),
        400,
        10025,
        'invalid JSON: unknown priority policy: "zz"',
      ),
      fails(
        'CONSUMER.CREATE.C.p',
        ofC({ priority_timeout: -1 }, { pedantic: true }),
        400,
        10157,
        'pedantic mode: priority_timeout must not be negative',
      ),
    ],
  ),
  scenario(
    'priority groups come and go by update',
    ['C'],
    [
      C,
      consumer('C', 'p', EXPLICIT),
      group('p', 'overflow'),
      answers('CONSUMER.INFO.C.p', '', { priority_groups: [{ group: 'g' }] }),
      consumer('C', 'p', EXPLICIT),
      answers('CONSUMER.INFO.C.p', '', {
        priority_groups: ABSENT,
        config: { priority_policy: ABSENT, metadata: { '_nats.req.level': '0' } },
      }),
    ],
  ),
];

const ADMISSION: readonly Scenario[] = [
  scenario(
    'requests say only what the policy knows',
    ['C'],
    [
      C,
      consumer('C', 'n', EXPLICIT),
      group('o', 'overflow'),
      group('p', 'pinned_client'),
      group('r', 'prioritized'),
      ...(['n', 'p', 'r'] as const).map((name) =>
        refused(name, { group: 'g', min_pending: 1 }, '400 Bad Request - Not a Overflow Priority consumer'),
      ),
      refused('n', { min_ack_pending: 1 }, '400 Bad Request - Not a Overflow Priority consumer'),
      ...(['n', 'o', 'r'] as const).map((name) =>
        refused(name, { group: 'g', id: 'x' }, '400 Bad Request - Not a Pinned Client Priority consumer'),
      ),
      refused('n', { priority: 10 }, '400 Bad Request - Priority must be between 0 and 9'),
      refused('r', { group: 'g', priority: -1 }, '400 Bad Request - Priority must be between 0 and 9'),
    ],
  ),
  scenario(
    'a request names the group that it belongs to',
    ['C'],
    [
      C,
      publish(3),
      consumer('C', 'n', EXPLICIT),
      group('o', 'overflow'),
      group('p', 'pinned_client'),
      refused('o', { no_wait: true }, '400 Bad Request - Priority Group missing'),
      refused('p', { no_wait: true }, '400 Bad Request - Priority Group missing'),
      refused('o', { group: 'zz' }, '400 Bad Request - Invalid Priority Group'),
      refused('n', { group: 'zz', no_wait: true }, 'm'),
      refused('o', { group: 'g', priority: 3, no_wait: true }, 'm'),
    ],
  ),
  scenario(
    'only the body of a request is looked at, and only if it is JSON',
    ['C'],
    [C, publish(2), group('o', 'overflow'), refused('o', '', 'm'), refused('o', '1', 'm')],
  ),
];

const OVERFLOW: readonly Scenario[] = [
  scenario(
    'overflow is served while enough is pending',
    ['C'],
    [
      C,
      group('o', 'overflow'),
      a.opens(),
      pullsInto(a, 'o', { batch: 10, group: 'g', min_pending: 3, expires: 3e9 }),
      publish(4),
      a.hears('m', 'm', '408 Request Timeout Nats-Pending-Messages=8 Nats-Pending-Bytes=0'),
      answers('CONSUMER.INFO.C.o', '', { num_pending: 2, num_ack_pending: 2 }),
    ],
  ),
  scenario(
    'overflow is served when enough waits for acks, whatever is pending',
    ['C'],
    [
      C,
      publish(3),
      group('o', 'overflow'),
      a.opens(),
      b.opens(),
      pullsInto(a, 'o', { batch: 1, group: 'g', min_pending: 5, min_ack_pending: 1, expires: 20e9 }),
      a.hearsNothing(),
      pullsInto(b, 'o', { batch: 1, group: 'g' }),
      b.hears('m'),
      a.hears('m'),
    ],
  ),
  scenario(
    'one threshold of two is enough',
    ['C'],
    [
      C,
      publish(2),
      group('o', 'overflow'),
      refused('o', { batch: 1, group: 'g', min_pending: 2, min_ack_pending: 5 }, 'm'),
    ],
  ),
  scenario(
    'who overflows stands behind who does not',
    ['C'],
    [
      C,
      group('o', 'overflow'),
      ...open,
      pullsInto(a, 'o', { batch: 5, group: 'g', min_pending: 3, expires: 20e9 }),
      pullsInto(b, 'o', { batch: 2, group: 'g', expires: 20e9 }),
      publish(2),
      b.hears('m', 'm'),
      a.hearsNothing(),
    ],
  ),
];

const PINNED: readonly Scenario[] = [
  scenario(
    'the first client served has the consumer to itself',
    ['C'],
    [
      C,
      group('p', 'pinned_client'),
      ...open,
      pullsInto(a, 'p', { batch: 5, group: 'g', expires: 20e9 }),
      pullsInto(b, 'p', { batch: 5, group: 'g', expires: 20e9 }),
      publish(3),
      a.hears('m', 'm', 'm'),
      b.hearsNothing(),
      async (client) => {
        const pin = pinOf(a);
        assert.equal(pin.length, 22);
        const expected = { priority_groups: [{ group: 'g', pinned_client_id: pin, pinned_ts: SOME_TIME }] };
        await answers('CONSUMER.INFO.C.p', '', { ...expected, num_waiting: 2 })(client);
      },
    ],
  ),
  scenario(
    'a request with the right pin is served, one with another is refused',
    ['C'],
    [
      C,
      publish(2),
      group('p', 'pinned_client'),
      ...open,
      pullsInto(a, 'p', { batch: 1, group: 'g' }),
      a.hears('m'),
      refused('p', { group: 'g', id: 'wrong' }, '423 Nats-Pin-Id mismatch'),
      async (client) => {
        await pullsInto(b, 'p', { batch: 1, group: 'g', id: pinOf(a) })(client);
        await b.hears('m')(client);
        assert.equal(pinOf(b), pinOf(a));
      },
    ],
  ),
  scenario(
    'an unpinned client makes room for the next, and hears that its pin is over',
    ['C'],
    [
      C,
      group('p', 'pinned_client'),
      ...open,
      pullsInto(a, 'p', { batch: 5, group: 'g', expires: 20e9 }),
      pullsInto(b, 'p', { batch: 5, group: 'g', expires: 20e9 }),
      publish(1),
      a.hears('m'),
      answers('CONSUMER.UNPIN.C.p', { group: 'g' }, { type: 'io.nats.jetstream.api.v1.consumer_unpin_response' }),
      comesTo('p', { priority_groups: [{ group: 'g', pinned_client_id: ABSENT, pinned_ts: ZERO_TIME }] }),
      publish(2),
      async (client) => {
        // Whether the old one is asked first or not: the new one gets what there is.
        await b.hears('m', 'm')(client);
        await a.hears('423 Nats-Wrong-Pin-Id Nats-Pending-Messages=4 Nats-Pending-Bytes=0')(client);
        assert.notEqual(pinOf(b), pinOf(a));
      },
    ],
  ),
  scenario(
    'a pin ends when its client does not ask again',
    ['C'],
    [
      C,
      d.on(`${EVENTS}.UNPINNED.C.p`),
      e.on(`${EVENTS}.PINNED.C.p`),
      group('p', 'pinned_client', { priority_timeout: 500e6 }),
      a.opens(),
      b.opens(),
      pullsInto(a, 'p', { batch: 1, group: 'g', expires: 20e9 }),
      pullsInto(b, 'p', { batch: 5, group: 'g', expires: 20e9 }),
      publish(2),
      a.hears('m'),
      e.hearsJson({
        type: 'io.nats.jetstream.advisory.v1.consumer_group_pinned',
        account: '$G',
        stream: 'C',
        consumer: 'p',
        group: 'g',
      }),
      d.hearsJson({
        type: 'io.nats.jetstream.advisory.v1.consumer_group_unpinned',
        account: '$G',
        stream: 'C',
        consumer: 'p',
        group: 'g',
        reason: 'timeout',
      }),
      publish(1),
      b.hears('m', 'm'),
    ],
  ),
  scenario(
    'an operator who unpins is named in the event',
    ['C'],
    [
      C,
      d.on(`${EVENTS}.UNPINNED.C.p`),
      group('p', 'pinned_client'),
      answers('CONSUMER.UNPIN.C.p', { group: 'g' }, {}),
      d.hearsJson({ group: 'g', reason: 'admin' }),
    ],
  ),
  scenario(
    'unpinning needs a group of the consumer',
    ['C'],
    [
      C,
      group('p', 'pinned_client'),
      group('o', 'overflow'),
      answers('CONSUMER.UNPIN.C.o', { group: 'g', more: 1 }, {}),
      fails(
        'CONSUMER.UNPIN.C.p',
        { group: 'h' },
        400,
        10160,
        'Provided priority group does not exist for this consumer',
      ),
      fails('CONSUMER.UNPIN.C.x', { group: 'g' }, 404, 10014, 'consumer not found'),
      fails(
        'CONSUMER.UNPIN.C.p',
        { group: 'a b' },
        400,
        10162,
        'Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 characters',
      ),
      fails(
        'CONSUMER.UNPIN.C.p',
        'x',
        400,
        10025,
        "invalid JSON: invalid character 'x' looking for beginning of value",
      ),
    ],
  ),
  scenario(
    'a pinned message keeps its own headers, and may lose its payload',
    ['C'],
    [
      C,
      messages(['c.a', 'body', 'X-Own: 1']),
      group('p', 'pinned_client', { headers_only: true }),
      a.opens(),
      pullsInto(a, 'p', { batch: 1, group: 'g' }),
      a.hears(''),
      () => {
        assert.match(a.last().headers, /^NATS\/1\.0\r\nX-Own: 1\r\nNats-Msg-Size: 4\r\nNats-Pin-Id: \w{22}\r\n\r\n$/);
        return Promise.resolve();
      },
    ],
  ),
  scenario(
    'clients that know nothing of pins are served while nobody is pinned',
    ['C'],
    [
      C,
      publish(1),
      group('p', 'pinned_client'),
      a.opens(),
      pullsInto(a, 'p', '1'),
      a.hears('m'),
      () => {
        assert.equal(a.last().headers, 'NATS/1.0\r\nNats-Pin-Id: \r\n\r\n');
        return Promise.resolve();
      },
    ],
  ),
];

const PRIORITIZED: readonly Scenario[] = [
  scenario(
    'requests are served by priority, and in turns within one',
    ['C'],
    [
      C,
      group('r', 'prioritized'),
      ...open,
      pullsInto(a, 'r', { batch: 2, group: 'g', priority: 5, expires: 20e9 }),
      pullsInto(b, 'r', { batch: 2, group: 'g', priority: 1, expires: 20e9 }),
      pullsInto(c, 'r', { batch: 2, group: 'g', priority: 1, expires: 20e9 }),
      pullsInto(d, 'r', '2'),
      pullsInto(e, 'r', { batch: 2, group: 'g', expires: 20e9 }),
      comesTo('r', { num_waiting: 5 }),
      publish(10),
      ...[a, b, c, d, e].map((ear) => ear.hears('m', 'm')),
      () => {
        const seqs = (ear: Ear): number[] => [-2, -1].map((at) => Number(ear.reply(at).split('.')[5]));
        assert.deepEqual([e, b, c, a, d].map(seqs), [
          [1, 2],
          [3, 5],
          [4, 6],
          [7, 8],
          [9, 10],
        ]);
        return Promise.resolve();
      },
    ],
  ),
];

export const CONSUMER_PRIORITY_SCENARIOS: readonly Scenario[] = [
  ...CONFIGURATION,
  ...ADMISSION,
  ...OVERFLOW,
  ...PINNED,
  ...PRIORITIZED,
];
