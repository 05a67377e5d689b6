/** Owns what is expected of acks: their kinds, floors, redelivery, and what is told of it (consumers.md 6 and 8). */
import assert from 'node:assert/strict';
import { comesTo, Ear, EXPLICIT, ofC, shown } from './consumer-steps.ts';
import { ABSENT, answers, ANYTHING, consumer, messages, scenario, SOME_TIME, stream } from './scenario.ts';
import { becomes } from './timed-steps.ts';
import type { RawClient, Reply } from './raw-client.ts';
import type { Scenario, Step } from './scenario.ts';

const C = stream('C', { subjects: ['c.>'] });
const DELETED = 'Unacknowledged message was deleted';
const FIVE = messages(['c.a', '1'], ['c.a', '2'], ['c.a', '3'], ['c.a', '4'], ['c.a', '5']);
const TWO = messages(['c.a', '1'], ['c.a', '2']);
const EVENT = '$JS.EVENT.ADVISORY.CONSUMER';
const events = new Ear('unused');
const pushed = new Ear('out.x');
const inbox = new Ear('in.a');
const d = (config: object = {}): Step => consumer('C', 'd', { ...EXPLICIT, ...config });

/** What consumer d gave out last. */
let taken: readonly Reply[] = [];

/** Pulls what must be there. */
const takes =
  (...expected: readonly string[]): Step =>
  async (client) => {
    const body = JSON.stringify({ batch: expected.length, expires: 20e9 });
    taken = await client.request('$JS.API.CONSUMER.MSG.NEXT.C.d', body, {
      isComplete: (received) => received.length >= expected.length,
    });
    assert.deepEqual(taken.map(shown), expected);
  };

/** Nothing is there to be pulled right now. */
const takesNothing: Step = async (client) => {
  const [reply] = await client.request('$JS.API.CONSUMER.MSG.NEXT.C.d', '{"no_wait":true}');
  assert.equal(shown(reply!), '404 No Messages');
};

const attemptOf = ({ replyTo }: Reply): number => Number(replyTo.split('.')[4]);
const attemptsAre =
  (...expected: readonly number[]): Step =>
  () => {
    assert.deepEqual(taken.map(attemptOf), expected);
    return Promise.resolve();
  };

/** Messages behind each of those taken, as their reply subjects say. */
const pendingAre =
  (...expected: readonly number[]): Step =>
  () => {
    assert.deepEqual(
      taken.map(({ replyTo }) => Number(replyTo.split('.').at(-1))),
      expected,
    );
    return Promise.resolve();
  };

/** Answers message `at` of those taken, and waits for the confirmation. */
const confirms =
  (at: number, payload = '+ACK'): Step =>
  async (client) => {
    const [answer] = await client.request(taken[at]!.replyTo, payload);
    assert.equal(answer && answer.headers + answer.payload, '', `${payload} of #${at}`);
  };

const isSilentFor =
  (subject: (client: RawClient) => string, payload = '+ACK'): Step =>
  async (client) => {
    const replies = await client.request(subject(client), payload, { timeoutMs: 300 });
    assert.deepEqual(replies, []);
  };

const floors = (consumerSeq: number, streamSeq: number, numAckPending: number): Step =>
  answers('CONSUMER.INFO.C.d', '', {
    ack_floor: { consumer_seq: consumerSeq, stream_seq: streamSeq },
    num_ack_pending: numAckPending,
  });

const KINDS: readonly Scenario[] = [
  scenario(
    'acks have many forms',
    ['C'],
    [
      C,
      FIVE,
      d(),
      takes('1', '2', '3', '4'),
      confirms(0, ''),
      confirms(1, '+ACK'),
      confirms(2, '+OK'),
      confirms(3, '+TERM because'),
      floors(4, 4, 0),
    ],
  ),
  scenario(
    'what is no ack is answered, and changes nothing',
    ['C'],
    [C, FIVE, d(), takes('1'), confirms(0, '+BOGUS'), confirms(0, '+ACK '), confirms(0, 'hello'), floors(0, 0, 1)],
  ),
  scenario(
    'an ack may be repeated',
    ['C'],
    [C, FIVE, d(), takes('1'), confirms(0), confirms(0), confirms(0, '-NAK'), takes('2'), floors(1, 1, 1)],
  ),
  scenario(
    'acks out of order leave the floor behind',
    ['C'],
    [
      C,
      FIVE,
      d(),
      takes('1', '2', '3', '4', '5'),
      confirms(2),
      floors(0, 0, 4),
      confirms(4),
      floors(0, 0, 3),
      confirms(0),
      floors(1, 1, 2),
      confirms(1),
      floors(3, 3, 1),
      confirms(3),
      floors(5, 5, 0),
    ],
  ),
  scenario(
    'what was not delivered yet is not acked',
    ['C'],
    [
      C,
      FIVE,
      d(),
      takes('1'),
      isSilentFor(() => taken[0]!.replyTo.replace('.1.1.1.', '.1.3.3.')),
      isSilentFor(() => taken[0]!.replyTo.replace('.1.1.1.', '.1.99.99.')),
      floors(0, 0, 1),
    ],
  ),
  scenario(
    'subjects that are no acks are ignored',
    ['C'],
    [C, FIVE, d(), takes('1'), isSilentFor(() => taken[0]!.replyTo.replace('.1.1.1.', '.1.x.1.')), floors(0, 0, 1)],
  ),
  scenario(
    'the longer subject acks as well, whatever comes behind',
    ['C'],
    [
      C,
      FIVE,
      d(),
      takes('1', '2'),
      async (client) => {
        // szMpdrwD stands for the account $G.
        const [answer] = await client.request(`${taken[0]!.replyTo.replace('ACK.', 'ACK._.szMpdrwD.')}.more`, '+ACK');
        assert.equal(answer?.headers, '');
        const [foreign] = await client.request(taken[1]!.replyTo.replace('ACK.', 'ACK._.zzzzzzzz.'), '+ACK');
        assert.match(foreign?.headers ?? '', /^NATS\/1\.0 503/);
      },
      floors(1, 1, 1),
    ],
  ),
  scenario(
    'an ack with a request for more gets more',
    ['C'],
    [
      C,
      FIVE,
      d(),
      takes('1'),
      inbox.opens(),
      async (client) => {
        client.publish(taken[0]!.replyTo, '+NXT', { reply: inbox.subject });
        await inbox.hears('2')(client);
        client.publish(inbox.reply(), '+NXT 2', { reply: inbox.subject });
        await inbox.hears('3', '4')(client);
        client.publish(inbox.reply(), '+NXT {"batch":5,"no_wait":true}', { reply: inbox.subject });
        await inbox.hears('5', '404 No Messages')(client);
      },
      // Acked are those that the requests came with: the first, second and fourth.
      floors(2, 2, 2),
    ],
  ),
  scenario(
    'ack all acks what came before',
    ['C'],
    [
      C,
      FIVE,
      d({ ack_policy: 'all' }),
      takes('1', '2', '3', '4', '5'),
      confirms(2),
      floors(3, 3, 2),
      confirms(0),
      floors(3, 3, 2),
      confirms(4, '+TERM'),
      floors(5, 5, 0),
    ],
  ),
];

const REDELIVERY: readonly Scenario[] = [
  scenario(
    'a refused message comes again behind the others that were',
    ['C'],
    [
      C,
      FIVE,
      d(),
      takes('1', '2', '3'),
      confirms(2, '-NAK'),
      confirms(0, '-NAK'),
      takes('3', '1', '4'),
      attemptsAre(2, 2, 1),
      answers('CONSUMER.INFO.C.d', '', { num_redelivered: 2, delivered: { consumer_seq: 6, stream_seq: 4 } }),
    ],
  ),
  scenario(
    'a refusal may ask for time',
    ['C'],
    [
      C,
      FIVE,
      d(),
      takes('1', '2'),
      confirms(0, '-NAK {"delay":3000000000}'),
      confirms(1, '-NAK 2s'),
      takes('3', '4', '5'),
      takesNothing,
      takes('2'),
      takes('1'),
      attemptsAre(2),
    ],
  ),
  scenario(
    'a delay that can not be read is none',
    ['C'],
    [C, FIVE, d(), takes('1'), confirms(0, '-NAK {"delay":"x"}'), takes('1'), confirms(0, '-NAK soon'), takes('1')],
  ),
  scenario(
    'what is not acked in time comes again',
    ['C'],
    [C, TWO, d({ ack_wait: 1e9 }), takes('1', '2'), takes('1', '2'), attemptsAre(2, 2)],
  ),
  scenario(
    'a sign of work buys time',
    ['C'],
    [
      C,
      TWO,
      d({ ack_wait: 3e9 }),
      takes('1', '2'),
      () => new Promise((resolve) => setTimeout(resolve, 500)),
      confirms(0, '+WPI'),
      takes('2'),
      takes('1'),
    ],
  ),
  scenario(
    'backoff sets the time of each attempt',
    ['C'],
    [
      C,
      messages(['c.a', '1']),
      d({ backoff: [200e6, 700e6], max_deliver: 3 }),
      async (client) => {
        // When an attempt is seen says nothing of when it was made, except that it was before.
        const start = performance.now();
        const at: number[] = [];
        for (let attempt = 0; attempt < 3; attempt++) {
          await takes('1')(client);
          at.push(performance.now() - start);
        }
        assert.ok(at[1]! > 190 && at[2]! > 880, String(at));
      },
      attemptsAre(3),
    ],
  ),
  scenario(
    'an ack of an earlier attempt counts',
    ['C'],
    [
      C,
      messages(['c.a', '1']),
      d(),
      takes('1'),
      async (client) => {
        const first = taken[0]!.replyTo;
        await confirms(0, '-NAK')(client);
        await takes('1')(client);
        const [answer] = await client.request(first, '+ACK');
        assert.equal(answer!.headers, '');
      },
      answers('CONSUMER.INFO.C.d', '', { num_ack_pending: 0, num_redelivered: 0, ack_floor: { stream_seq: 1 } }),
    ],
  ),
  scenario(
    'attempts are limited, and what is given up stays in the stream',
    ['C'],
    [
      C,
      messages(['c.a', '1'], ['c.a', '2']),
      events.on(`${EVENT}.MAX_DELIVERIES.C.d`),
      d({ max_deliver: 2, ack_wait: 200e6 }),
      takes('1', '2'),
      takes('1', '2'),
      attemptsAre(2, 2),
      () => new Promise((resolve) => setTimeout(resolve, 300)),
      // Only now the reference server looks at them.
      takesNothing,
      events.hearsJson({
        type: 'io.nats.jetstream.advisory.v1.max_deliver',
        id: ANYTHING,
        timestamp: SOME_TIME,
        stream: 'C',
        consumer: 'd',
        stream_seq: 1,
        deliveries: 2,
        consumer_seq: ABSENT,
      }),
      events.hearsJson({ stream_seq: 2, deliveries: 2 }),
      answers('CONSUMER.INFO.C.d', '', { num_ack_pending: 0, num_redelivered: 2, ack_floor: { stream_seq: 0 } }),
      answers('STREAM.INFO.C', '', { state: { messages: 2 } }),
    ],
  ),
  scenario(
    'what was given up may be acked late',
    ['C'],
    [
      C,
      messages(['c.a', '1']),
      events.on(`${EVENT}.MAX_DELIVERIES.C.d`),
      d({ max_deliver: 1, ack_wait: 200e6 }),
      takes('1'),
      events.hearsJson({ stream_seq: 1, deliveries: 1 }),
      confirms(0),
      answers('CONSUMER.INFO.C.d', '', { num_ack_pending: 0, num_redelivered: 0 }),
    ],
  ),
  scenario(
    'attempts are not held back by the limit of pending acks',
    ['C'],
    [C, FIVE, d({ max_ack_pending: 1, ack_wait: 300e6 }), takes('1'), takes('1'), takes('1'), attemptsAre(3)],
  ),
  scenario(
    'push delivers again by itself',
    ['C'],
    [
      C,
      messages(['c.a', '1'], ['c.a', '2']),
      pushed.opens(),
      d({ deliver_subject: 'out.x', ack_wait: 300e6 }),
      pushed.hears('1', '2', '1', '2'),
      pushed.confirms(0),
      pushed.confirms(1),
      answers('CONSUMER.INFO.C.d', '', { num_ack_pending: 0 }),
    ],
  ),
];

const RETENTION: readonly Scenario[] = [
  scenario(
    'a message of interest goes when all are done with it',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], retention: 'interest' }),
      d(),
      consumer('C', 'e', { ...EXPLICIT, filter_subject: 'c.b' }),
      messages(['c.a', '1'], ['c.b', '2'], ['c.c', '3']),
      takes('1', '2', '3'),
      confirms(0),
      confirms(1),
      answers('STREAM.INFO.C', '', { state: { messages: 2, first_seq: 2 } }),
      async (client) => {
        const [reply] = await client.request('$JS.API.CONSUMER.MSG.NEXT.C.e', '1');
        await client.request(reply!.replyTo, '+ACK');
      },
      answers('STREAM.INFO.C', '', { state: { messages: 1, first_seq: 3 } }),
      answers('CONSUMER.DELETE.C.d', '', { success: true }),
      // Nobody needs the message any more.
      becomes('C', { messages: 0 }),
    ],
  ),
  scenario(
    'ack all takes everything off a stream of interest',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], retention: 'interest' }),
      d({ ack_policy: 'all' }),
      FIVE,
      takes('1', '2', '3', '4', '5'),
      confirms(3),
      answers('STREAM.INFO.C', '', { state: { messages: 1, first_seq: 5 } }),
    ],
  ),
  scenario(
    'without acks a message of interest goes when it is sent',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], retention: 'interest' }),
      consumer('C', 'd', { ack_policy: 'none', deliver_subject: 'out.x' }),
      messages(['c.a', '1'], ['c.a', '2']),
      answers('STREAM.INFO.C', '', { state: { messages: 2 } }),
      pushed.opens(),
      pushed.hears('1', '2'),
      becomes('C', { messages: 0 }),
    ],
  ),
  scenario(
    'a terminated message leaves a work queue',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], retention: 'workqueue' }),
      d(),
      FIVE,
      takes('1', '2'),
      confirms(1, '+TERM'),
      answers('STREAM.INFO.C', '', { state: { messages: 4, num_deleted: 1 } }),
      confirms(0),
      answers('STREAM.INFO.C', '', { state: { messages: 3, first_seq: 3 } }),
    ],
  ),
];

const EVENTS: readonly Scenario[] = [
  scenario(
    'consumers that come and go are told of',
    ['C'],
    [
      C,
      events.on(`${EVENT}.*.C.d`),
      answers('CONSUMER.CREATE.C.d', ofC({ durable_name: 'd', num_replicas: 1 }), { name: 'd' }),
      events.hearsJson({
        type: 'io.nats.jetstream.advisory.v1.consumer_action',
        id: ANYTHING,
        timestamp: SOME_TIME,
        stream: 'C',
        consumer: 'd',
        action: 'create',
      }),
      answers('CONSUMER.CREATE.C.d', ofC({ durable_name: 'd', num_replicas: 1, description: 'x' }), { name: 'd' }),
      answers('CONSUMER.DELETE.C.d', '', { success: true }),
      events.hearsJson({ type: 'io.nats.jetstream.advisory.v1.consumer_action', action: 'delete' }),
    ],
  ),
  scenario(
    'pauses are told of when they begin and when they end',
    ['C'],
    [
      C,
      d(),
      events.on(`${EVENT}.PAUSE.C.d`),
      answers('CONSUMER.PAUSE.C.d', { pause_until: '2200-01-01T00:00:00Z' }, { paused: true }),
      events.hearsJson({
        type: 'io.nats.jetstream.advisory.v1.consumer_pause',
        stream: 'C',
        consumer: 'd',
        paused: true,
        pause_until: '2200-01-01T00:00:00Z',
      }),
      answers('CONSUMER.PAUSE.C.d', '', { paused: false }),
      events.hearsJson({ paused: false }),
    ],
  ),
  scenario(
    'a consumer created in a pause is told of so',
    ['C'],
    [
      C,
      events.on(`${EVENT}.PAUSE.C.d`),
      d({ pause_until: '2200-01-01T00:00:00Z' }),
      events.hearsJson({ paused: true, pause_until: '2200-01-01T00:00:00Z' }),
    ],
  ),
  scenario(
    'a refused message is told of',
    ['C'],
    [
      C,
      FIVE,
      events.on(`${EVENT}.MSG_NAKED.C.d`),
      d(),
      takes('1', '2'),
      confirms(1, '-NAK {"delay":5000000000}'),
      events.hearsJson({
        type: 'io.nats.jetstream.advisory.v1.nak',
        stream: 'C',
        consumer: 'd',
        consumer_seq: 2,
        stream_seq: 2,
        deliveries: 1,
      }),
    ],
  ),
  scenario(
    'a terminated message is told of, with its reason',
    ['C'],
    [
      C,
      FIVE,
      events.on(`${EVENT}.MSG_TERMINATED.C.d`),
      d(),
      takes('1', '2'),
      confirms(0, '+TERM  no good '),
      events.hearsJson({
        type: 'io.nats.jetstream.advisory.v1.terminated',
        stream: 'C',
        consumer: 'd',
        consumer_seq: 1,
        stream_seq: 1,
        deliveries: 1,
        reason: 'no good',
      }),
      confirms(1, '+TERM'),
      events.hearsJson({ stream_seq: 2, reason: ABSENT }),
    ],
  ),
  scenario(
    'a pending message that is deleted counts as terminated',
    ['C'],
    [
      C,
      FIVE,
      events.on(`${EVENT}.MSG_TERMINATED.C.d`),
      d(),
      takes('1', '2', '3'),
      answers('STREAM.MSG.DELETE.C', { seq: 2 }, { success: true }),
      events.hearsJson({ stream_seq: 2, reason: 'Unacknowledged message was deleted' }),
      comesTo('d', { num_ack_pending: 2 }),
    ],
  ),
  scenario(
    'limits of the stream end the wait for the acks of messages that they take',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], max_msgs: 5 }),
      FIVE,
      events.on(`${EVENT}.MSG_TERMINATED.C.d`),
      d(),
      takes('1'),
      messages(['c.a', '6']),
      events.hearsJson({ stream_seq: 1, consumer_seq: 1, deliveries: 1, reason: DELETED }),
      comesTo('d', { num_ack_pending: 0 }),
    ],
  ),
  scenario(
    'a purge ends the wait for acks without a word',
    ['C'],
    [
      C,
      FIVE,
      events.on(`${EVENT}.MSG_TERMINATED.C.d`),
      d(),
      takes('1', '2'),
      answers('STREAM.PURGE.C', '', { success: true }),
      comesTo('d', { num_ack_pending: 0 }),
      events.hearsNothing(),
    ],
  ),
  scenario(
    'where attempts are limited, each delivery says how many messages are behind it',
    ['C'],
    [C, FIVE, d({ max_deliver: 3 }), takes('1', '2', '3', '4'), pendingAre(4, 3, 2, 1)],
  ),
  scenario(
    'sampled acks tell how long they took',
    ['C'],
    [
      C,
      FIVE,
      events.on('$JS.EVENT.METRIC.CONSUMER.ACK.C.d'),
      d({ sample_freq: '100' }),
      takes('1', '2', '3'),
      confirms(1),
      events.hearsJson({
        type: 'io.nats.jetstream.metric.v1.consumer_ack',
        id: ANYTHING,
        timestamp: SOME_TIME,
        stream: 'C',
        consumer: 'd',
        consumer_seq: 2,
        stream_seq: 2,
        ack_time: ANYTHING,
        deliveries: 1,
      }),
      confirms(0, '+TERM'),
      confirms(2, '-NAK'),
      events.hearsNothing(),
    ],
  ),
  scenario(
    'no acks are sampled where none were asked for',
    ['C'],
    [C, FIVE, events.on('$JS.EVENT.METRIC.>'), d({ sample_freq: '0' }), takes('1'), confirms(0), events.hearsNothing()],
  ),
  scenario(
    'calls about consumers are audited, requests for messages and resets are not',
    ['C'],
    [
      C,
      FIVE,
      d(),
      events.on('$JS.EVENT.ADVISORY.API'),
      takes('1'),
      confirms(0),
      answers('CONSUMER.RESET.C.d', '', { reset_seq: 2 }),
      answers('CONSUMER.INFO.C.d', '', { name: 'd' }),
      events.hearsJson({
        type: 'io.nats.jetstream.advisory.v1.api_audit',
        subject: '$JS.API.CONSUMER.INFO.C.d',
        response: ANYTHING,
        client: { acc: '$G', kind: 'Client', client_type: 'nats' },
      }),
    ],
  ),
];

export const CONSUMER_ACK_SCENARIOS: readonly Scenario[] = [...KINDS, ...REDELIVERY, ...RETENTION, ...EVENTS];
