/** Owns what is expected of consumers that mirrors and sources make: direct, sourcing, acked by flow control; and of resets. */
import { answersWithHeader, comesTo, Ear, EXPLICIT, ofC, pullsInto } from './consumer-steps.ts';
import { ABSENT, answers, ANYTHING, consumer, fails, isSilent, messages, scenario, stream } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const IDENTITY = /\r\nNats-Stream-Identity: [0-9A-Za-z]{8}\r\n/;
const MIRROR = {
  deliver_policy: 'all',
  ack_policy: 'none',
  ack_wait: 22 * 3600e9,
  max_deliver: 1,
  flow_control: true,
  deliver_subject: 'mirror.in',
  idle_heartbeat: 1e9,
  inactive_threshold: 10e9,
  direct: true,
  sourcing: true,
} as const;
const FLOW = { ack_policy: 'flow_control', deliver_subject: 'flow.in' } as const;
const ear = new Ear('flow.in');
const mirror = new Ear('mirror.in');
const C = stream('C', { subjects: ['c.>'] });
const THREE = messages(['c.a', '1'], ['c.b', '2'], ['c.a', '3']);
const SIX = messages(['c.a', '1'], ['c.a', '2'], ['c.a', '3'], ['c.a', '4'], ['c.a', '5'], ['c.a', '6']);

const DIRECT: readonly Scenario[] = [
  scenario(
    'a mirror gets a consumer of its own that nobody sees',
    ['C'],
    [
      C,
      THREE,
      mirror.opens(),
      answersWithHeader('CONSUMER.CREATE.C', ofC({ name: 'M', ...MIRROR }), 'Nats-Required-Api-Level: 4', IDENTITY),
      mirror.hears('1', '2', '3', '100 Idle Heartbeat Nats-Last-Consumer=3 Nats-Last-Stream=3'),
      answers('CONSUMER.NAMES.C', '', { total: 0, consumers: [] }),
      answers('CONSUMER.LIST.C', '', { total: 0, consumers: [] }),
      answers('STREAM.INFO.C', '', { state: { consumer_count: 0 } }),
    ],
  ),
  scenario(
    'each attempt of a mirror has another name, a direct consumer keeps its own',
    ['C'],
    [
      C,
      answers('CONSUMER.CREATE.C.M.c.a', ofC({ name: 'M', filter_subject: 'c.a', ...MIRROR }), {
        name: ANYTHING,
        config: { direct: true, sourcing: true, metadata: { '_nats.req.level': '0' } },
      }),
      answers('CONSUMER.CREATE.C.D', ofC({ ...MIRROR, sourcing: false, deliver_subject: 'other.in' }), {
        name: 'D',
        config: { name: 'D', direct: true, sourcing: ABSENT },
      }),
      answers('CONSUMER.INFO.C.D', '', { name: 'D', config: { direct: true } }),
      answers('CONSUMER.DELETE.C.D', '', { success: true }),
      fails('CONSUMER.INFO.C.D', '', 404, 10014, 'consumer not found'),
    ],
  ),
  scenario(
    'a direct consumer is pushed, and not durable',
    ['C'],
    [
      C,
      fails('CONSUMER.CREATE.C.D', ofC({ direct: true }), 400, 10090, 'consumer direct requires a push based consumer'),
      fails(
        'CONSUMER.CREATE.C.D',
        ofC({ direct: true, durable_name: 'D', deliver_subject: 'x' }),
        400,
        10091,
        'consumer direct requires an ephemeral consumer',
      ),
    ],
  ),
  scenario(
    'whoever sources names the stream that it means',
    ['C'],
    [
      C,
      async (client) => {
        const [created] = await client.request('$JS.API.CONSUMER.CREATE.C', JSON.stringify(ofC(MIRROR)));
        const identity = /Nats-Stream-Identity: (\w+)/.exec(created!.headers)![1]!;
        const call = 'CONSUMER.CREATE.C';
        const text = `consumer's stream identity does not match: ${identity}`;
        await fails(call, ofC(MIRROR), 400, 10225, text, 'Nats-Stream-Identity: zzzzzzzz')(client);
        const again = { ...MIRROR, deliver_subject: 'again.in' };
        await answersWithHeader(call, ofC(again), `Nats-Stream-Identity: ${identity}`, IDENTITY)(client);
      },
    ],
  ),
  scenario(
    'the stream that a plain consumer means is not asked for',
    ['C'],
    [C, answers('CONSUMER.CREATE.C.d', ofC({ durable_name: 'd' }), { name: 'd' }, 'Nats-Stream-Identity: zzzzzzzz')],
  ),
  scenario(
    'a call for a level of the API that nobody has is refused',
    ['C'],
    [
      C,
      fails(
        'CONSUMER.CREATE.C.d',
        ofC({ durable_name: 'd' }),
        412,
        10185,
        'JetStream minimum api level required',
        'Nats-Required-Api-Level: 6',
      ),
      answers('CONSUMER.CREATE.C.d', ofC({ durable_name: 'd' }), { name: 'd' }, 'Nats-Required-Api-Level: 5'),
    ],
  ),
  scenario(
    'a sourcing consumer that is not direct is listed',
    ['C'],
    [
      C,
      answersWithHeader('CONSUMER.CREATE.C.S', ofC({ sourcing: true }), undefined, IDENTITY),
      answers('CONSUMER.NAMES.C', '', { total: 1, consumers: ['S'] }),
      answers('STREAM.INFO.C', '', { state: { consumer_count: 1 } }),
      fails('CONSUMER.CREATE.C.S', ofC({}), 500, 10012, 'sourcing can not be updated'),
    ],
  ),
];

const FLOW_CONTROL: readonly Scenario[] = [
  scenario(
    'acks by flow control have their own rules',
    ['C'],
    [
      C,
      ...(
        [
          [{ deliver_subject: '' }, 10218, 'flow control ack policy requires a push based consumer'],
          [{ max_ack_pending: -1 }, 10220, 'flow control ack policy requires max ack pending'],
          [{ ack_wait: 1e9 }, 10221, 'flow control ack policy requires unset ack wait'],
          [{ backoff: [1e9] }, 10221, 'flow control ack policy requires unset ack wait'],
          [{ max_deliver: 3 }, 10222, 'flow control ack policy requires unset max deliver'],
        ] as const
      ).map(([config, code, text]) => fails('CONSUMER.CREATE.C.f', ofC({ ...FLOW, ...config }), 400, code, text)),
    ],
  ),
  scenario(
    'pedantic clients ask for flow control and heartbeats themselves',
    ['C'],
    [
      C,
      fails(
        'CONSUMER.CREATE.C.f',
        ofC(FLOW, { pedantic: true }),
        400,
        10219,
        'flow control ack policy requires flow control',
      ),
      fails(
        'CONSUMER.CREATE.C.f',
        ofC({ ...FLOW, flow_control: true, idle_heartbeat: 5e9 }, { pedantic: true }),
        500,
        10052,
        'flow control ack policy heartbeat needs to be 1s',
      ),
    ],
  ),
  scenario(
    'acks by flow control bring their defaults',
    ['C'],
    [
      C,
      answers('CONSUMER.CREATE.C.f', ofC({ ...FLOW, idle_heartbeat: 5e9 }), {
        config: {
          ack_policy: 'flow_control',
          ack_wait: ABSENT,
          max_deliver: -1,
          max_ack_pending: 1000,
          flow_control: true,
          idle_heartbeat: 1e9,
          inactive_threshold: 5e9,
          metadata: { '_nats.req.level': '4' },
        },
      }),
    ],
  ),
  scenario(
    'answers to flow control acknowledge what they name',
    ['C'],
    [
      C,
      SIX,
      ear.opens(),
      consumer('C', 'f', { ...FLOW, max_ack_pending: 3 }),
      ear.hears('1', '2', '3', '100 FlowControl Request'),
      ear.replies(-1, '', 'Nats-Last-Stream: 2\r\nNats-Last-Consumer: 2'),
      ear.hears('4', '5', '100 FlowControl Request'),
      answers('CONSUMER.INFO.C.f', '', {
        delivered: { consumer_seq: 5, stream_seq: 5 },
        ack_floor: { consumer_seq: 2, stream_seq: 2 },
        num_ack_pending: 3,
        push_bound: true,
      }),
    ],
  ),
  scenario(
    'an answer without sequences acknowledges nothing',
    ['C'],
    [
      C,
      SIX,
      ear.opens(),
      consumer('C', 'f', { ...FLOW, max_ack_pending: 3 }),
      ear.hears('1', '2', '3', '100 FlowControl Request'),
      ear.replies(-1),
      ear.hearsNothing(),
      answers('CONSUMER.INFO.C.f', '', { num_ack_pending: 3, ack_floor: { stream_seq: 0 } }),
    ],
  ),
  scenario(
    'heartbeats ask for the acks that are missing',
    ['C'],
    [
      C,
      THREE,
      ear.opens(),
      consumer('C', 'f', FLOW),
      ear.hears(
        '1',
        '2',
        '3',
        '100 Idle Heartbeat Nats-Last-Consumer=3 Nats-Last-Stream=3',
        '100 FlowControl Request',
        /^100 Idle Heartbeat Nats-Last-Consumer=3 Nats-Last-Stream=3 Nats-Consumer-Stalled=\$JS\.FC\.C\.f\.\w{4}$/,
      ),
      ear.replies(-2, '', 'Nats-Last-Stream: 3\r\nNats-Last-Consumer: 3'),
      answers('CONSUMER.INFO.C.f', '', { num_ack_pending: 0, ack_floor: { consumer_seq: 3, stream_seq: 3 } }),
      ear.hears('100 Idle Heartbeat Nats-Last-Consumer=3 Nats-Last-Stream=3'),
    ],
  ),
  scenario(
    'messages acked by flow control are not acked by their reply subject',
    ['C'],
    [
      C,
      THREE,
      ear.opens(),
      consumer('C', 'f', FLOW),
      ear.hears('1', '2', '3'),
      async (client) => {
        const [answer] = await client.request(ear.reply(0), '+ACK');
        if (!answer!.headers.startsWith('NATS/1.0 503')) throw new Error(`answered with ${JSON.stringify(answer)}`);
      },
    ],
  ),
];

const WORKQUEUE: readonly Scenario[] = [
  scenario(
    'a source of a work queue gets a durable consumer',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], retention: 'workqueue' }),
      THREE,
      mirror.opens(),
      answers('CONSUMER.CREATE.C.S', ofC({ name: 'S', ...MIRROR }), {
        name: 'S',
        config: {
          durable_name: 'S',
          ack_policy: 'flow_control',
          ack_wait: ABSENT,
          max_deliver: -1,
          max_ack_pending: 1000,
          inactive_threshold: ABSENT,
          direct: ABSENT,
          sourcing: true,
          metadata: { '_nats.req.level': '4' },
        },
      }),
      mirror.hears('1', '2', '3'),
      answers('CONSUMER.NAMES.C', '', { total: 1, consumers: ['S'] }),
      mirror.hears(/^100 Idle Heartbeat/, '100 FlowControl Request'),
      mirror.replies(-1, '', 'Nats-Last-Stream: 2\r\nNats-Last-Consumer: 2'),
      answers('CONSUMER.INFO.C.S', '', { num_ack_pending: 1, ack_floor: { consumer_seq: 2, stream_seq: 2 } }),
    ],
  ),
  scenario(
    'a source shares a work queue with a consumer, and holds its messages',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], retention: 'workqueue' }),
      THREE,
      consumer('C', 'd', EXPLICIT),
      mirror.opens(),
      answers('CONSUMER.CREATE.C.S', ofC({ name: 'S', ...MIRROR }), { name: 'S' }),
      mirror.hears('1', '2', '3'),
      async (client) => {
        const [message] = await client.request('$JS.API.CONSUMER.MSG.NEXT.C.d', '1');
        await client.request(message!.replyTo, '+ACK');
      },
      answers('STREAM.INFO.C', '', { state: { messages: 3 } }),
      fails(
        'CONSUMER.CREATE.C.e',
        ofC({ durable_name: 'e', ...EXPLICIT }),
        400,
        10099,
        'multiple non-filtered consumers not allowed on workqueue stream',
      ),
    ],
  ),
  scenario(
    'a source that asks again gets what it has not acked once more',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], retention: 'interest' }),
      mirror.opens(),
      answers('CONSUMER.CREATE.C.S', ofC({ name: 'S', ...MIRROR }), { name: 'S' }),
      THREE,
      mirror.hears('1', '2', '3'),
      answersWithHeader('CONSUMER.CREATE.C.S', ofC({ name: 'S', ...MIRROR }), undefined, IDENTITY),
      mirror.hears('1', '2', '3'),
      answers('CONSUMER.INFO.C.S', '', { delivered: { consumer_seq: 3, stream_seq: 3 }, num_ack_pending: 3 }),
    ],
  ),
];

/** The first messages of a consumer, the first of them acked. */
const SOME_PULLED = [
  C,
  SIX,
  consumer('C', 'd', EXPLICIT),
  async (client: Parameters<typeof C>[0]) => {
    const isComplete = (replies: readonly unknown[]): boolean => replies.length === 4;
    const replies = await client.request('$JS.API.CONSUMER.MSG.NEXT.C.d', '{"batch":4}', { isComplete });
    await client.request(replies[0]!.replyTo, '+ACK');
  },
];

const RESETS: readonly Scenario[] = [
  scenario(
    'a reset begins anew behind the ack floor',
    ['C'],
    [
      ...SOME_PULLED,
      answers('CONSUMER.RESET.C.d', '', {
        type: 'io.nats.jetstream.api.v1.consumer_reset_response',
        name: 'd',
        delivered: { consumer_seq: 0, stream_seq: 1, last_active: ABSENT },
        ack_floor: { consumer_seq: 0, stream_seq: 1 },
        num_ack_pending: 0,
        num_pending: 5,
        reset_seq: 2,
      }),
    ],
  ),
  scenario(
    'a reset goes to any sequence, and its request may say more',
    ['C'],
    [
      ...SOME_PULLED,
      answers('CONSUMER.RESET.C.d', { seq: 3, x: 1 }, { delivered: { stream_seq: 2 }, num_pending: 4, reset_seq: 3 }),
      answers('CONSUMER.RESET.C.d', { seq: 200 }, { delivered: { stream_seq: 199 }, num_pending: 0, reset_seq: 200 }),
      answers('CONSUMER.RESET.C.d', { seq: 1 }, { ack_floor: { stream_seq: 0 }, num_pending: 6, reset_seq: 1 }),
    ],
  ),
  scenario(
    'only some policies can begin anew at any sequence',
    ['C'],
    [
      C,
      SIX,
      consumer('C', 'last', { deliver_policy: 'last' }),
      consumer('C', 'new', { deliver_policy: 'new' }),
      consumer('C', 'seq', { deliver_policy: 'by_start_sequence', opt_start_seq: 4 }),
      consumer('C', 'time', { deliver_policy: 'by_start_time', opt_start_time: '2200-01-01T00:00:00Z' }),
      fails('CONSUMER.RESET.C.last', { seq: 3 }, 400, 10204, 'invalid reset: not allowed'),
      fails('CONSUMER.RESET.C.new', { seq: 3 }, 400, 10204, 'invalid reset: not allowed'),
      fails('CONSUMER.RESET.C.seq', { seq: 3 }, 400, 10204, 'invalid reset: below start seq'),
      fails('CONSUMER.RESET.C.time', { seq: 3 }, 400, 10204, 'invalid reset: below start time'),
      answers('CONSUMER.RESET.C.last', '', { reset_seq: 6 }),
      answers('CONSUMER.RESET.C.new', {}, { reset_seq: 7 }),
      answers('CONSUMER.RESET.C.seq', { seq: 5 }, { reset_seq: 5 }),
    ],
  ),
  scenario(
    'requests for a reset that make no sense',
    ['C'],
    [
      C,
      consumer('C', 'd'),
      fails(
        'CONSUMER.RESET.C.d',
        '{"seq":-1}',
        400,
        10025,
        'invalid JSON: json: cannot unmarshal number -1 into Go struct field JSApiConsumerResetRequest.seq of type uint64',
      ),
      fails(
        'CONSUMER.RESET.C.d',
        'xx',
        400,
        10025,
        "invalid JSON: invalid character 'x' looking for beginning of value",
      ),
      fails('CONSUMER.RESET.C.d', '{', 400, 10025, 'invalid JSON: unexpected end of JSON input'),
      isSilent('CONSUMER.RESET.C.nobody'),
    ],
  ),
  scenario(
    'a request that waits survives a reset',
    ['C'],
    [
      C,
      THREE,
      consumer('C', 'd', { ...EXPLICIT, deliver_policy: 'new' }),
      ear.opens(),
      pullsInto(ear, 'd', { batch: 1, expires: 20e9 }),
      comesTo('d', { num_waiting: 1 }),
      answers('CONSUMER.RESET.C.d', '', { num_waiting: 1 }),
      messages(['c.a', 'late']),
      ear.hears('late'),
    ],
  ),
];

export const CONSUMER_SOURCING_SCENARIOS: readonly Scenario[] = [...DIRECT, ...FLOW_CONTROL, ...WORKQUEUE, ...RESETS];
