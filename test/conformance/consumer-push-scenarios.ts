/** Owns what is expected of push consumers: interest, heartbeats, flow control, pace, clean-up (consumers.md 4). */
import assert from 'node:assert/strict';
import { waitFor } from '../harness/wait-for.ts';
import { comesTo, Ear, EXPLICIT, ofC } from './consumer-steps.ts';
import { ABSENT, answers, consumer, fails, messages, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const C = stream('C', { subjects: ['c.>'] });
const OUT = 'out.x';
const PUSH = { deliver_subject: OUT };
const THREE = messages(['c.a', '1'], ['c.b', '2'], ['c.a', '3']);
const ear = new Ear(OUT);
const any = new Ear('out.*');
const grouped = new Ear(OUT, 'q');
const other = new Ear(OUT, 'other');
const push = (name: string, config: object = {}): Step => consumer('C', name, { ...PUSH, ...config });

/** The header block of the last message. */
const headersAre =
  (from: Ear, expected: string): Step =>
  () => {
    assert.equal(from.last().headers, expected);
    return Promise.resolve();
  };

/** Runs steps that must take at least this long, counted from before the first. */
const takesAtLeast =
  (ms: number, ...steps: readonly Step[]): Step =>
  async (client) => {
    const start = performance.now();
    for (const step of steps) await step(client);
    const took = performance.now() - start;
    assert.ok(took >= ms, `took ${took} ms`);
  };

const INTEREST: readonly Scenario[] = [
  scenario(
    'messages come under their own subject, with a place to ack',
    ['C'],
    [
      C,
      THREE,
      ear.opens(),
      push('p', EXPLICIT),
      ear.hears('1', '2', '3'),
      () => {
        assert.equal(ear.last().subject, 'c.a');
        assert.match(ear.reply(), /^\$JS\.ACK\.C\.p\.1\.3\.3\.\d{19}\.0$/);
        return Promise.resolve();
      },
      answers('CONSUMER.INFO.C.p', '', { push_bound: true, num_ack_pending: 3, num_waiting: 0 }),
    ],
  ),
  scenario(
    'without acks messages tell their place all the same',
    ['C'],
    [
      C,
      THREE,
      ear.opens(),
      push('p'),
      ear.hears('1', '2', '3'),
      () => {
        assert.match(ear.reply(0), /^\$JS\.ACK\.C\.p\.1\.1\.1\.\d{19}\.2$/);
        return Promise.resolve();
      },
      answers('CONSUMER.INFO.C.p', '', { num_ack_pending: 0, ack_floor: { consumer_seq: 3, stream_seq: 3 } }),
    ],
  ),
  scenario(
    'delivery begins when somebody listens, and ends with it',
    ['C'],
    [
      C,
      THREE,
      push('p', EXPLICIT),
      answers('CONSUMER.INFO.C.p', '', { push_bound: ABSENT, delivered: { consumer_seq: 0 } }),
      ear.opens(),
      ear.hears('1', '2', '3'),
      ear.closes(),
      comesTo('p', { push_bound: ABSENT }),
      messages(['c.a', '4']),
      answers('CONSUMER.INFO.C.p', '', { num_pending: 1, delivered: { consumer_seq: 3 } }),
      ear.opens(),
      ear.hears('4'),
    ],
  ),
  scenario(
    'a wildcard subscriber is not meant',
    ['C'],
    [C, THREE, any.opens(), push('p'), any.hearsNothing(), answers('CONSUMER.INFO.C.p', '', { push_bound: ABSENT })],
  ),
  scenario(
    'a wildcard subscriber gets its copy of what others are meant to get',
    ['C'],
    [C, THREE, any.opens(), ear.opens(), push('p'), ear.hears('1', '2', '3'), any.hears('1', '2', '3')],
  ),
  scenario(
    'a queue subscriber is not meant where no group is named',
    ['C'],
    [C, THREE, grouped.opens(), push('p'), grouped.hearsNothing()],
  ),
  scenario(
    'a group is meant by its name only',
    ['C'],
    [
      C,
      THREE,
      ear.opens(),
      other.opens(),
      push('p', { deliver_group: 'q' }),
      ear.hearsNothing(),
      other.hearsNothing(),
      grouped.opens(),
      grouped.hears('1', '2', '3'),
      ear.hears('1', '2', '3'),
      other.hears('1', '2', '3'),
    ],
  ),
  scenario(
    'members of a group share what is delivered',
    ['C'],
    [
      C,
      grouped.opens(),
      push('p', { deliver_group: 'q' }),
      async (client) => {
        const second = client.subscribe(OUT, 'q');
        await client.flush();
        await messages(...Array.from({ length: 40 }, () => ['c.a', 'm'] as const))(client);
        await comesTo('p', { delivered: { consumer_seq: 40 } })(client);
        await client.flush();
        assert.ok(second.received.length > 0, 'the second member must get some');
        await grouped.hears(...Array.from({ length: 40 - second.received.length }, () => 'm'))(client);
      },
    ],
  ),
  scenario(
    'the deliver subject changes when nobody listens to the old one',
    ['C'],
    [
      C,
      THREE,
      push('p', EXPLICIT),
      ear.opens(),
      ear.hears('1', '2', '3'),
      fails(
        'CONSUMER.CREATE.C.p',
        ofC({ durable_name: 'p', ...EXPLICIT, deliver_subject: 'out.y' }),
        400,
        10013,
        'consumer name already in use',
      ),
      ear.closes(),
      comesTo('p', { push_bound: ABSENT }),
      any.on('out.y'),
      consumer('C', 'p', { ...EXPLICIT, deliver_subject: 'out.y' }),
      any.hears('1', '2', '3'),
    ],
  ),
  scenario(
    'a push consumer is not pulled from',
    ['C'],
    [
      C,
      push('p'),
      async (client) => {
        const [reply] = await client.request('$JS.API.CONSUMER.MSG.NEXT.C.p', '1');
        assert.equal(reply!.headers, 'NATS/1.0 409 Consumer is push based\r\n\r\n');
      },
    ],
  ),
  scenario(
    'a push consumer that is deleted falls silent',
    ['C'],
    [
      C,
      ear.opens(),
      push('p', { idle_heartbeat: 200e6 }),
      ear.hears(/^100 Idle/),
      answers('CONSUMER.DELETE.C.p', '', { success: true }),
      ear.forgets(),
      ear.hearsNothing(),
    ],
  ),
];

const HEARTBEATS: readonly Scenario[] = [
  scenario(
    'an idle consumer tells where it is',
    ['C'],
    [
      C,
      THREE,
      ear.opens(),
      push('p', { idle_heartbeat: 1e9, filter_subject: 'c.b' }),
      ear.hears('2', '100 Idle Heartbeat Nats-Last-Consumer=1 Nats-Last-Stream=3'),
    ],
  ),
  scenario(
    'heartbeats go on during a pause',
    ['C'],
    [
      C,
      THREE,
      ear.opens(),
      push('p', { idle_heartbeat: 200e6, pause_until: '2200-01-01T00:00:00Z' }),
      ear.hears(/^100 Idle Heartbeat Nats-Last-Consumer=0/, /^100 Idle Heartbeat Nats-Last-Consumer=0/),
      answers('CONSUMER.PAUSE.C.p', '', { paused: false }),
      comesTo('p', { delivered: { consumer_seq: 3 } }),
    ],
  ),
  scenario(
    'a window of flow control opens with each answer',
    ['C'],
    [
      C,
      messages(...Array.from({ length: 30 }, () => ['c.a', 'x'.repeat(100 * 1024)] as const)),
      ear.opens(),
      push('p', { flow_control: true, idle_heartbeat: 1e9 }),
      ear.hears(...Array.from({ length: 11 }, () => /^x+$/), '100 FlowControl Request'),
      async (client) => {
        const request = ear.reply();
        assert.match(request, /^\$JS\.FC\.C\.p\.\w{4}$/);
        await ear.hears(...Array.from({ length: 10 }, () => /^x+$/))(client);
        const stalled = `100 Idle Heartbeat Nats-Last-Consumer=21 Nats-Last-Stream=21 Nats-Consumer-Stalled=${request}`;
        await ear.hears(stalled)(client);
        client.publish(request);
        await ear.hears(...Array.from({ length: 9 }, () => /^x+$/))(client);
      },
    ],
  ),
];

const CONTENT: readonly Scenario[] = [
  scenario(
    'headers alone tell how large the payload is',
    ['C'],
    [
      C,
      messages(['c.a', 'four', 'X-Own: 1'], ['c.a', 'sixsix']),
      ear.opens(),
      push('p', { headers_only: true }),
      ear.hears(''),
      headersAre(ear, 'NATS/1.0\r\nX-Own: 1\r\nNats-Msg-Size: 4\r\n\r\n'),
      ear.hears(''),
      headersAre(ear, 'NATS/1.0\r\nNats-Msg-Size: 6\r\n\r\n'),
    ],
  ),
  scenario(
    'several filters deliver in the order of the stream',
    ['C'],
    [
      C,
      messages(['c.a', '1'], ['c.b', '2'], ['c.c', '3'], ['c.a', '4']),
      ear.opens(),
      push('p', { filter_subjects: ['c.c', 'c.a'] }),
      ear.hears('1', '3', '4'),
    ],
  ),
  scenario(
    'the last of each subject comes first, then what is new',
    ['C'],
    [
      C,
      messages(['c.a', '1'], ['c.b', '2'], ['c.a', '3'], ['c.b', '4'], ['c.c', '5']),
      ear.opens(),
      push('p', { deliver_policy: 'last_per_subject', filter_subject: 'c.*' }),
      ear.hears('3', '4', '5'),
      messages(['c.a', '6'], ['c.a', '7']),
      ear.hears('6', '7'),
    ],
  ),
  scenario(
    'an ordered consumer counts its deliveries without holes',
    ['C'],
    [
      C,
      messages(['c.a', '1'], ['c.b', '2'], ['c.a', '3'], ['c.a', '4']),
      answers('STREAM.MSG.DELETE.C', { seq: 3 }, { success: true }),
      ear.opens(),
      answers(
        'CONSUMER.CREATE.C.oc.c.a',
        ofC({
          ...PUSH,
          name: 'oc',
          ack_policy: 'none',
          max_deliver: 1,
          flow_control: true,
          idle_heartbeat: 5e9,
          ack_wait: 22 * 3600e9,
          mem_storage: true,
          num_replicas: 1,
          inactive_threshold: 300e9,
          deliver_policy: 'by_start_sequence',
          opt_start_seq: 1,
          filter_subject: 'c.a',
        }),
        { name: 'oc', config: { mem_storage: true, num_replicas: 1 } },
      ),
      ear.hears('1', '4'),
      () => {
        assert.match(ear.reply(0), /\.1\.1\.1\.\d+\.1$/);
        assert.match(ear.reply(1), /\.1\.4\.2\.\d+\.0$/);
        return Promise.resolve();
      },
    ],
  ),
];

const PACE: readonly Scenario[] = [
  scenario(
    'a rate limit spreads messages over time',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], max_msg_size: 6000 }),
      messages(...Array.from({ length: 4 }, () => ['c.a', 'x'.repeat(5000)] as const)),
      ear.opens(),
      // 10 kB in a second: two messages.
      takesAtLeast(900, push('p', { rate_limit_bps: 80_000 }), ear.hears(/^x+$/, /^x+$/, /^x+$/, /^x+$/)),
    ],
  ),
  scenario(
    'a replay keeps the pauses of the original',
    ['C'],
    [
      C,
      messages(['c.a', '1']),
      () => new Promise((resolve) => setTimeout(resolve, 300)),
      messages(['c.a', '2']),
      ear.opens(),
      takesAtLeast(280, push('p', { replay_policy: 'original' }), ear.hears('1', '2')),
    ],
  ),
  scenario(
    'a consumer that nobody listens to goes after its time',
    ['C'],
    [
      C,
      answers('CONSUMER.CREATE.C.e', ofC({ ...PUSH, inactive_threshold: 200e6 }), { name: 'e' }),
      async (client) => {
        await waitFor('the consumer to go', async () => {
          const [reply] = await client.request('$JS.API.CONSUMER.INFO.C.e');
          return reply!.payload.includes('10014');
        });
      },
    ],
  ),
  scenario(
    'a consumer that is listened to stays',
    ['C'],
    [
      C,
      ear.opens(),
      answers('CONSUMER.CREATE.C.e', ofC({ ...PUSH, inactive_threshold: 100e6 }), { name: 'e' }),
      ear.hearsNothing(),
      answers('CONSUMER.INFO.C.e', '', { name: 'e', push_bound: true }),
    ],
  ),
  scenario(
    'at the limit of pending acks push waits for one',
    ['C'],
    [
      C,
      THREE,
      ear.opens(),
      push('p', { ...EXPLICIT, max_ack_pending: 2 }),
      ear.hears('1', '2'),
      ear.hearsNothing(),
      ear.confirms(0),
      ear.hears('3'),
    ],
  ),
  scenario(
    'a larger limit of pending acks counts at once',
    ['C'],
    [
      C,
      THREE,
      ear.opens(),
      push('p', { ...EXPLICIT, max_ack_pending: 1 }),
      ear.hears('1'),
      push('p', { ...EXPLICIT, max_ack_pending: 5 }),
      ear.hears('2', '3'),
    ],
  ),
];

export const CONSUMER_PUSH_SCENARIOS: readonly Scenario[] = [...INTEREST, ...HEARTBEATS, ...CONTENT, ...PACE];
