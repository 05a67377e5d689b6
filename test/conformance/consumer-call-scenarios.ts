/** Owns what is expected of the calls around consumers' configurations where several rules apply at once. */
import { ofC } from './consumer-steps.ts';
import {
  ABSENT,
  answers,
  consumer,
  fails,
  messages,
  onSingleServer,
  scenario,
  singleStream,
  stream,
} from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const C = stream('C', { subjects: ['c.>'] });
const CREATE = 'CONSUMER.CREATE.C.d';
const EXPLICIT = { ack_policy: 'explicit' };
const MAX_INT64 = '9223372036854775807';
const TOO_NEW = [412, 10185, 'JetStream minimum api level required'] as const;
const LEVEL_6 = 'Nats-Required-Api-Level: 6';
const LAYOUT = '2006-01-02T15:04:05Z07:00';

/** A pedantic client is told this. */
const pedantically = (config: object, text: string): Step =>
  fails(CREATE, ofC(config, { pedantic: true }), 400, 10157, `pedantic mode: ${text}`);
/** The raw text of an answer. */
const saysOf = (call: string, body: string, part: string): Step => {
  return async (client) => {
    const [reply] = await client.request(`$JS.API.${call}`, body);
    if (reply?.payload.includes(part) !== true)
      throw new Error(`${call}: ${reply?.payload ?? 'nothing'} lacks ${part}`);
  };
};
const badTime = (shownTime: string, text: string): Step =>
  fails(CREATE, ofC({ opt_start_time: shownTime }), 400, 10025, `invalid JSON: parsing time "${shownTime}"${text}`);

export const CONSUMER_CALL_SCENARIOS: readonly Scenario[] = [
  scenario(
    'a required level of the API without a value asks for nothing',
    ['C'],
    [
      C,
      answers(CREATE, ofC({ durable_name: 'd' }), { name: 'd' }, 'Nats-Required-Api-Level:'),
      answers('CONSUMER.INFO.C.d', '', { name: 'd' }, 'Nats-Required-Api-Level: '),
      answers('STREAM.INFO.C', '', { config: { name: 'C' } }, 'Nats-Required-Api-Level:'),
      fails('CONSUMER.INFO.C.d', '', ...TOO_NEW, LEVEL_6),
    ],
  ),
  scenario(
    'flaws of the body are told before the level of the API by those calls that read it first',
    ['C'],
    [
      C,
      fails(
        CREATE,
        ofC({ max_deliver: 'x' }),
        400,
        10025,
        'invalid JSON: json: cannot unmarshal string into Go struct field CreateConsumerRequest.config.max_deliver of type int',
        LEVEL_6,
      ),
      fails(CREATE, { stream_name: '', config: {} }, ...TOO_NEW, LEVEL_6),
      fails('CONSUMER.INFO.C.d', 'x', 400, 10038, 'expected an empty request payload', LEVEL_6),
      fails('CONSUMER.PAUSE.C.d', '{"x":1}', 400, 10025, 'invalid JSON: json: unknown field "x"', LEVEL_6),
      fails('CONSUMER.DELETE.C.d', 'x', ...TOO_NEW, LEVEL_6),
    ],
  ),
  onSingleServer(
    'an unpin is refused for the level of the API before its body and its consumer are looked at',
    ['C'],
    [C, fails('CONSUMER.UNPIN.C.d', '{"x":1}', ...TOO_NEW, LEVEL_6)],
  ),
  scenario(
    'a pedantic client hears of negative numbers first, and then of what goes with what',
    ['C'],
    [
      stream('C', { consumer_limits: { max_ack_pending: 50, inactive_threshold: 10e9 } }),
      pedantically({ max_deliver: -2, max_waiting: -2 }, 'max_deliver must be set to -1'),
      pedantically({ max_ack_pending: -2, max_batch: -1 }, 'max_ack_pending must be set to -1'),
      pedantically({ backoff: [1e9], inactive_threshold: -1 }, 'inactive_threshold must not be negative'),
      pedantically({ backoff: [1e9], priority_timeout: -1 }, 'priority_timeout must not be negative'),
      pedantically({ ...EXPLICIT, backoff: [1e9] }, 'first backoff value has to equal batch AckWait'),
      pedantically({ ...EXPLICIT, backoff: [30e9] }, `max_ack_pending must be set if it's configured in stream limits`),
      pedantically(
        { ...EXPLICIT, backoff: [30e9], max_ack_pending: 5 },
        `inactive_threshold must be set if it's configured in stream limits`,
      ),
    ],
  ),
  scenario(
    'a negative time of a pin stands for the usual one',
    ['C'],
    [
      C,
      answers(CREATE, ofC({ priority_policy: 'pinned_client', priority_groups: ['g'], priority_timeout: -1 }), {
        config: { priority_timeout: 120e9 },
      }),
    ],
  ),
  scenario(
    'a push consumer may be asked for with fewer than no waiting requests',
    ['C'],
    [C, answers(CREATE, ofC({ deliver_subject: 'out', max_waiting: -2 }), { config: { max_waiting: ABSENT } })],
  ),
  scenario(
    'a consumer that is no longer durable by an update lives as long as before',
    ['C'],
    [
      C,
      consumer('C', 'd', EXPLICIT),
      answers(CREATE, ofC(EXPLICIT), { config: { durable_name: ABSENT, name: 'd', inactive_threshold: ABSENT } }),
    ],
  ),
  scenario(
    'what can not be changed is told before the rules of a work queue',
    ['C'],
    [
      stream('C', { retention: 'workqueue' }),
      consumer('C', 'd', EXPLICIT),
      fails(
        CREATE,
        ofC({ durable_name: 'd', ...EXPLICIT, deliver_policy: 'new' }),
        500,
        10012,
        'deliver policy can not be updated',
      ),
      fails(
        'CONSUMER.CREATE.C.e',
        ofC({ ...EXPLICIT, deliver_policy: 'new' }),
        400,
        10101,
        'consumer must be deliver all on workqueue stream',
      ),
    ],
  ),
  onSingleServer(
    'on a server of its own replicas are refused before all that pedants mind',
    ['C'],
    [
      C,
      fails(
        CREATE,
        ofC({ num_replicas: 3, max_deliver: -2 }, { pedantic: true }),
        500,
        10074,
        'replicas > 1 not supported in non-clustered mode',
      ),
    ],
  ),
  scenario(
    'a consumer begins no earlier than its stream',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], max_msgs: 2 }),
      messages(['c.a', '1'], ['c.a', '2'], ['c.a', '3'], ['c.a', '4']),
      answers(CREATE, ofC({ deliver_policy: 'by_start_sequence', opt_start_seq: 2 }), {
        delivered: { consumer_seq: 0, stream_seq: 2 },
        config: { opt_start_seq: 2 },
        num_pending: 2,
      }),
    ],
  ),
  scenario(
    'separators of paths are refused in whatever names the consumer',
    ['C'],
    [
      C,
      fails(
        'CONSUMER.CREATE.C',
        ofC({ name: 'a/b', durable_name: 'c' }),
        400,
        10127,
        'Consumer name can not contain path separators',
      ),
      fails('CONSUMER.CREATE.C.a/b', ofC({}), 400, 10127, 'Consumer name can not contain path separators'),
    ],
  ),
  scenario(
    'the largest numbers come back as they were sent',
    ['C'],
    [
      singleStream('C', { subjects: ['c.>'] }),
      saysOf(
        CREATE,
        `{"stream_name":"C","config":{"max_deliver":${MAX_INT64},"max_batch":${MAX_INT64},"inactive_threshold":${MAX_INT64}}}`,
        `"max_batch":${MAX_INT64}`,
      ),
      saysOf('CONSUMER.INFO.C.d', '', `"inactive_threshold":${MAX_INT64}`),
      saysOf('CONSUMER.LIST.C', '', `"max_deliver":${MAX_INT64}`),
      saysOf(
        'STREAM.UPDATE.C',
        `{"name":"C","subjects":["c.>"],"num_replicas":1,"max_msgs":${MAX_INT64}}`,
        `"max_msgs":${MAX_INT64}`,
      ),
    ],
  ),
  scenario(
    'a time that is none is told apart',
    ['C'],
    [
      C,
      badTime('2024-01-01T00:00:00', ` as "${LAYOUT}": cannot parse "" as "Z07:00"`),
      badTime('2024-02-30T00:00:00Z', ': day out of range'),
      badTime('2024-01-01t00:00:00Z', ` as "${LAYOUT}": cannot parse "t00:00:00Z" as "T"`),
    ],
  ),
];
