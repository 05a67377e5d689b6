/** Owns what is expected of pull requests: what they may say, who is served, how they end (consumers.md 5). */
import assert from 'node:assert/strict';
import { comesTo, Ear, EXPLICIT, pullsInto, shown } from './consumer-steps.ts';
import { waitFor } from '../harness/wait-for.ts';
import { answers, consumer, messages, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const C = stream('C', { subjects: ['c.>'] });
const D = consumer('C', 'd', EXPLICIT);
const THREE = messages(['c.a', '1'], ['c.b', '2'], ['c.a', '3']);
const SECOND = 1e9;
const a = new Ear('in.a');
const b = new Ear('in.b');
const c = new Ear('in.c');

/** A request of consumer d that is answered with these, each on its own. */
const gets =
  (body: object | string, ...expected: readonly string[]): Step =>
  async (client) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const replies = await client.request('$JS.API.CONSUMER.MSG.NEXT.C.d', text, {
      isComplete: (received) => received.length >= expected.length,
    });
    assert.deepEqual(replies.map(shown), expected, text);
  };

const pending = (messages_: number, bytes = 0): string =>
  `Nats-Pending-Messages=${messages_} Nats-Pending-Bytes=${bytes}`;

const seqOf = (ear: Ear, at = -1): number => Number(ear.reply(at).split('.')[5]);

const BODIES: readonly Scenario[] = [
  scenario(
    'a request may be empty, a number, or anything',
    ['C'],
    [
      C,
      messages(['c.a', '1'], ['c.a', '2'], ['c.a', '3'], ['c.a', '4']),
      D,
      gets('', '1'),
      gets('2', '2', '3'),
      gets('hello', '4'),
    ],
  ),
  scenario(
    'a batch is at least one message',
    ['C'],
    [C, THREE, D, gets({ batch: 0 }, '1'), gets({ batch: -3, no_wait: true }, '2'), gets({ no_wait: true }, '3')],
  ),
  scenario(
    'members of a request may be null, unknown, and in any case',
    ['C'],
    [
      C,
      THREE,
      D,
      gets('{"batch":null,"bogus":5,"no_wait":true}', '1'),
      gets('{"Batch":1,"NO_WAIT":true}', '2'),
      gets(' 1 ', '3'),
    ],
  ),
  scenario(
    'members of the wrong type are named',
    ['C'],
    [
      C,
      D,
      ...(
        [
          ['{"batch":"x"}', 'json: cannot unmarshal string into Go struct field .batch of type int'],
          ['{"batch":1.5}', 'json: cannot unmarshal number 1.5 into Go struct field .batch of type int'],
          ['{"expires":"1s"}', 'json: cannot unmarshal string into Go struct field .expires of type time.Duration'],
          ['{"no_wait":1}', 'json: cannot unmarshal number into Go struct field .no_wait of type bool'],
          ['{"max_bytes":true}', 'json: cannot unmarshal bool into Go struct field .max_bytes of type int'],
          [
            '{"idle_heartbeat":[]}',
            'json: cannot unmarshal array into Go struct field .idle_heartbeat of type time.Duration',
          ],
          ['{"group":5}', 'json: cannot unmarshal number into Go struct field .group of type string'],
          [
            '{"min_ack_pending":{}}',
            'json: cannot unmarshal object into Go struct field .min_ack_pending of type int64',
          ],
        ] as const
      ).map(([body, text]) => gets(body, `400 Bad Request - ${text}`)),
    ],
  ),
  scenario(
    'what is no JSON object after all is told so',
    ['C'],
    [
      C,
      D,
      gets('{"batch":1', '400 Bad Request - unexpected end of JSON input'),
      gets('{', '400 Bad Request - unexpected end of JSON input'),
      gets('{"batch":}', `400 Bad Request - invalid character '}' looking for beginning of value`),
      gets('{x', `400 Bad Request - invalid character 'x' looking for beginning of object key string`),
    ],
  ),
  scenario(
    'heartbeats come twice before the end at least',
    ['C'],
    [
      C,
      D,
      gets({ expires: 100e6, idle_heartbeat: 60e6 }, '400 Bad Request - heartbeat value too large'),
      gets({ no_wait: true, idle_heartbeat: 60e6 }, '400 Bad Request - heartbeat value too large'),
    ],
  ),
  scenario(
    'a level of the API that nobody has is not served',
    ['C'],
    [
      C,
      D,
      async (client) => {
        const [reply] = await client.request('$JS.API.CONSUMER.MSG.NEXT.C.d', '1', {
          headers: 'Nats-Required-Api-Level: 9',
        });
        assert.equal(shown(reply!), '412 Required Api Level');
      },
    ],
  ),
  scenario(
    'nobody answers for a consumer that is not there',
    ['C'],
    [
      C,
      async (client) => {
        const [reply] = await client.request('$JS.API.CONSUMER.MSG.NEXT.C.x', '1');
        assert.equal(shown(reply!), '503 Nats-Subject=$JS.API.CONSUMER.MSG.NEXT.C.x');
      },
    ],
  ),
];

const LIMITS: readonly Scenario[] = [
  scenario(
    'a consumer limits what is asked of it',
    ['C'],
    [
      C,
      consumer('C', 'd', { ...EXPLICIT, max_batch: 3, max_expires: SECOND, max_bytes: 100 }),
      gets({ batch: 4 }, '409 Exceeded MaxRequestBatch of 3'),
      gets({ batch: 1, expires: 2 * SECOND }, '409 Exceeded MaxRequestExpires of 1s'),
      gets({ batch: 1, max_bytes: 101 }, '409 Exceeded MaxRequestMaxBytes of 100'),
    ],
  ),
  scenario(
    'only so many requests wait',
    ['C'],
    [
      C,
      consumer('C', 'd', { ...EXPLICIT, max_waiting: 1 }),
      a.opens(),
      pullsInto(a, 'd', { expires: 20 * SECOND }),
      comesTo('d', { num_waiting: 1 }),
      gets({ expires: SECOND }, '409 Exceeded MaxWaiting'),
      b.opens(),
      pullsInto(b, 'd', { expires: SECOND, idle_heartbeat: 100e6 }),
      b.hearsNothing(),
    ],
  ),
  scenario(
    'a request without patience hears of those before it',
    ['C'],
    [
      C,
      consumer('C', 'd', { ...EXPLICIT, max_ack_pending: 1 }),
      THREE,
      a.opens(),
      pullsInto(a, 'd', { batch: 10, expires: 20 * SECOND }),
      a.hears('1'),
      gets({ batch: 1, no_wait: true }, '408 Requests Pending'),
    ],
  ),
  scenario(
    'a request without patience may wait for its time all the same',
    ['C'],
    [C, D, gets({ batch: 2, no_wait: true, expires: 200e6 }, `408 Request Timeout ${pending(2)}`)],
  ),
  scenario(
    'a request without patience ends where the stream does',
    ['C'],
    [C, THREE, D, gets({ batch: 5, no_wait: true, expires: 20 * SECOND }, '1', '2', '3', '404 No Messages')],
  ),
  scenario(
    'what can not be delivered yet is waited for',
    ['C'],
    [
      C,
      consumer('C', 'd', { ...EXPLICIT, max_ack_pending: 1 }),
      THREE,
      gets({ batch: 1 }, '1'),
      gets({ batch: 1, no_wait: true, expires: 200e6 }, `408 Request Timeout ${pending(1)}`),
    ],
  ),
];

const SERVING: readonly Scenario[] = [
  scenario(
    'requests take turns',
    ['C'],
    [
      C,
      D,
      a.opens(),
      b.opens(),
      c.opens(),
      pullsInto(a, 'd', '3'),
      pullsInto(b, 'd', '2'),
      pullsInto(c, 'd', '1'),
      comesTo('d', { num_waiting: 3 }),
      messages(...Array.from({ length: 6 }, () => ['c.a', 'm'] as const)),
      a.hears('m', 'm', 'm'),
      b.hears('m', 'm'),
      c.hears('m'),
      () => {
        assert.deepEqual(
          [-3, -2, -1].map((at) => seqOf(a, at)),
          [1, 4, 6],
        );
        assert.deepEqual(
          [-2, -1].map((at) => seqOf(b, at)),
          [2, 5],
        );
        assert.equal(seqOf(c), 3);
        return Promise.resolve();
      },
      answers('CONSUMER.INFO.C.d', '', { num_waiting: 0 }),
    ],
  ),
  scenario(
    'a request that expires tells what it lacks',
    ['C'],
    [C, THREE, D, gets({ batch: 5, expires: 200e6 }, '1', '2', '3', `408 Request Timeout ${pending(2)}`)],
  ),
  scenario(
    'a budget of bytes ends before a message that is too large',
    ['C'],
    [
      C,
      messages(['c.a', 'x'.repeat(10)], ['c.a', 'y'.repeat(500)]),
      D,
      async (client) => {
        const replies = await client.request(
          '$JS.API.CONSUMER.MSG.NEXT.C.d',
          JSON.stringify({ batch: 5, max_bytes: 200, expires: 20 * SECOND }),
          { isComplete: (received) => received.length === 2 },
        );
        // Subject, reply and payload count.
        const left = 200 - 'c.a'.length - replies[0]!.replyTo.length - 10;
        assert.equal(shown(replies[1]!), `409 Message Size Exceeds MaxBytes ${pending(4, left)}`);
      },
      answers('CONSUMER.INFO.C.d', '', { num_pending: 1, num_ack_pending: 1 }),
    ],
  ),
  scenario(
    'a filled batch tells of the bytes that it did not need',
    ['C'],
    [
      C,
      messages(['c.a', 'x'.repeat(10)]),
      D,
      async (client) => {
        const replies = await client.request('$JS.API.CONSUMER.MSG.NEXT.C.d', '{"batch":1,"max_bytes":1000}', {
          isComplete: (received) => received.length === 2,
        });
        const left = 1000 - 'c.a'.length - replies[0]!.replyTo.length - 10;
        assert.equal(shown(replies[1]!), `409 Batch Completed ${pending(0, left)}`);
      },
    ],
  ),
  scenario(
    'a budget without a batch is for one message',
    ['C'],
    [
      C,
      THREE,
      D,
      a.opens(),
      pullsInto(a, 'd', { max_bytes: 10_000, expires: 20 * SECOND }),
      a.hears('1', /^409 Batch Completed Nats-Pending-Messages=(-1|0) Nats-Pending-Bytes=99\d\d$/),
      a.hearsNothing(),
    ],
  ),
  scenario(
    'a request that waits gets heartbeats',
    ['C'],
    [
      C,
      THREE,
      D,
      a.opens(),
      pullsInto(a, 'd', { batch: 5, expires: 1500e6, idle_heartbeat: 300e6 }),
      a.hears('1', '2', '3'),
      a.hearsMany('100 Idle Heartbeat Nats-Last-Consumer=3 Nats-Last-Stream=3', `408 Request Timeout ${pending(2)}`),
    ],
  ),
  scenario(
    'a request whose inbox nobody reads gives way to the next',
    ['C'],
    [
      C,
      D,
      a.opens(),
      b.opens(),
      pullsInto(a, 'd', { expires: 20 * SECOND }),
      pullsInto(b, 'd', { expires: 20 * SECOND }),
      comesTo('d', { num_waiting: 2 }),
      a.closes(),
      comesTo('d', { num_waiting: 1 }),
      messages(['c.a', '1']),
      b.hears('1'),
    ],
  ),
  scenario(
    'what came to an inbox that was closed comes again at once',
    ['C'],
    [
      C,
      messages(['c.a', '1'], ['c.a', '2'], ['c.a', '3'], ['c.a', '4'], ['c.a', '5']),
      D,
      async (client) => {
        const inbox = client.subscribe('in.two');
        inbox.endAfter(2);
        client.publish('$JS.API.CONSUMER.MSG.NEXT.C.d', '{"batch":5,"expires":20000000000}', { reply: 'in.two' });
        await waitFor('both messages', () => inbox.received.length === 2);
        inbox.close();
      },
      gets({ batch: 3 }, '3', '4', '5'),
    ],
  ),
  scenario(
    'wildcard inboxes are inboxes',
    ['C'],
    [
      C,
      THREE,
      D,
      a.on('in.many.*'),
      async (client) => {
        client.publish('$JS.API.CONSUMER.MSG.NEXT.C.d', '2', { reply: 'in.many.x' });
        await a.hears('1', '2')(client);
      },
    ],
  ),
  scenario(
    'a request of nobody is ignored',
    ['C'],
    [
      C,
      THREE,
      D,
      async (client) => {
        client.publish('$JS.API.CONSUMER.MSG.NEXT.C.d', '1');
        await client.flush();
      },
      answers('CONSUMER.INFO.C.d', '', { num_waiting: 0, delivered: { consumer_seq: 0 } }),
    ],
  ),
  scenario(
    'headers alone count for a budget of bytes',
    ['C'],
    [
      C,
      messages(['c.a', 'x'.repeat(1000)]),
      consumer('C', 'd', { ...EXPLICIT, headers_only: true }),
      a.opens(),
      pullsInto(a, 'd', { batch: 1, max_bytes: 300, expires: SECOND }),
      a.hears('', /^409 Batch Completed/),
    ],
  ),
  scenario(
    'a pull consumer may replay as well',
    ['C'],
    [
      C,
      messages(['c.a', '1']),
      () => new Promise((resolve) => setTimeout(resolve, 250)),
      messages(['c.a', '2']),
      consumer('C', 'd', { ...EXPLICIT, replay_policy: 'original' }),
      async (client) => {
        const start = performance.now();
        await gets({ batch: 2, expires: 20 * SECOND }, '1', '2')(client);
        assert.ok(performance.now() - start > 150, 'the pause must be kept');
      },
    ],
  ),
  scenario(
    'a deleted consumer ends each request that waits',
    ['C'],
    [
      C,
      D,
      a.opens(),
      b.opens(),
      pullsInto(a, 'd', { expires: 20 * SECOND }),
      pullsInto(b, 'd', ''),
      comesTo('d', { num_waiting: 2 }),
      answers('CONSUMER.DELETE.C.d', '', { success: true }),
      a.hears('409 Consumer Deleted'),
      b.hears('409 Consumer Deleted'),
    ],
  ),
  scenario(
    'a purge takes what was to be delivered',
    ['C'],
    [
      C,
      THREE,
      D,
      gets('1', '1'),
      answers('STREAM.PURGE.C', '', { success: true }),
      comesTo('d', { num_pending: 0, num_ack_pending: 0, ack_floor: { stream_seq: 3 } }),
      messages(['c.a', '4']),
      gets({ batch: 2, no_wait: true }, '4', '404 No Messages'),
    ],
  ),
];

export const CONSUMER_PULL_SCENARIOS: readonly Scenario[] = [...BODIES, ...LIMITS, ...SERVING];
