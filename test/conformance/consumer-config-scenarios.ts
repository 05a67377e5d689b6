/** Owns what is expected of consumer configurations: defaults, rules, updates (consumers.md 1.1 to 1.5). */
import { ofC } from './consumer-steps.ts';
import { ABSENT, answers, consumer, fails, messages, onSingleServer, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const C = stream('C', { subjects: ['c.>'] });
const PUSH = { deliver_subject: 'out.x' };
const EXPLICIT = { ack_policy: 'explicit' };
const CREATE = 'CONSUMER.CREATE.C.d';

/** A created consumer shows this. */
const shows = (asked: object, expected: object): Step => answers(CREATE, ofC(asked), expected);
/** Each of these is refused for its reason. */
const allRefused = (
  title: string,
  refusals: readonly (readonly [config: object, code: number, errCode: number, text: string])[],
  streamConfig: object = {},
): Scenario =>
  scenario(
    title,
    ['C'],
    [
      stream('C', { subjects: ['c.>'], ...streamConfig }),
      ...refusals.map(([config, ...error]) => fails(CREATE, ofC(config), ...error)),
    ],
  );

const bad = (errCode: number, text: string): readonly [number, number, string] => [400, errCode, text];

const DEFAULTS: readonly Scenario[] = [
  scenario(
    'negative numbers are set right where nobody minds',
    ['C'],
    [
      C,
      shows(
        {
          ...EXPLICIT,
          durable_name: 'd',
          max_deliver: -7,
          max_waiting: -3,
          max_ack_pending: -9,
          max_batch: -1,
          max_expires: -1,
          max_bytes: -1,
          inactive_threshold: -1,
        },
        {
          config: {
            max_deliver: -1,
            max_waiting: 512,
            max_ack_pending: -1,
            max_batch: ABSENT,
            max_expires: ABSENT,
            max_bytes: ABSENT,
            inactive_threshold: ABSENT,
          },
        },
      ),
    ],
  ),
  scenario(
    'backoff is kept without acks too, and sets the ack wait',
    ['C'],
    [C, shows({ backoff: [1e9, 2e9], max_deliver: 2 }, { config: { ack_wait: 1e9, max_deliver: 2 } })],
  ),
  scenario(
    'limits of pull requests are kept by push consumers',
    ['C'],
    [
      C,
      shows(
        { ...PUSH, max_batch: 5, max_expires: 1e9, max_bytes: 100 },
        { config: { max_batch: 5, max_expires: 1e9, max_bytes: 100 } },
      ),
    ],
  ),
  scenario(
    'a deliver group is kept by pull consumers',
    ['C'],
    [C, shows({ deliver_group: 'q' }, { config: { deliver_group: 'q', deliver_subject: ABSENT } })],
  ),
  scenario(
    'an undefined deliver policy means all',
    ['C'],
    [C, shows({ deliver_policy: 'undefined' }, { config: { deliver_policy: 'all' } })],
  ),
  scenario(
    'no filters at all are no filter',
    ['C'],
    [C, shows({ filter_subjects: [] }, { config: { filter_subject: ABSENT, filter_subjects: ABSENT } })],
  ),
  scenario(
    'a filter that matches nothing is a filter',
    ['C'],
    [C, messages(['c.a', '1']), shows({ filter_subject: 'zzz.a' }, { num_pending: 0 })],
  ),
  scenario(
    'filters may overlap in part',
    ['C'],
    [
      C,
      messages(['c.x.a', '1'], ['c.b.a', '2'], ['c.b.c', '3'], ['c.q.q', '4']),
      shows(
        { filter_subjects: ['c.*.a', 'c.b.*'] },
        { num_pending: 3, config: { filter_subjects: ['c.*.a', 'c.b.*'] } },
      ),
    ],
  ),
  scenario(
    'a start may lie beyond the stream',
    ['C'],
    [
      C,
      messages(['c.a', '1']),
      shows(
        { deliver_policy: 'by_start_sequence', opt_start_seq: 99 },
        { delivered: { consumer_seq: 0, stream_seq: 98 }, ack_floor: { stream_seq: 98 }, num_pending: 0 },
      ),
    ],
  ),
  scenario(
    'a consumer of what is new begins behind the last message',
    ['C'],
    [
      C,
      messages(['c.a', '1'], ['c.a', '2']),
      shows({ deliver_policy: 'new' }, { delivered: { consumer_seq: 0, stream_seq: 2 }, num_pending: 0 }),
    ],
  ),
  scenario(
    'sampling is kept as it was written',
    ['C'],
    [C, shows({ ...EXPLICIT, sample_freq: '30%' }, { config: { sample_freq: '30%' } })],
  ),
  scenario(
    'metadata of the server is not the client’s to set',
    ['C'],
    [
      C,
      shows(
        { metadata: { '_nats.ver': '0', '_nats.level': '9', '_nats.req.level': '9', own: 'x' } },
        { config: { metadata: { own: 'x', '_nats.level': '5', '_nats.req.level': '0' } } },
      ),
    ],
  ),
  scenario(
    'a pause needs a level of the API',
    ['C'],
    [
      C,
      shows(
        { pause_until: '2200-01-01T00:00:00Z' },
        { paused: true, config: { pause_until: '2200-01-01T00:00:00Z', metadata: { '_nats.req.level': '1' } } },
      ),
    ],
  ),
  scenario(
    'limits of the stream fill in what a consumer does not say',
    ['C'],
    [
      stream('C', { consumer_limits: { max_ack_pending: 7, inactive_threshold: 9e9 } }),
      shows({ ...EXPLICIT, durable_name: 'd' }, { config: { max_ack_pending: 7, inactive_threshold: 9e9 } }),
      answers('CONSUMER.CREATE.C.e', ofC({ ...EXPLICIT, max_ack_pending: -1 }), { config: { max_ack_pending: -1 } }),
    ],
  ),
  scenario(
    'consumers without acks may have limits of pending ones when they pull',
    ['C'],
    [C, shows({ max_ack_pending: 5 }, { config: { max_ack_pending: 5, ack_policy: 'none' } })],
  ),
  scenario(
    'a name in the subject wins over one in the body',
    ['C'],
    [C, shows({ name: 'other' }, { name: 'd', config: { name: 'd' } })],
  ),
];

const RULES: readonly Scenario[] = [
  allRefused('start and policy must agree', [
    [
      { opt_start_time: '2020-01-01T00:00:00Z' },
      ...bad(10094, 'consumer delivery policy is deliver all, but optional start time is also set'),
    ],
    [
      { deliver_policy: 'last', opt_start_seq: 1 },
      ...bad(10094, 'consumer delivery policy is deliver last, but optional start sequence is also set'),
    ],
    [
      { deliver_policy: 'new', opt_start_seq: 1 },
      ...bad(10094, 'consumer delivery policy is deliver new, but optional start sequence is also set'),
    ],
    [
      { deliver_policy: 'last_per_subject', filter_subject: 'c.a', opt_start_seq: 1 },
      ...bad(10094, 'consumer delivery policy is deliver last per subject, but optional start sequence is also set'),
    ],
    [
      { deliver_policy: 'by_start_sequence', opt_start_seq: 1, opt_start_time: '2020-01-01T00:00:00Z' },
      ...bad(10094, 'consumer delivery policy is deliver by start sequence, but optional start time is also set'),
    ],
    [
      { deliver_policy: 'by_start_time', opt_start_seq: 1, opt_start_time: '2020-01-01T00:00:00Z' },
      ...bad(10094, 'consumer delivery policy is deliver by start time, but optional start start sequence is also set'),
    ],
  ]),
  allRefused('equal filters overlap', [
    [{ filter_subjects: ['c.a', 'c.a'] }, ...bad(10138, 'consumer subject filters cannot overlap')],
    [{ filter_subjects: ['c.>', 'c.a'] }, ...bad(10138, 'consumer subject filters cannot overlap')],
  ]),
  allRefused('sampling is neither negative nor a fraction', [
    [{ ...EXPLICIT, sample_freq: '-1' }, ...bad(10095, 'failed to parse consumer sampling configuration: <nil>')],
    [
      { ...EXPLICIT, sample_freq: '1.5' },
      ...bad(10095, 'failed to parse consumer sampling configuration: strconv.Atoi: parsing "1.5": invalid syntax'),
    ],
  ]),
  allRefused('metadata has a size', [
    [{ metadata: { big: 'x'.repeat(128 * 1024) } }, ...bad(10135, 'consumer metadata exceeds maximum size of 128KB')],
  ]),
  allRefused('unknown words are shown', [
    [{ deliver_policy: 'zz' }, ...bad(10025, String.raw`invalid JSON: can not unmarshal "\"zz\""`)],
    [{ replay_policy: 'zz' }, ...bad(10025, String.raw`invalid JSON: can not unmarshal "\"zz\""`)],
  ]),
  scenario(
    'a durable name has a length',
    ['C'],
    [
      C,
      async (client) => {
        const name = 'n'.repeat(256);
        const call = `CONSUMER.CREATE.C.${name}`;
        const text = 'consumer name is too long, maximum allowed is 255';
        await fails(call, ofC({ durable_name: name }), 400, 10102, text)(client);
      },
    ],
  ),
  scenario(
    'a legacy ephemeral name is a name',
    ['C'],
    [
      C,
      fails(
        'CONSUMER.CREATE.C',
        ofC({ name: 'a.b' }),
        500,
        10052,
        `consumer name can not contain '.', '*', '>', '\\', '/'`,
      ),
    ],
  ),
  onSingleServer(
    'an interest stream has consumers with as many replicas',
    ['C'],
    [
      stream('C', { subjects: ['c.>'], retention: 'interest' }),
      answers(CREATE, ofC({ ...EXPLICIT, num_replicas: 1 }), { config: { num_replicas: 1 } }),
    ],
  ),
  scenario(
    'pedantic clients set every default themselves',
    ['C'],
    [
      stream('C', { consumer_limits: { max_ack_pending: 7, inactive_threshold: 9e9 } }),
      ...(
        [
          [{ ...EXPLICIT, max_waiting: -1 }, 'max_waiting must not be negative'],
          [{ ...EXPLICIT, max_ack_pending: -2 }, 'max_ack_pending must be set to -1'],
          [{ ...EXPLICIT }, `max_ack_pending must be set if it's configured in stream limits`],
          [{ ...EXPLICIT, max_ack_pending: 5 }, `inactive_threshold must be set if it's configured in stream limits`],
          [{ ...EXPLICIT, max_ack_pending: 5, max_batch: -1 }, 'max_batch must not be negative'],
          [{ ...EXPLICIT, max_ack_pending: 5, max_expires: -1 }, 'max_expires must not be negative'],
          [{ ...EXPLICIT, max_ack_pending: 5, max_bytes: -1 }, 'max_bytes must not be negative'],
          [{ ...EXPLICIT, max_ack_pending: 5, inactive_threshold: -1 }, 'inactive_threshold must not be negative'],
          [
            { ...EXPLICIT, max_ack_pending: 5, ack_wait: 9e9, backoff: [1e9] },
            'first backoff value has to equal batch AckWait',
          ],
        ] as const
      ).map(([config, text]) => fails(CREATE, ofC(config, { pedantic: true }), 400, 10157, `pedantic mode: ${text}`)),
    ],
  ),
];

const UPDATES: readonly Scenario[] = [
  scenario(
    'some things of a push consumer never change',
    ['C'],
    [
      C,
      consumer('C', 'd', { ...PUSH, idle_heartbeat: 1e9 }),
      ...(
        [
          [{ ...PUSH, idle_heartbeat: 2e9 }, 'heart beats can not be updated'],
          [{ ...PUSH, idle_heartbeat: 1e9, flow_control: true }, 'flow control can not be updated'],
          [{}, 'heart beats can not be updated'],
        ] as const
      ).map(([config, text]) => fails(CREATE, ofC({ durable_name: 'd', ...config }), 500, 10012, text)),
    ],
  ),
  scenario(
    'push does not become pull',
    ['C'],
    [
      C,
      consumer('C', 'd', PUSH),
      fails(CREATE, ofC({ durable_name: 'd' }), 500, 10012, 'can not update push consumer to pull based'),
    ],
  ),
  scenario(
    'a start never changes',
    ['C'],
    [
      C,
      consumer('C', 'd', { deliver_policy: 'by_start_sequence', opt_start_seq: 5 }),
      fails(
        CREATE,
        ofC({ durable_name: 'd', deliver_policy: 'by_start_sequence', opt_start_seq: 6 }),
        500,
        10012,
        'start sequence can not be updated',
      ),
      consumer('C', 'e', { deliver_policy: 'by_start_time', opt_start_time: '2020-01-01T00:00:00Z' }),
      fails(
        'CONSUMER.CREATE.C.e',
        ofC({ durable_name: 'e', deliver_policy: 'by_start_time', opt_start_time: '2021-01-01T00:00:00Z' }),
        500,
        10012,
        'start time can not be updated',
      ),
    ],
  ),
  scenario(
    'an update replaces the whole configuration',
    ['C'],
    [
      C,
      consumer('C', 'd', { ...EXPLICIT, description: 'x', max_deliver: 5, ack_wait: 5e9, metadata: { a: 'b' } }),
      shows(
        { ...EXPLICIT, durable_name: 'd', max_ack_pending: 9 },
        {
          config: {
            description: ABSENT,
            max_deliver: -1,
            ack_wait: 30e9,
            max_ack_pending: 9,
            metadata: { a: ABSENT },
          },
        },
      ),
    ],
  ),
  scenario(
    'another filter counts anew, and keeps the position',
    ['C'],
    [
      C,
      messages(['c.a', '1'], ['c.b', '2'], ['c.a', '3'], ['c.b', '4'], ['c.b', '5']),
      consumer('C', 'd', { ...EXPLICIT, filter_subject: 'c.a' }),
      async (client) => {
        await client.request('$JS.API.CONSUMER.MSG.NEXT.C.d', '1');
      },
      shows(
        { ...EXPLICIT, durable_name: 'd', filter_subject: 'c.b' },
        { num_pending: 3, num_ack_pending: 1, delivered: { consumer_seq: 1, stream_seq: 1 } },
      ),
    ],
  ),
  scenario(
    'a pull consumer’s limits change',
    ['C'],
    [
      C,
      consumer('C', 'd', EXPLICIT),
      shows(
        {
          ...EXPLICIT,
          durable_name: 'd',
          max_batch: 3,
          max_expires: 2e9,
          max_bytes: 9,
          inactive_threshold: 60e9,
          headers_only: true,
          sample_freq: '5',
          backoff: [1e9],
        },
        {
          config: {
            max_batch: 3,
            max_expires: 2e9,
            max_bytes: 9,
            inactive_threshold: 60e9,
            headers_only: true,
            sample_freq: '5',
            ack_wait: 1e9,
          },
        },
      ),
    ],
  ),
  scenario(
    'a consumer created again as it is stays as it is',
    ['C'],
    [
      C,
      messages(['c.a', '1']),
      consumer('C', 'd', EXPLICIT),
      async (client) => {
        await client.request('$JS.API.CONSUMER.MSG.NEXT.C.d', '1');
      },
      answers(CREATE, ofC({ ...EXPLICIT, durable_name: 'd' }, { action: 'create' }), {
        num_ack_pending: 1,
        delivered: { consumer_seq: 1 },
      }),
      answers(CREATE, ofC({ ...EXPLICIT, durable_name: 'd', metadata: { '_nats.ver': 'x' } }, { action: 'create' }), {
        name: 'd',
      }),
      fails(
        CREATE,
        ofC({ ...EXPLICIT, durable_name: 'd', metadata: { own: 'x' } }, { action: 'create' }),
        400,
        10148,
        'consumer already exists',
      ),
    ],
  ),
];

export const CONSUMER_CONFIG_SCENARIOS: readonly Scenario[] = [...DEFAULTS, ...RULES, ...UPDATES];
