/** Owns what is expected of the configuration of mirrors and sources (streams.md 2.4). */
import { ABSENT, answers, fails, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const NAME = 'OC';
const UPSTREAM = 'OCU';
const UP: Step = stream(UPSTREAM, { subjects: ['up.>'], max_msg_size: 100 });

interface Refusal {
  readonly code: number;
  readonly errCode: number;
  readonly text: string;
}

const refusal = (errCode: number, text: string, code = 400): Refusal => ({ code, errCode, text });

function refused(
  title: string,
  config: object,
  { code, errCode, text }: Refusal,
  before: readonly Step[] = [],
): Scenario {
  const create = fails(`STREAM.CREATE.${NAME}`, { name: NAME, ...config }, code, errCode, text);
  return scenario(title, [NAME, UPSTREAM, 'OC2'], [UP, ...before, create]);
}

/** The same origin as a mirror and as a source. */
function both(
  title: string,
  origin: object,
  mirror: Refusal,
  source: Refusal,
  config: object = {},
): readonly Scenario[] {
  return [
    refused(`a mirror ${title}`, { mirror: origin, ...config }, mirror),
    refused(`a source ${title}`, { sources: [origin], ...config }, source),
  ];
}

const MIRROR_CONSUMER = refusal(10213, 'stream mirror consumer config is invalid');
const SOURCE_CONSUMER = refusal(10215, 'stream source consumer config is invalid');
const CYCLE = refusal(10052, 'detected cycle', 500);
const SAME = (text: string, errCode: number, code = 400): readonly [Refusal, Refusal] => [
  refusal(errCode, text, code),
  refusal(errCode, text, code),
];
const elsewhere = (api: string, deliver: string): object => ({ name: UPSTREAM, external: { api, deliver } });

const ORIGINS: readonly Scenario[] = [
  ...both(
    'of a stream that can not be',
    { name: 'a.b' },
    refusal(10142, 'mirrored stream name is invalid'),
    refusal(10141, 'sourced stream name is invalid'),
  ),
  ...both(
    'with a filter and transforms',
    { name: UPSTREAM, filter_subject: 'up.x', subject_transforms: [{ src: 'up.y', dest: 'z' }] },
    refusal(10150, 'mirror with multiple subject transforms cannot also have a single subject filter'),
    refusal(10144, 'source with multiple subject transforms cannot also have a single subject filter'),
  ),
  ...both(
    'that transforms what is no subject',
    { name: UPSTREAM, subject_transforms: [{ src: 'a..', dest: 'z' }] },
    refusal(10151, 'mirror transform source: invalid subject a..'),
    refusal(10145, 'source transform source: invalid subject a..'),
  ),
  ...both(
    'that transforms to what can not be computed',
    { name: UPSTREAM, subject_transforms: [{ src: 'up.*', dest: 'z.$2' }] },
    refusal(10154, 'mirror transform: invalid mapping destination: wildcard index out of range in $2: [2]'),
    refusal(10146, 'source transform: invalid mapping destination: wildcard index out of range in $2: [2]'),
  ),
  ...both(
    'whose transforms overlap',
    {
      name: UPSTREAM,
      subject_transforms: [
        { src: 'up.*', dest: 'z.$1' },
        { src: 'up.a', dest: 'q' },
      ],
    },
    refusal(10152, 'mirror subject filters can not overlap'),
    refusal(10147, 'source filters can not overlap'),
  ),
  ...both(
    'with a filter that is no subject',
    { name: UPSTREAM, filter_subject: 'a..b' },
    refusal(10049, "subject filter 'a..b' for the mirror invalid subject", 500),
    refusal(10049, "subject filter 'a..b' for the source: invalid subject", 500),
  ),
  ...both(
    'of larger messages than fit',
    { name: UPSTREAM },
    refusal(10030, 'stream mirror must have max message size >= source'),
    refusal(10046, 'stream source must have max message size >= target'),
    { max_msg_size: 50 },
  ),
  ...both(
    'with a consumer of a bad name',
    { name: UPSTREAM, consumer: { name: 'a.b', deliver_subject: 'd' } },
    MIRROR_CONSUMER,
    SOURCE_CONSUMER,
  ),
  ...both(
    'with a consumer that delivers to a wildcard',
    { name: UPSTREAM, consumer: { name: 'c', deliver_subject: 'd.*' } },
    MIRROR_CONSUMER,
    SOURCE_CONSUMER,
  ),
  ...both(
    'with a consumer and a start',
    { name: UPSTREAM, opt_start_seq: 3, consumer: { name: 'c', deliver_subject: 'd' } },
    MIRROR_CONSUMER,
    SOURCE_CONSUMER,
  ),
  ...both(
    'with a consumer and a filter',
    { name: UPSTREAM, filter_subject: 'up.x', consumer: { name: 'c', deliver_subject: 'd' } },
    MIRROR_CONSUMER,
    SOURCE_CONSUMER,
  ),
  ...both(
    'delivered to a wildcard',
    elsewhere('$JS.hub.API', 'a.*'),
    ...SAME('stream external delivery prefix a.* must not contain wildcards', 10024),
  ),
  ...both(
    'asked for under a wildcard',
    elsewhere('a.*', 'd'),
    ...SAME('stream external api prefix "a.*" must be a valid subject without wildcards', 10052, 500),
  ),
  ...both(
    'that is elsewhere and here',
    elsewhere('$JS.API', 'd'),
    ...SAME('stream external api prefix $JS.API must not overlap with $JS.API', 10021),
  ),
];

const COMBINATIONS: readonly Scenario[] = [
  refused(
    'a delivery prefix over the subjects of another source',
    { sources: [{ name: UPSTREAM }, { name: 'X', external: { api: '$JS.hub.API', deliver: 'up' } }] },
    refusal(10022, 'stream external delivery prefix up overlaps with stream subject up.>'),
  ),
  refused(
    'a mirror with sources',
    { mirror: { name: UPSTREAM }, sources: [{ name: UPSTREAM }] },
    refusal(10031, 'stream mirrors can not also contain other sources'),
  ),
  refused(
    'a mirror with subjects',
    { mirror: { name: UPSTREAM }, subjects: ['x'] },
    refusal(10034, 'stream mirrors can not contain subjects'),
  ),
  refused(
    'a mirror with a first sequence',
    { mirror: { name: UPSTREAM }, first_seq: 5 },
    refusal(10143, 'stream mirrors can not have first sequence configured'),
  ),
  refused(
    'the same source twice',
    { sources: [{ name: UPSTREAM }, { name: UPSTREAM }] },
    refusal(10140, 'duplicate source configuration detected'),
  ),
  refused(
    'one consumer for two sources',
    {
      sources: [
        { name: UPSTREAM, consumer: { name: 'c', deliver_subject: 'd' } },
        {
          name: UPSTREAM,
          consumer: { name: 'c', deliver_subject: 'e' },
          subject_transforms: [{ src: 'up.*', dest: 'z.$1' }],
        },
      ],
    },
    refusal(10216, 'duplicate stream source consumer detected'),
  ),
  refused('a source that is nothing', { sources: [null] }, refusal(10141, 'sourced stream name is invalid')),
  refused('a mirror of itself', { mirror: { name: NAME } }, CYCLE),
  refused('a source of itself', { subjects: ['q'], sources: [{ name: NAME }] }, CYCLE),
  refused('a source of what takes from it', { subjects: ['t'], sources: [{ name: 'OC2' }] }, CYCLE, [
    stream('OC2', { subjects: ['oc2'], sources: [{ name: NAME }] }),
  ]),
  refused('a mirror of what takes from it', { mirror: { name: 'OC2' } }, CYCLE, [
    stream('OC2', { subjects: ['oc2'], sources: [{ name: NAME }] }),
  ]),
  refused('a stream and then its mirror', { sources: [{ name: UPSTREAM }, { name: 'OC2' }] }, CYCLE, [
    stream('OC2', { mirror: { name: UPSTREAM } }),
  ]),
];

const ACCEPTED: readonly Scenario[] = [
  scenario(
    'a source of itself is no cycle if its filter lets nothing of it through',
    [NAME],
    [stream(NAME, { subjects: ['q'], sources: [{ name: NAME, filter_subject: 'r' }] })],
  ),
  scenario(
    'two sources of one stream differ by their filters',
    [NAME],
    [
      stream(NAME, {
        sources: [
          { name: 'X', filter_subject: 'o.a' },
          { name: 'X', filter_subject: 'o.b' },
        ],
      }),
    ],
  ),
  scenario(
    'a mirror has no subjects, no duplicate window, and the direct access of its origin',
    [UPSTREAM, NAME],
    [
      stream(UPSTREAM, { subjects: ['up.>'], allow_direct: true }),
      answers(
        `STREAM.CREATE.${NAME}`,
        { name: NAME, mirror: { name: UPSTREAM } },
        { config: { subjects: ABSENT, duplicate_window: ABSENT, mirror_direct: true, mirror: { name: UPSTREAM } } },
      ),
    ],
  ),
  scenario(
    'a mirror of a stream without direct access has none',
    [UPSTREAM, NAME],
    [
      UP,
      answers(
        `STREAM.CREATE.${NAME}`,
        { name: NAME, mirror: { name: UPSTREAM }, mirror_direct: true },
        { config: { mirror_direct: false } },
      ),
    ],
  ),
  scenario(
    'a pedantic client hears that the direct access of its mirror is another',
    [UPSTREAM, NAME],
    [
      UP,
      fails(
        `STREAM.CREATE.${NAME}`,
        { name: NAME, mirror: { name: UPSTREAM }, mirror_direct: true, pedantic: true },
        400,
        10157,
        'pedantic mode: origin stream has direct get set, mirror has it disabled',
      ),
    ],
  ),
  scenario(
    'an origin shows as it was asked for',
    [NAME],
    [
      answers(
        `STREAM.CREATE.${NAME}`,
        {
          name: NAME,
          sources: [
            { name: 'X', opt_start_seq: 3, opt_start_time: '2026-01-01T00:00:00Z' },
            { name: 'Y', external: { api: '$JS.hub.API', deliver: '' } },
          ],
        },
        {
          config: {
            sources: [
              { name: 'X', opt_start_seq: 3, opt_start_time: '2026-01-01T00:00:00Z', external: ABSENT },
              { name: 'Y', external: { api: '$JS.hub.API', deliver: '' } },
            ],
          },
        },
      ),
    ],
  ),
];

function update(config: object): object {
  return { name: NAME, ...config };
}

const MIRROR_FIXED = [400, 10055, 'stream mirror configuration can not be updated'] as const;

const UPDATES: readonly Scenario[] = [
  scenario(
    'a mirror can not be another mirror, nor a stream become one',
    [UPSTREAM, NAME, 'OC2'],
    [
      UP,
      stream(NAME, { mirror: { name: UPSTREAM }, num_replicas: 1 }),
      fails(`STREAM.UPDATE.${NAME}`, update({ mirror: { name: 'OC2' } }), ...MIRROR_FIXED),
      fails(`STREAM.UPDATE.${NAME}`, update({ mirror: { name: UPSTREAM, filter_subject: 'up.x' } }), ...MIRROR_FIXED),
      answers(`STREAM.UPDATE.${NAME}`, update({ mirror: { name: UPSTREAM } }), { config: { name: NAME } }),
      answers(`STREAM.UPDATE.${NAME}`, update({ subjects: ['k'] }), { config: { mirror: ABSENT, subjects: ['k'] } }),
      fails(`STREAM.UPDATE.${NAME}`, update({ mirror: { name: UPSTREAM } }), ...MIRROR_FIXED),
    ],
  ),
  scenario(
    'sources come and go',
    [UPSTREAM, NAME],
    [
      UP,
      stream(NAME, { subjects: ['k'], num_replicas: 1 }),
      answers(`STREAM.UPDATE.${NAME}`, update({ subjects: ['k'], sources: [{ name: UPSTREAM }] }), {
        config: { sources: [{ name: UPSTREAM }] },
      }),
      fails(
        `STREAM.UPDATE.${NAME}`,
        update({ subjects: ['k'], sources: [{ name: UPSTREAM }, { name: UPSTREAM }] }),
        400,
        10140,
        'duplicate source configuration detected',
      ),
      answers(`STREAM.UPDATE.${NAME}`, update({ subjects: ['k'] }), { config: { sources: ABSENT } }),
    ],
  ),
];

export const ORIGIN_CONFIG_SCENARIOS: readonly Scenario[] = [...ORIGINS, ...COMBINATIONS, ...ACCEPTED, ...UPDATES];
