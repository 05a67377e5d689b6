/** Owns what is expected of subject transforms on streams (streams.md 2.6). */
import { answers, direct, fails, messages, publishes, receives, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const NAME = 'XF';

function withTransform(src: string, dest: string, config: object = {}): Step {
  return stream(NAME, { subjects: ['a', 'a.>', 'b'], subject_transform: { src, dest }, allow_direct: true, ...config });
}

/** Publishing to the first subject of each pair stores to the second. */
function maps(title: string, src: string, dest: string, pairs: Readonly<Record<string, string>>): Scenario {
  const steps = Object.entries(pairs).flatMap(([subject, stored], index) => [
    messages([subject, 'x']),
    answers(`STREAM.MSG.GET.${NAME}`, { seq: index + 1 }, { message: { subject: stored } }),
  ]);
  return scenario(title, [NAME], [withTransform(src, dest), ...steps]);
}

function refuses(title: string, src: string, dest: string, errCode: number, text: string): Scenario {
  const config = { name: NAME, subjects: ['a.>'], subject_transform: { src, dest } };
  return scenario(title, [NAME], [fails(`STREAM.CREATE.${NAME}`, config, 400, errCode, text)]);
}

function refusesDestination(title: string, src: string, dest: string, reason: string): Scenario {
  return refuses(title, src, dest, 10156, `stream transform: ${reason}`);
}

const WRONG = 'invalid mapping destination:';
const BAD_ARGUMENT = `${WRONG} function argument is invalid or in the wrong format in`;

const MAPPINGS: readonly Scenario[] = [
  maps('a transform reorders what wildcards matched', 'a.*.*', 'b.$2.{{wildcard(1)}}', { 'a.x.y': 'b.y.x' }),
  maps('a subject that does not match stays', 'a.*', 'b.$1', { 'a.x.y': 'a.x.y', a: 'a', 'a.x': 'b.x' }),
  maps('an open end is kept', 'a.>', 'c.>', { 'a.x': 'c.x', 'a.x.y': 'c.x.y' }),
  maps('without a source everything is transformed', '', 'p.>', { 'a.x': 'p.a.x', b: 'p.b' }),
  maps('a wildcard number below one is the first token', 'a.*', 'b.$0', { 'a.x': 'b.a' }),
  maps('a partition is a hash of tokens', 'a.*', 'b.{{partition(3,1)}}', {
    'a.x': 'b.0',
    'a.y': 'b.1',
    'a.foo': 'b.0',
  }),
  maps('a partition without tokens hashes the subject', 'a.*', 'b.{{partition(5)}}', { 'a.x': 'b.1', 'a.foo': 'b.3' }),
  maps('a partition of a literal source hashes the subject, whatever it names', 'a.foo', 'b.{{partition(5,1,7)}}', {
    'a.foo': 'b.3',
  }),
  maps('split without a separator cuts between characters', 'a.*', 'b.{{split(1,)}}', { 'a.xé€y': 'b.x.é.€.y' }),
  maps('several tokens are hashed together', 'a.*.*', 'b.{{partition(7,1,2)}}', { 'a.x.y': 'b.4', 'a.foo.bar': 'b.0' }),
  maps('split cuts at a separator', 'a.*', 'b.{{split(1,-)}}', { 'a.x-y': 'b.x.y', 'a.-x-': 'b.x', 'a.x': 'b.x' }),
  maps('splitFromLeft cuts once', 'a.*', 'b.{{splitFromLeft(1,3)}}', { 'a.12345': 'b.123.45', 'a.123': 'b.123' }),
  maps('splitFromRight cuts once', 'a.*', 'b.{{SplitFromRight(1,3)}}', { 'a.12345': 'b.12.345', 'a.12': 'b.12' }),
  maps('sliceFromLeft leaves the rest right', 'a.*', 'b.{{sliceFromLeft(1,3)}}', { 'a.1234567': 'b.123.456.7' }),
  maps('sliceFromRight leaves the rest left', 'a.*', 'b.{{sliceFromRight(1,3)}}', { 'a.1234567': 'b.1.234.567' }),
  maps('left and right keep an end', 'a.*', '{{left(1,2)}}.{{ right(1,2) }}', { 'a.12345': '12.45', 'a.1': '1.1' }),
  maps('random of one is zero', 'a.*', 'b.{{random(1)}}', { 'a.x': 'b.0' }),
  maps('text with a dollar sign stays text', 'a.*', 'b.$x.x$1.{{', { 'a.q': 'b.$x.x$1.{{' }),
  maps('an empty transform changes nothing', '', '', { 'a.x': 'a.x' }),
  maps('a transform without destination changes nothing', 'a.x', '', { 'a.x': 'a.x' }),
];

const REFUSALS: readonly Scenario[] = [
  refuses('a source that is no subject', 'a..', 'b', 10155, 'stream transform source: invalid subject a..'),
  refusesDestination('a destination that is no subject', 'a.*', 'b..', `${WRONG} invalid transform`),
  refusesDestination('a destination with a wildcard', 'a.*', 'b.*', 'invalid subject'),
  refusesDestination('an open end on one side only', 'a.>', 'b', 'invalid subject'),
  refusesDestination('a wildcard that is not there', 'a.*', 'b.$2', `${WRONG} wildcard index out of range in $2: [2]`),
  refusesDestination('a wildcard of a literal', 'a.x', 'b.$1', `${WRONG} wildcard index out of range in $1`),
  refusesDestination('a function nobody knows', 'a.*', 'b.{{foo(1)}}', `${WRONG} unknown function in {{foo(1)}}`),
  refusesDestination('a number that is none', 'a.*', 'b.{{wildcard(x)}}', `${BAD_ARGUMENT} {{wildcard(x)}}`),
  refusesDestination(
    'a number too high',
    'a.*',
    '{{partition(2147483648)}}',
    `${BAD_ARGUMENT} {{partition(2147483648)}}`,
  ),
  refusesDestination(
    'an argument too few',
    'a.*',
    'b.{{left(1)}}',
    `${WRONG} not enough arguments passed to the function in {{left(1)}}`,
  ),
  refusesDestination(
    'an argument too many',
    'a.*',
    'b.{{split(1,-,-)}}',
    `${WRONG} too many arguments passed to the function in {{split(1,-,-)}}`,
  ),
];

export const TRANSFORM_SCENARIOS: readonly Scenario[] = [
  ...MAPPINGS,
  ...REFUSALS,
  scenario(
    'an empty source of a transform is shown',
    [NAME],
    [
      withTransform('', 'p.>'),
      answers(`STREAM.INFO.${NAME}`, '', { config: { subject_transform: { src: '', dest: 'p.>' } } }),
    ],
  ),
  scenario(
    'expectations about a subject are about the transformed one',
    [NAME],
    [
      withTransform('a.*', 'b.$1'),
      publishes('a.x', '1', undefined, { seq: 1 }),
      publishes('a.x', '2', 'Nats-Expected-Last-Subject-Sequence: 1', { seq: 2 }),
      publishes('a.x', '3', 'Nats-Expected-Last-Subject-Sequence: 1', { error: { err_code: 10071 } }),
      direct(`${NAME}.b.x`, '', [{ seq: 2, subject: 'b.x' }]),
    ],
  ),
  scenario(
    'a limit per subject counts the transformed subjects',
    [NAME],
    [
      withTransform('a.*', 'all', { max_msgs_per_subject: 1 }),
      messages(['a.x', '1'], ['a.y', '2']),
      answers(`STREAM.INFO.${NAME}`, { subjects_filter: '>' }, { state: { messages: 1, subjects: { all: 1 } } }),
    ],
  ),
  scenario(
    'a transform that is taken away does not touch what is stored',
    [NAME],
    [
      withTransform('a.*', 'b.$1', { num_replicas: 1 }),
      messages(['a.x', '1']),
      answers(
        `STREAM.UPDATE.${NAME}`,
        { name: NAME, subjects: ['a.>'], allow_direct: true, num_replicas: 1 },
        { config: { subjects: ['a.>'] } },
      ),
      messages(['a.x', '2']),
      answers(`STREAM.INFO.${NAME}`, { subjects_filter: '>' }, { state: { subjects: { 'b.x': 1, 'a.x': 1 } } }),
    ],
  ),
  scenario(
    'subscribers see the subject as it was published',
    [NAME],
    [
      withTransform('a.*', 'b.$1'),
      receives('a.>', [messages(['a.x', '1'])], [{ subject: 'a.x' }]),
      receives('b.>', [messages(['a.x', '1'])], []),
    ],
  ),
];
