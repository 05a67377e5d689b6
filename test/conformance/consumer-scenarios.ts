/** Owns what is expected of consumers: configuration, calls, delivery and acknowledgement (consumers.md 1 to 3, 5, 6). */
import assert from 'node:assert/strict';
import { waitFor } from '../harness/wait-for.ts';
import { CONSUMER_ACK_SCENARIOS } from './consumer-ack-scenarios.ts';
import { CONSUMER_PULL_SCENARIOS } from './consumer-pull-scenarios.ts';
import { CONSUMER_CALL_SCENARIOS } from './consumer-call-scenarios.ts';
import { CONSUMER_CONFIG_SCENARIOS } from './consumer-config-scenarios.ts';
import { CONSUMER_PUSH_SCENARIOS } from './consumer-push-scenarios.ts';
import { CONSUMER_PRIORITY_SCENARIOS } from './consumer-priority-scenarios.ts';
import { CONSUMER_SOURCING_SCENARIOS } from './consumer-sourcing-scenarios.ts';
import type { Reply } from './raw-client.ts';
import {
  ABSENT,
  answers,
  ANYTHING,
  consumer,
  fails,
  messages,
  onSingleServer,
  scenario,
  SOME_TIME,
  stream,
  ZERO_TIME,
} from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const METADATA = { '_nats.level': '5', '_nats.req.level': '0' };

/** Asks for a consumer on a stream of its own, which must be refused. */
function refused(
  title: string,
  config: object,
  error: readonly [code: number, errCode: number, text: string],
  streamConfig: object = {},
): Scenario {
  return scenario(
    title,
    ['C'],
    [
      stream('C', { subjects: ['c.>'], ...streamConfig }),
      fails('CONSUMER.CREATE.C.x', { stream_name: 'C', config }, ...error),
    ],
  );
}

const bad = (errCode: number, text: string): [number, number, string] => [400, errCode, text];

const PUSH = { deliver_subject: 'deliver.x' };
const EXPLICIT = { ack_policy: 'explicit' };

const CONFIGURATION: readonly Scenario[] = [
  refused(
    'a consumer name has no dots',
    { durable_name: 'a.b' },
    bad(10017, 'consumer name in subject does not match durable name in request'),
  ),
  {
    ...refused('a consumer has no more replicas than a single server', { num_replicas: 3 }, [
      500,
      10074,
      'replicas > 1 not supported in non-clustered mode',
    ]),
    singleServerOnly: true,
  },
  refused(
    'replicas of a consumer are not negative',
    { num_replicas: -1 },
    bad(10133, 'replicas count cannot be negative'),
  ),
  refused(
    'backoff is not negative',
    { ...EXPLICIT, backoff: [-1] },
    bad(10184, 'consumer backoff needs to be positive'),
  ),
  refused(
    'ack wait is not negative',
    { ...EXPLICIT, ack_wait: -1 },
    bad(10183, 'consumer ack wait needs to be positive'),
  ),
  refused(
    'max deliver covers the backoff',
    { ...EXPLICIT, max_deliver: 1, backoff: [1e9, 2e9] },
    bad(10116, 'max deliver is required to be > length of backoff values'),
  ),
  refused(
    'a description has a length',
    { description: 'x'.repeat(4097) },
    bad(10107, 'consumer description is too long, maximum allowed is 4096'),
  ),
  refused(
    'a deliver subject has no wildcards',
    { deliver_subject: 'a.*' },
    bad(10079, 'consumer deliver subject has wildcards'),
  ),
  refused(
    'a deliver subject is valid',
    { deliver_subject: 'a..b' },
    bad(10112, 'invalid push consumer deliver subject'),
  ),
  refused(
    'a deliver subject is not captured again',
    { deliver_subject: 'c.out' },
    bad(10081, 'consumer deliver subject forms a cycle'),
  ),
  refused(
    'push has no waiting requests',
    { ...PUSH, max_waiting: 5 },
    bad(10080, 'consumer in push mode can not set max waiting'),
  ),
  refused(
    'nothing is pending without acks',
    { ...PUSH, max_ack_pending: 5 },
    bad(10082, 'consumer requires ack policy for max ack pending'),
  ),
  refused(
    'heartbeats have a least distance',
    { ...PUSH, idle_heartbeat: 1e6 },
    bad(10083, 'consumer idle heartbeat needs to be >= 100ms'),
  ),
  refused(
    'pull has no rate limit',
    { rate_limit_bps: 1 },
    bad(10086, 'consumer in pull mode can not have rate limit set'),
  ),
  refused(
    'pull has no heartbeats of its own',
    { idle_heartbeat: 1e9 },
    bad(10088, 'consumer idle heartbeat requires a push based consumer'),
  ),
  refused(
    'pull has no flow control',
    { flow_control: true },
    bad(10089, 'consumer flow control requires a push based consumer'),
  ),
  refused(
    'pull requests live a millisecond at least',
    { max_expires: 5 },
    bad(10115, 'consumer max request expires needs to be >= 1ms'),
  ),
  refused(
    'a consumer has one form of filter',
    { filter_subject: 'c.a', filter_subjects: ['c.b'] },
    bad(10136, 'consumer cannot have both FilterSubject and FilterSubjects specified'),
  ),
  refused('a filter is a valid subject', { filter_subject: 'c..a' }, [500, 10052, 'invalid subject']),
  refused(
    'no filter of several is empty',
    { filter_subjects: ['c.a', ''] },
    bad(10139, 'consumer filter in FilterSubjects cannot be empty'),
  ),
  refused(
    'filters do not cover each other',
    { filter_subjects: ['c.*', 'c.a'] },
    bad(10138, 'consumer subject filters cannot overlap'),
  ),
  refused(
    'deliver all has no start',
    { opt_start_seq: 5 },
    bad(10094, 'consumer delivery policy is deliver all, but optional start sequence is also set'),
  ),
  refused(
    'a start sequence is needed',
    { deliver_policy: 'by_start_sequence' },
    bad(10094, 'consumer delivery policy is deliver by start sequence, but optional start sequence is not set'),
  ),
  refused(
    'a start time is needed',
    { deliver_policy: 'by_start_time' },
    bad(10094, 'consumer delivery policy is deliver by start time, but optional start time is not set'),
  ),
  refused(
    'last per subject needs a filter',
    { deliver_policy: 'last_per_subject' },
    bad(10094, 'consumer delivery policy is deliver last per subject, but optional filter subject is not set'),
  ),
  refused(
    'sampling is a number',
    { ...EXPLICIT, sample_freq: 'abc' },
    bad(10095, 'failed to parse consumer sampling configuration: strconv.Atoi: parsing "abc": invalid syntax'),
  ),
  refused(
    'flow control needs heartbeats',
    { ...PUSH, flow_control: true },
    bad(10108, 'consumer with flow control also needs heartbeats'),
  ),
  refused(
    'priority groups need a policy',
    { priority_groups: ['a'] },
    bad(10196, 'consumer can not have priority groups when policy is none'),
  ),
  refused(
    'priority groups are for pull',
    { ...PUSH, priority_policy: 'overflow', priority_groups: ['a'] },
    bad(10178, 'priority groups can not be used with push consumers'),
  ),
  refused(
    'a priority policy needs groups',
    { priority_policy: 'overflow' },
    bad(10159, 'Setting PriorityPolicy requires at least one PriorityGroup to be set'),
  ),
  refused(
    'limits of the stream bound pending acks',
    { ...EXPLICIT, max_ack_pending: 9 },
    bad(10121, 'consumer max ack pending exceeds system limit of 5'),
    { consumer_limits: { max_ack_pending: 5 } },
  ),
  refused(
    'limits of the stream bound inactivity',
    { inactive_threshold: 20e9 },
    bad(10153, 'consumer inactive threshold exceeds system limit of 10s'),
    { consumer_limits: { inactive_threshold: 10e9 } },
  ),
  refused(
    'a workqueue needs explicit acks of pull',
    {},
    bad(10084, 'consumer in pull mode requires explicit ack policy on workqueue stream'),
    { retention: 'workqueue' },
  ),
  refused(
    'a workqueue needs explicit acks',
    { ack_policy: 'all' },
    bad(10098, 'workqueue stream requires explicit ack'),
    { retention: 'workqueue' },
  ),
  refused(
    'a workqueue is delivered from its start',
    { ...EXPLICIT, deliver_policy: 'new' },
    bad(10101, 'consumer must be deliver all on workqueue stream'),
    { retention: 'workqueue' },
  ),
  refused(
    'an unknown ack policy is shown',
    { ack_policy: 'zz' },
    bad(10025, String.raw`invalid JSON: can not unmarshal "\"zz\""`),
  ),
  refused('an unknown member is refused', { bogus: 1 }, bad(10025, 'invalid JSON: json: unknown field "bogus"')),
  refused(
    'a wrong type is named with its path',
    { max_deliver: 'x' },
    bad(
      10025,
      'invalid JSON: json: cannot unmarshal string into Go struct field CreateConsumerRequest.config.max_deliver of type int',
    ),
  ),
  scenario(
    'a workqueue has one consumer for each subject',
    ['W'],
    [
      stream('W', { subjects: ['w.>'], retention: 'workqueue' }),
      consumer('W', 'one', { ...EXPLICIT, filter_subject: 'w.a.*' }),
      fails(
        'CONSUMER.CREATE.W.two',
        { stream_name: 'W', config: EXPLICIT },
        400,
        10099,
        'multiple non-filtered consumers not allowed on workqueue stream',
      ),
      fails(
        'CONSUMER.CREATE.W.two',
        { stream_name: 'W', config: { ...EXPLICIT, filter_subject: 'w.*.b' } },
        400,
        10100,
        'filtered consumer not unique on workqueue stream',
      ),
      consumer('W', 'two', { ...EXPLICIT, filter_subject: 'w.b.*' }),
    ],
  ),
  scenario(
    'a stream has so many consumers',
    ['C'],
    [
      stream('C', { max_consumers: 1 }),
      consumer('C', 'one'),
      fails('CONSUMER.CREATE.C.two', { stream_name: 'C', config: {} }, 400, 10026, 'maximum consumers limit reached'),
    ],
  ),
];

const CALLS: readonly Scenario[] = [
  onSingleServer(
    'a consumer of a single server has no leader of its own',
    ['C'],
    [
      stream('C'),
      consumer('C', 'd'),
      answers('CONSUMER.INFO.C.d', '', { cluster: ABSENT }),
      fails('CONSUMER.LEADER.STEPDOWN.C.d', '', 503, 10010, 'JetStream clustering support required'),
    ],
  ),
  scenario(
    'a durable pull consumer with explicit acks gets its defaults',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      messages(['c.a', '1'], ['c.b', '2']),
      answers(
        'CONSUMER.DURABLE.CREATE.C.d',
        { stream_name: 'C', config: { durable_name: 'd', ...EXPLICIT } },
        {
          type: 'io.nats.jetstream.api.v1.consumer_create_response',
          stream_name: 'C',
          name: 'd',
          created: SOME_TIME,
          config: {
            durable_name: 'd',
            name: 'd',
            deliver_policy: 'all',
            ack_policy: 'explicit',
            ack_wait: 30e9,
            max_deliver: -1,
            replay_policy: 'instant',
            max_waiting: 512,
            max_ack_pending: 1000,
            num_replicas: 0,
            inactive_threshold: ABSENT,
            metadata: METADATA,
          },
          delivered: { consumer_seq: 0, stream_seq: 0, last_active: ABSENT },
          ack_floor: { consumer_seq: 0, stream_seq: 0 },
          num_ack_pending: 0,
          num_redelivered: 0,
          num_waiting: 0,
          num_pending: 2,
          push_bound: ABSENT,
          ts: SOME_TIME,
        },
      ),
      answers('CONSUMER.INFO.C.d', '', {
        type: 'io.nats.jetstream.api.v1.consumer_info_response',
        name: 'd',
        num_pending: 2,
      }),
    ],
  ),
  scenario(
    'an ephemeral consumer gets a name and a time to live',
    ['C'],
    [
      stream('C'),
      answers(
        'CONSUMER.CREATE.C',
        { stream_name: 'C', config: {} },
        {
          config: {
            durable_name: ABSENT,
            name: ABSENT,
            ack_policy: 'none',
            ack_wait: ABSENT,
            inactive_threshold: 5e9,
            max_waiting: 512,
          },
        },
      ),
      answers(
        'CONSUMER.CREATE.C',
        { stream_name: 'C', config: { name: 'mine' } },
        { name: 'mine', config: { name: 'mine' } },
      ),
    ],
  ),
  scenario(
    'a push consumer gets its defaults',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      answers(
        'CONSUMER.CREATE.C.p',
        { stream_name: 'C', config: { ...PUSH } },
        {
          config: {
            deliver_subject: 'deliver.x',
            max_waiting: ABSENT,
            max_ack_pending: ABSENT,
            inactive_threshold: 5e9,
          },
        },
      ),
    ],
  ),
  scenario(
    'backoff stands in for ack wait',
    ['C'],
    [
      stream('C'),
      answers(
        'CONSUMER.CREATE.C.b',
        { stream_name: 'C', config: { ...EXPLICIT, ack_wait: 9e9, backoff: [1e9, 2e9] } },
        {
          config: { ack_wait: 1e9, backoff: [1e9, 2e9] },
        },
      ),
    ],
  ),
  scenario(
    'subject and body of a create must agree',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      fails('CONSUMER.CREATE.C', '', 400, 10056, 'stream name in subject does not match request'),
      fails('CONSUMER.CREATE.C', { stream_name: 'X' }, 400, 10056, 'stream name in subject does not match request'),
      fails(
        'CONSUMER.CREATE.C',
        { stream_name: 'C', config: { durable_name: 'd' } },
        400,
        10020,
        'consumer expected to be ephemeral but a durable name was set in request',
      ),
      fails(
        'CONSUMER.DURABLE.CREATE.C.d',
        { stream_name: 'C', config: {} },
        400,
        10018,
        'consumer expected to be durable but a durable name was not set',
      ),
      fails(
        'CONSUMER.DURABLE.CREATE.C.d',
        { stream_name: 'C', config: { durable_name: 'e' } },
        400,
        10017,
        'consumer name in subject does not match durable name in request',
      ),
      fails(
        String.raw`CONSUMER.CREATE.C.a\b`,
        { stream_name: 'C' },
        400,
        10127,
        'Consumer name can not contain path separators',
      ),
      fails(
        'CONSUMER.CREATE.C.d.c.a',
        { stream_name: 'C', config: { filter_subject: 'c.b' } },
        400,
        10131,
        'Consumer create request did not match filtered subject from create subject',
      ),
      fails(
        'CONSUMER.CREATE.C.d.c.a',
        { stream_name: 'C', config: { filter_subjects: ['c.a'] } },
        400,
        10137,
        'consumer with multiple subject filters cannot use subject based API',
      ),
      answers(
        'CONSUMER.CREATE.C.d.c.a',
        { stream_name: 'C', config: { filter_subject: 'c.a' } },
        { config: { filter_subject: 'c.a', filter_subjects: ABSENT } },
      ),
    ],
  ),
  scenario(
    'create and update say what they expect',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      fails(
        'CONSUMER.CREATE.C.d',
        { stream_name: 'C', config: { durable_name: 'd' }, action: 'update' },
        400,
        10149,
        'consumer does not exist',
      ),
      answers(
        'CONSUMER.CREATE.C.d',
        { stream_name: 'C', config: { durable_name: 'd' }, action: 'create' },
        { name: 'd' },
      ),
      answers(
        'CONSUMER.CREATE.C.d',
        { stream_name: 'C', config: { durable_name: 'd' }, action: 'create' },
        { name: 'd' },
      ),
      fails(
        'CONSUMER.CREATE.C.d',
        { stream_name: 'C', config: { durable_name: 'd', description: 'x' }, action: 'create' },
        400,
        10148,
        'consumer already exists',
      ),
      answers(
        'CONSUMER.CREATE.C.d',
        { stream_name: 'C', config: { durable_name: 'd', description: 'x' }, action: 'update' },
        { config: { description: 'x' } },
      ),
      fails(
        'CONSUMER.CREATE.C.d',
        { stream_name: 'C', config: { durable_name: 'd' }, action: 'zz' },
        400,
        10025,
        'invalid JSON: unknown consumer action: "zz"',
      ),
    ],
  ),
  scenario(
    'some things of a consumer never change',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      consumer('C', 'd', EXPLICIT),
      ...(
        [
          [{ ...EXPLICIT, deliver_policy: 'new' }, 'deliver policy can not be updated'],
          [{ ...EXPLICIT, mem_storage: true }, 'storage type can not be updated'],
          [{ ack_policy: 'all' }, 'ack policy can not be updated'],
          [{ ...EXPLICIT, replay_policy: 'original' }, 'replay policy can not be updated'],
          [{ ...EXPLICIT, ...PUSH }, 'can not update pull consumer to push based'],
          [{ ...EXPLICIT, max_waiting: 5 }, 'max waiting can not be updated'],
        ] as const
      ).map(([config, text]) =>
        fails('CONSUMER.CREATE.C.d', { stream_name: 'C', config: { durable_name: 'd', ...config } }, 500, 10012, text),
      ),
    ],
  ),
  scenario(
    'pedantic clients hear of what would be changed',
    ['C'],
    [
      stream('C'),
      fails(
        'CONSUMER.CREATE.C.d',
        { stream_name: 'C', config: { max_deliver: -5 }, pedantic: true },
        400,
        10157,
        'pedantic mode: max_deliver must be set to -1',
      ),
      answers(
        'CONSUMER.CREATE.C.d',
        { stream_name: 'C', config: { max_deliver: -5 } },
        { config: { max_deliver: -1 } },
      ),
    ],
  ),
  scenario(
    'names and lists of consumers are sorted and paged',
    ['C'],
    [
      stream('C'),
      answers('CONSUMER.NAMES.C', '', {
        type: 'io.nats.jetstream.api.v1.consumer_names_response',
        total: 0,
        offset: 0,
        limit: 1024,
        consumers: [],
      }),
      consumer('C', 'b'),
      consumer('C', 'a'),
      answers('CONSUMER.NAMES.C', '', { total: 2, consumers: ['a', 'b'] }),
      answers('CONSUMER.NAMES.C', { offset: 1 }, { total: 2, offset: 1, consumers: ['b'] }),
      answers('CONSUMER.NAMES.C', { offset: 9 }, { total: 2, offset: 2, consumers: [] }),
      answers(
        'CONSUMER.LIST.C',
        { offset: 1 },
        { total: 2, offset: 1, limit: 256, consumers: [{ name: 'b', config: { metadata: { '_nats.ver': ABSENT } } }] },
      ),
      answers('STREAM.INFO.C', '', { state: { consumer_count: 2 } }),
    ],
  ),
  scenario(
    'consumers are deleted once',
    ['C'],
    [
      stream('C'),
      consumer('C', 'd'),
      fails('CONSUMER.DELETE.C.d', 'x', 400, 10038, 'expected an empty request payload'),
      answers('CONSUMER.DELETE.C.d', '', { type: 'io.nats.jetstream.api.v1.consumer_delete_response', success: true }),
      fails('CONSUMER.DELETE.C.d', '', 404, 10014, 'consumer not found'),
      fails('CONSUMER.INFO.C.d', '{}', 404, 10014, 'consumer not found'),
      fails('CONSUMER.INFO.C.d', '{"x":1}', 400, 10038, 'expected an empty request payload'),
    ],
  ),
  scenario(
    'calls about priority groups and pauses of consumers without them',
    ['C'],
    [
      stream('C'),
      consumer('C', 'd'),
      fails('CONSUMER.UNPIN.C.d', '', 400, 10025, 'invalid JSON: unexpected end of JSON input'),
      fails('CONSUMER.UNPIN.C.d', {}, 400, 10025, 'invalid JSON: consumer group not specified'),
      fails(
        'CONSUMER.UNPIN.C.d',
        { group: 'g' },
        400,
        10160,
        'Provided priority group does not exist for this consumer',
      ),
      fails('CONSUMER.PAUSE.C.x', '', 404, 10014, 'consumer not found'),
      answers('CONSUMER.PAUSE.C.d', '', { paused: false, pause_until: '0001-01-01T00:00:00Z' }),
    ],
  ),
];

/** A request waits for a message that never comes, until `call` ends it with this status. */
function waitsUntil(name: string, call: string, status: string): Step {
  return async (client) => {
    const body = JSON.stringify({ batch: 1, expires: 20e9 });
    const waiting = client.request(`$JS.API.CONSUMER.MSG.NEXT.C.${name}`, body);
    await waitFor(`a request that waits for ${name}`, async () => {
      const [info] = await client.request(`$JS.API.CONSUMER.INFO.C.${name}`);
      return (JSON.parse(info!.payload) as { readonly num_waiting: number }).num_waiting === 1;
    });
    await client.request(`$JS.API.${call}`);
    const [reply] = await waiting;
    assert.equal(reply?.headers.split('\r\n')[0], `NATS/1.0 ${status}`, call);
  };
}

function ackGetsNoResponders(name: string): Step {
  return async (client) => {
    const [message] = await client.request(`$JS.API.CONSUMER.MSG.NEXT.C.${name}`, '{"batch":1}');
    const [answer] = await client.request(message!.replyTo, '+ACK');
    assert.match(answer?.headers ?? '', /^NATS\/1\.0 503/);
  };
}

/** Asks a consumer for messages; each must have this status (a stored message has none) or payload. */
function pulls(name: string, request: object, expected: readonly string[], acks: readonly string[] = []): Step {
  return async (client) => {
    const isComplete = (replies: readonly Reply[]): boolean => replies.length >= expected.length;
    const replies = await client.request(`$JS.API.CONSUMER.MSG.NEXT.C.${name}`, JSON.stringify(request), {
      isComplete,
    });
    const shown = replies.map(({ headers, payload }) => /^NATS\/1\.0 (\d.*)/.exec(headers)?.[1] ?? payload);
    assert.deepEqual(shown, expected, `pull ${JSON.stringify(request)}`);
    for (const [index, ack] of acks.entries()) {
      if (ack === '') continue;
      const answer = await client.request(replies[index]!.replyTo, ack);
      assert.equal(answer.length, 1, `${ack} of message ${index} must be answered`);
    }
  };
}

const THREE = messages(['c.a', '1'], ['c.b', '2'], ['c.a', '3']);

const DELIVERY: readonly Scenario[] = [
  scenario(
    'pulled messages come in order, and end with a status',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      THREE,
      consumer('C', 'd', EXPLICIT),
      pulls('d', { batch: 2 }, ['1', '2']),
      pulls('d', { batch: 5, no_wait: true }, ['3', '404 No Messages']),
      answers('CONSUMER.INFO.C.d', '', {
        num_ack_pending: 3,
        num_pending: 0,
        delivered: { consumer_seq: 3, stream_seq: 3 },
      }),
    ],
  ),
  scenario(
    'acks move the floor',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      THREE,
      consumer('C', 'd', EXPLICIT),
      pulls('d', { batch: 3 }, ['1', '2', '3'], ['+ACK', '', '+ACK']),
      answers('CONSUMER.INFO.C.d', '', { num_ack_pending: 1, ack_floor: { consumer_seq: 1, stream_seq: 1 } }),
    ],
  ),
  scenario(
    'a refused message comes again, a terminated one does not',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      THREE,
      consumer('C', 'd', EXPLICIT),
      pulls('d', { batch: 2 }, ['1', '2'], ['-NAK', '+TERM']),
      pulls('d', { batch: 3, no_wait: true }, ['1', '3', '404 No Messages']),
      answers('CONSUMER.INFO.C.d', '', { num_redelivered: 1, num_ack_pending: 2 }),
    ],
  ),
  scenario(
    'a filter selects what is delivered',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      THREE,
      consumer('C', 'd', { ...EXPLICIT, filter_subject: 'c.a' }),
      answers('CONSUMER.INFO.C.d', '', { num_pending: 2 }),
      pulls('d', { batch: 5, no_wait: true }, ['1', '3', '404 No Messages']),
    ],
  ),
  scenario(
    'delivery starts where the policy says',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      THREE,
      consumer('C', 'last', { deliver_policy: 'last' }),
      consumer('C', 'seq', { deliver_policy: 'by_start_sequence', opt_start_seq: 2 }),
      consumer('C', 'each', { deliver_policy: 'last_per_subject', filter_subject: 'c.*' }),
      consumer('C', 'new', { deliver_policy: 'new' }),
      pulls('last', { batch: 5, no_wait: true }, ['3', '404 No Messages']),
      pulls('seq', { batch: 5, no_wait: true }, ['2', '3', '404 No Messages']),
      pulls('each', { batch: 5, no_wait: true }, ['2', '3', '404 No Messages']),
      pulls('new', { batch: 5, no_wait: true }, ['404 No Messages']),
    ],
  ),
  scenario(
    'requests that a consumer can not take get a status',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      consumer('C', 'd', { ...EXPLICIT, max_batch: 5 }),
      pulls('d', { batch: 6 }, ['409 Exceeded MaxRequestBatch of 5']),
      pulls('d', { batch: 1, no_wait: true }, ['404 No Messages']),
      pulls('d', { batch: 1, expires: 100e6 }, ['408 Request Timeout']),
    ],
  ),
  scenario(
    'at the limit of pending acks delivery waits',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      THREE,
      consumer('C', 'd', { ...EXPLICIT, max_ack_pending: 1 }),
      pulls('d', { batch: 1 }, ['1'], ['+ACK']),
      pulls('d', { batch: 1 }, ['2']),
      pulls('d', { batch: 1, expires: 100e6 }, ['408 Request Timeout']),
    ],
  ),
  scenario(
    'a workqueue forgets what was acknowledged',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], retention: 'workqueue' }),
      THREE,
      consumer('C', 'd', EXPLICIT),
      pulls('d', { batch: 1 }, ['1'], ['+ACK']),
      answers('STREAM.INFO.C', '', { state: { messages: 2, first_seq: 2 } }),
    ],
  ),
  scenario(
    'a paused consumer delivers nothing until it is resumed',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      THREE,
      consumer('C', 'd', EXPLICIT),
      answers(
        'CONSUMER.PAUSE.C.d',
        { pause_until: '2200-01-01T00:00:00Z' },
        { paused: true, pause_until: '2200-01-01T00:00:00Z', pause_remaining: ANYTHING },
      ),
      answers('CONSUMER.INFO.C.d', '', {
        paused: true,
        pause_remaining: ANYTHING,
        config: { pause_until: '2200-01-01T00:00:00Z', metadata: { '_nats.req.level': '1' } },
      }),
      pulls('d', { batch: 1, no_wait: true }, ['404 No Messages']),
      pulls('d', { batch: 1, expires: 100e6 }, ['408 Request Timeout']),
      consumer('C', 'd', { ...EXPLICIT, max_deliver: 5 }),
      answers('CONSUMER.INFO.C.d', '', { paused: true, config: { max_deliver: 5 } }),
      answers('CONSUMER.PAUSE.C.d', '', { paused: false, pause_until: ZERO_TIME, pause_remaining: ABSENT }),
      answers('CONSUMER.INFO.C.d', '', { paused: ABSENT, config: { pause_until: ABSENT, metadata: METADATA } }),
      pulls('d', { batch: 1 }, ['1']),
    ],
  ),
  scenario(
    'a pause in the past is kept, and pauses nothing',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      THREE,
      consumer('C', 'd', { ...EXPLICIT, pause_until: '2001-01-01T00:00:00Z' }),
      answers(
        'CONSUMER.PAUSE.C.d',
        { pause_until: '2002-01-01T00:00:00Z' },
        { paused: false, pause_until: '2002-01-01T00:00:00Z', pause_remaining: ABSENT },
      ),
      answers('CONSUMER.INFO.C.d', '', { paused: ABSENT, config: { pause_until: '2002-01-01T00:00:00Z' } }),
      fails(
        'CONSUMER.PAUSE.C.d',
        { pause_until: 5 },
        400,
        10025,
        'invalid JSON: json: cannot unmarshal number into Go struct field JSApiConsumerPauseRequest.pause_until of type time.Time',
      ),
      pulls('d', { batch: 1 }, ['1']),
    ],
  ),
  scenario(
    'nobody listens to acks of a consumer without acks',
    ['C'],
    [
      stream('C', { subjects: ['c.>'] }),
      THREE,
      consumer('C', 'none', { ack_policy: 'none' }),
      ackGetsNoResponders('none'),
    ],
  ),
  scenario(
    'requests that wait end with their consumer',
    ['C'],
    [
      stream('C'),
      consumer('C', 'd', EXPLICIT),
      waitsUntil('d', 'CONSUMER.DELETE.C.d', '409 Consumer Deleted'),
      consumer('C', 'd', EXPLICIT),
      waitsUntil('d', 'STREAM.DELETE.C', '409 Consumer Deleted'),
    ],
  ),
  scenario(
    'an interest stream without consumers keeps nothing',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], retention: 'interest' }),
      THREE,
      answers('STREAM.INFO.C', '', { state: { messages: 0, last_seq: 3 } }),
    ],
  ),
];

export const CONSUMER_SCENARIOS: readonly Scenario[] = [
  ...CONFIGURATION,
  ...CALLS,
  ...DELIVERY,
  ...CONSUMER_SOURCING_SCENARIOS,
  ...CONSUMER_PRIORITY_SCENARIOS,
  ...CONSUMER_CONFIG_SCENARIOS,
  ...CONSUMER_CALL_SCENARIOS,
  ...CONSUMER_PUSH_SCENARIOS,
  ...CONSUMER_PULL_SCENARIOS,
  ...CONSUMER_ACK_SCENARIOS,
];
