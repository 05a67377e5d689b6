/** Owns what is expected of scheduled messages (streams.md 7.8). */
import { waitFor } from '../harness/wait-for.ts';
import { answers, fails, publishes, scenario, stream, ABSENT } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';
import { becomes, holds, refuses, stores } from './timed-steps.ts';

const CONFIG = { subjects: ['s.>'], allow_msg_schedules: true, allow_msg_ttl: true };
const LATER = 'Nats-Schedule: @at 2099-01-01T00:00:00Z';
const TARGET = 'Nats-Schedule-Target: s.t';
const DISABLED = [400, 10188, 'message schedules is disabled'] as const;
const BAD_PATTERN = [400, 10189, 'message schedules pattern is invalid'] as const;
const BAD_TARGET = [400, 10190, 'message schedules target is invalid'] as const;
const BAD_TTL = [400, 10191, 'message schedules invalid per-message TTL'] as const;
const BAD_ROLLUP = [400, 10192, 'message schedules invalid rollup'] as const;
const BAD_SOURCE = [400, 10203, 'message schedules source is invalid'] as const;
const BAD_SCHEDULER = [400, 10212, 'message schedules invalid scheduler'] as const;
const BAD_ZONE = [400, 10223, 'message schedules time zone is invalid'] as const;

const scheduled = (...steps: readonly Step[]): readonly Step[] => [stream('S', CONFIG), ...steps];

const CONFIGURATION: readonly Scenario[] = [
  scenario(
    'schedules bring rollups along, and stay',
    ['S'],
    [
      answers(
        'STREAM.CREATE.S',
        { name: 'S', allow_msg_schedules: true, deny_purge: true },
        { config: { allow_rollup_hdrs: true, deny_purge: false, metadata: { '_nats.req.level': '2' } } },
      ),
      fails('STREAM.UPDATE.S', { name: 'S' }, 500, 10052, 'message schedules can not be disabled'),
    ],
  ),
  scenario(
    'a pedantic client must ask for the rollups that schedules need',
    ['S'],
    [
      fails(
        'STREAM.CREATE.S',
        { name: 'S', allow_msg_schedules: true, pedantic: true },
        500,
        10052,
        'message scheduling cannot be set if roll-ups are disabled',
      ),
    ],
  ),
  scenario(
    'schedules do not go with every other setting',
    ['S'],
    [
      fails(
        'STREAM.CREATE.S',
        { name: 'S', allow_msg_schedules: true, discard: 'new' },
        500,
        10052,
        'message scheduling cannot use discard new',
      ),
      fails(
        'STREAM.CREATE.S',
        { name: 'S', allow_msg_schedules: true, allow_rollup_hdrs: true, deny_purge: true },
        500,
        10052,
        'roll-ups require the purge permission',
      ),
      fails(
        'STREAM.CREATE.S',
        { name: 'S', allow_msg_schedules: true, mirror: { name: 'X' } },
        400,
        10186,
        'stream mirrors can not also schedule messages',
      ),
      fails(
        'STREAM.CREATE.S',
        { name: 'S', allow_msg_schedules: true, sources: [{ name: 'X' }] },
        400,
        10187,
        'stream source can not also schedule messages',
      ),
    ],
  ),
  scenario(
    'schedules must be allowed',
    ['S'],
    [
      stream('S', { subjects: ['s.>'] }),
      refuses('s.a', 'Nats-Schedule: foo', DISABLED),
      refuses('s.a', 'Nats-Schedule-Time-Zone: ', DISABLED),
      refuses('s.a', 'Nats-Scheduler: s.b\r\nNats-Schedule-Next: purge', DISABLED),
      refuses('s.a', 'Nats-Scheduler: s.b', BAD_SCHEDULER),
      stores('s.a', 1, 'Nats-Schedule: '),
      stores('s.a', 2, 'Nats-Schedule-Target: s.t'),
      stores('s.a', 3, 'Nats-Schedule-Time-Zone: UTC'),
    ],
  ),
];

const GOOD: readonly (readonly [what: string, patterns: readonly string[]])[] = [
  ['times', ['@at 2099-01-01T00:00:00Z', '@at 2099-01-01T00:00:00.123456789+02:00']],
  ['intervals', ['@every 1h', '@every 1h2m', '@every 90.5m']],
  ['names', ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']],
  ['lists, ranges and steps', ['0 0 0 1-5/2 1 *', '0 0 5/10 1 1 *', '0 0 1,2,3 1 1 *', '0 0 1-5,7/2 1 1 *']],
  ['names of months and days', ['0 0 0 1 jan *', '0 0 0 1 JAN-Feb *', '0 0 0 1 1 mon-fri', '0 0 0 ? 1 Sun']],
];

const BAD: readonly (readonly [what: string, patterns: readonly string[]])[] = [
  ['times', ['@at  2099-01-01T00:00:00Z', '@at 2099-01-01T00:00:00', '@AT 2099-01-01T00:00:00Z', '@at', '@at 1']],
  ['intervals', ['@every 999ms', '@every  1s', '@every', '@every 1', '@every -1s', '@every 1h x']],
  ['names', ['@Daily', '@daily ', '@minutely', 'foo']],
  ['numbers of fields', ['* * * * *', '* * * * * * *']],
  ['values', ['60 * * * * *', '* 60 * * * *', '* * 24 * * *', '* * * 0 * *', '* * * 32 * *', '* * * * 13 *']],
  ['days and months', ['* * * * 0 *', '* * * * * 7', '* * * * january *', '* * * * * sat-sun', '0 0 0 31 2 *']],
  ['steps and ranges', ['*/0 * * * * *', '5-1 * * * * *', '1- * * * * *', '1/2/3 * * * * *', '*/5-10 * * * * *']],
];

const PATTERNS: readonly Scenario[] = [
  ...GOOD.map(([what, patterns]) =>
    scenario(
      `good ${what} are taken as schedules`,
      ['S'],
      scheduled(...patterns.map((each, index) => stores(`s.${each.length}.${index}`, index + 1, pattern(each)))),
    ),
  ),
  ...BAD.map(([what, patterns]) =>
    scenario(
      `bad ${what} are refused as schedules`,
      ['S'],
      scheduled(...patterns.map((each) => refuses('s.a', pattern(each), BAD_PATTERN))),
    ),
  ),
];

function pattern(text: string): string {
  return `Nats-Schedule: ${text}\r\n${TARGET}`;
}

function zoned(text: string, zone: string): string {
  return `${pattern(text)}\r\nNats-Schedule-Time-Zone: ${zone}`;
}

const CHECKS: readonly Scenario[] = [
  scenario(
    'cron patterns may have a time zone',
    ['S'],
    scheduled(
      ...['UTC', 'Europe/Berlin', 'America/New_York', 'EST', 'Etc/GMT+5'].map((zone, index) =>
        stores(`s.${index}`, index + 1, zoned('@yearly', zone)),
      ),
    ),
  ),
  scenario(
    'unknown time zones are refused',
    ['S'],
    scheduled(
      ...['Foo/Bar', '', 'utc', 'europe/berlin', '+02:00', 'Z'].map((zone) =>
        refuses('s.a', zoned('@yearly', zone), BAD_ZONE),
      ),
      refuses('s.a', zoned('bad', 'Foo/Bar'), BAD_ZONE),
    ),
  ),
  scenario(
    'times and intervals have no zone',
    ['S'],
    scheduled(
      refuses('s.a', zoned('@every 1h', 'UTC'), BAD_PATTERN),
      refuses('s.a', zoned('@at 2099-01-01T00:00:00Z', 'UTC'), BAD_PATTERN),
    ),
  ),
  scenario(
    'the target is a subject of the stream, and another one',
    ['S'],
    scheduled(
      refuses('s.a', LATER, BAD_TARGET),
      ...['', 's.*', 's.>', 'o.x', 's..x', 's.a'].map((target) =>
        refuses('s.a', `${LATER}\r\nNats-Schedule-Target: ${target}`, BAD_TARGET),
      ),
    ),
  ),
  scenario(
    'the source is a third subject of the stream',
    ['S'],
    scheduled(
      stores('s.a', 1, `${LATER}\r\n${TARGET}\r\nNats-Schedule-Source: s.src`),
      stores('s.b', 2, `${LATER}\r\n${TARGET}\r\nNats-Schedule-Source: `),
      ...['s.t', 's.a', 's.*', 'o.x', 's..'].map((source) =>
        refuses('s.a', `${LATER}\r\n${TARGET}\r\nNats-Schedule-Source: ${source}`, BAD_SOURCE),
      ),
    ),
  ),
  scenario(
    'what a schedule produces may have a time to live',
    ['S'],
    scheduled(
      ...['1s', '5', 'never', ''].map((ttl, index) =>
        stores(`s.${index}`, index + 1, `${LATER}\r\n${TARGET}\r\nNats-Schedule-TTL: ${ttl}`),
      ),
      ...['0', 'abc', '500ms'].map((ttl) =>
        refuses('s.a', `${LATER}\r\n${TARGET}\r\nNats-Schedule-TTL: ${ttl}`, BAD_TTL),
      ),
    ),
  ),
  scenario(
    'a time to live of the product needs times to live',
    ['S'],
    [
      stream('S', { ...CONFIG, allow_msg_ttl: false }),
      refuses('s.a', `${LATER}\r\n${TARGET}\r\nNats-Schedule-TTL: 5s`, [400, 10166, 'per-message TTL is disabled']),
      refuses('s.a', `${LATER}\r\n${TARGET}\r\nNats-Schedule-TTL: abc`, BAD_TTL),
    ],
  ),
  scenario(
    'a schedule rolls up its own subject and nothing else',
    ['S'],
    scheduled(
      ...['sub', 'SUB'].map((rollup, index) =>
        stores(`s.${index}`, index + 1, `${LATER}\r\n${TARGET}\r\nNats-Rollup: ${rollup}`),
      ),
      ...['all', 'foo'].map((rollup) => refuses('s.a', `${LATER}\r\n${TARGET}\r\nNats-Rollup: ${rollup}`, BAD_ROLLUP)),
      ...['SUB', 'all', 'foo'].map((rollup) =>
        refuses('s.a', `${LATER}\r\n${TARGET}\r\nNats-Schedule-Rollup: ${rollup}`, BAD_ROLLUP),
      ),
    ),
  ),
  scenario(
    'the checks of a schedule have an order',
    ['S'],
    [
      stream('S', { ...CONFIG, allow_msg_ttl: false }),
      ...ordered([
        ['Nats-Schedule-Time-Zone: Foo/Bar', BAD_ZONE],
        ['Nats-Schedule-TTL: abc', BAD_TTL],
        ['Nats-Schedule-Rollup: foo', BAD_ROLLUP],
        ['Nats-Schedule-Source: s.*', BAD_SOURCE],
        ['Nats-Rollup: all', BAD_TARGET],
      ]),
      refuses('s.a', `Nats-Schedule: @daily\r\nNats-Schedule-Target: o.x\r\nNats-Schedule-TTL: 5`, [
        400,
        10166,
        'per-message TTL is disabled',
      ]),
    ],
  ),
];

/** Each header is refused for its own reason, whatever comes after it. The target is bad as well. */
function ordered(checks: readonly (readonly [header: string, refusal: readonly [number, number, string]])[]): Step[] {
  return checks.map(([, refusal], index) => {
    const headers = checks.slice(index).map(([header]) => header);
    return refuses('s.a', ['Nats-Schedule: @daily', 'Nats-Schedule-Target: o.x', ...headers].join('\r\n'), refusal);
  });
}

const SCHEDULERS: readonly Scenario[] = [
  scenario(
    'a message may end a schedule by naming it',
    ['S'],
    scheduled(
      stores('s.sch', 1, `${LATER}\r\n${TARGET}`),
      stores('s.t', 2, 'Nats-Scheduler: s.sch\r\nNats-Schedule-Next: purge'),
      answers('STREAM.INFO.S', { subjects_filter: '>' }, { state: { messages: 1, subjects: { 's.t': 1 } } }),
      stores('s.t', 3, 'Nats-Scheduler: s.sch\r\nNats-Schedule-Next: purge'),
      stores('s.t', 4, 'Nats-Scheduler: o.none\r\nNats-Schedule-Next: purge'),
    ),
  ),
  scenario(
    'what is named must be a schedule, or nothing',
    ['S'],
    scheduled(
      stores('s.sch', 1, `${LATER}\r\n${TARGET}`),
      stores('s.plain', 2),
      ...[
        'Nats-Scheduler: s.sch',
        'Nats-Schedule-Next: purge',
        'Nats-Scheduler: s.sch\r\nNats-Schedule-Next: PURGE',
        'Nats-Scheduler: s.sch\r\nNats-Schedule-Next: 2099-01-01T00:00:00Z',
        'Nats-Scheduler: s.*\r\nNats-Schedule-Next: purge',
        'Nats-Scheduler: \r\nNats-Schedule-Next: purge',
        'Nats-Scheduler: s.t\r\nNats-Schedule-Next: purge',
        'Nats-Scheduler: s.plain\r\nNats-Schedule-Next: purge',
      ].map((headers) => refuses('s.t', headers, BAD_SCHEDULER)),
    ),
  ),
  scenario(
    'a newer schedule takes the place of the one on its subject, and is told to',
    ['S'],
    scheduled(
      stores('s.a', 1, `${LATER}\r\n${TARGET}\r\nX: y`),
      holds('S', 1, [LATER, TARGET, 'X: y', 'Nats-Rollup: sub']),
      stores('s.a', 2, pattern('@yearly')),
      answers('STREAM.INFO.S', '', { state: { messages: 1, first_seq: 2 } }),
    ),
  ),
];

const FIRING: readonly Scenario[] = [
  scenario(
    'a time that is past fires at once, and the schedule goes',
    ['S'],
    scheduled(
      publishes(
        's.past',
        'body',
        [
          'Nats-Schedule: @at 2020-01-01T00:00:00Z',
          TARGET,
          'A: b',
          'Nats-Msg-Id: zz',
          'Nats-Expected-Stream: S',
          'Nats-Schedule-TTL: 60s',
          'Nats-Schedule-Rollup: sub',
          'C: d',
        ].join('\r\n'),
        { seq: 1 },
      ),
      becomes('S', { messages: 1, last_seq: 2, subjects: { 's.t': 1 } }),
      holds(
        'S',
        2,
        ['A: b', 'C: d', 'Nats-Scheduler: s.past', 'Nats-Schedule-Next: purge', 'Nats-TTL: 60s', 'Nats-Rollup: sub'],
        { subject: 's.t', data: Buffer.from('body').toString('base64') },
      ),
    ),
  ),
  scenario(
    'intervals, cron patterns and sources fire until their schedules end',
    ['S'],
    scheduled(
      stores('s.src', 1, 'Q: q\r\nNats-TTL: 90\r\nNats-Rollup: sub\r\nNats-Msg-Id: q1', 'source'),
      stores('s.deleted', 2, 'Nats-Schedule: @every 2s\r\nNats-Schedule-Target: s.no'),
      answers('STREAM.MSG.DELETE.S', { seq: 2 }, { success: true }),
      stores('s.replaced', 3, 'Nats-Schedule: @every 2s\r\nNats-Schedule-Target: s.no'),
      stores('s.replaced', 4),
      stores('s.every', 5, `Nats-Schedule: @every 1s\r\n${TARGET}\r\nNats-Schedule-Source: s.src\r\nZ: z`),
      // Last, as it may fire at once, and its place is not certain, as the one before may have fired.
      publishes('s.cron', 'x', 'Nats-Schedule: * * * * * *\r\nNats-Schedule-Target: s.c', {}),
      produces('s.t', 3),
      produces('s.c', 2),
      answers('STREAM.INFO.S', { subjects_filter: 's.no' }, { state: { subjects: ABSENT } }),
      lastComesFromSource(),
    ),
  ),
  scenario(
    'a schedule that expires fires no more',
    ['S'],
    scheduled(
      stores('s.every', 1, `Nats-Schedule: @every 5s\r\n${TARGET}\r\nNats-TTL: 1`),
      becomes('S', { messages: 0, last_seq: 1 }),
    ),
  ),
];

/** Waits until so many messages are on a subject, at least. */
function produces(subject: string, count: number): Step {
  return async (client) => {
    await waitFor(`${count} messages on ${subject}`, async () => {
      const [reply] = await client.request('$JS.API.STREAM.INFO.S', JSON.stringify({ subjects_filter: subject }));
      const { state } = JSON.parse(reply?.payload ?? '{}') as { state?: { subjects?: Record<string, number> } };
      return (state?.subjects?.[subject] ?? 0) >= count;
    });
  };
}

/** What was produced last on `s.t` is the source's content under the schedule's name. */
function lastComesFromSource(): Step {
  const message = { subject: 's.t', data: Buffer.from('source').toString('base64') };
  return answers('STREAM.MSG.GET.S', { last_by_subj: 's.t' }, { message });
}

export const SCHEDULE_SCENARIOS: readonly Scenario[] = [
  ...CONFIGURATION,
  ...PATTERNS,
  ...CHECKS,
  ...SCHEDULERS,
  ...FIRING,
];
