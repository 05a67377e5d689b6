/** Owns what is expected of republishing (streams.md section 6). */
import { ABSENT, answers, fails, messages, publishes, receives, scenario, SOME_TIME, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const NAME = 'RP';

function republishing(republish: object, config: object = {}): Step {
  return stream(NAME, { subjects: ['a.>'], republish, ...config });
}

function refuses(title: string, republish: object, text: string): Scenario {
  const config = { name: NAME, subjects: ['a.>'], republish };
  return scenario(title, [NAME], [fails(`STREAM.CREATE.${NAME}`, config, 500, 10052, text)]);
}

const CYCLE = 'stream configuration for republish destination forms a cycle';
const notValid = (src: string, dest: string): string =>
  `stream configuration for republish with transform from '${src}' to '${dest}' not valid`;

export const REPUBLISH_SCENARIOS: readonly Scenario[] = [
  scenario(
    'what is stored goes out once more, and says where it is stored',
    [NAME],
    [
      republishing({ src: 'a.>', dest: 'out.>' }),
      receives(
        'out.>',
        [messages(['a.x', 'one', 'H: v'], ['a.y', 'two'], ['a.x', 'three'])],
        [
          {
            subject: 'out.x',
            payload: 'one',
            headers: {
              H: 'v',
              'Nats-Stream': NAME,
              'Nats-Subject': 'a.x',
              'Nats-Sequence': '1',
              'Nats-Time-Stamp': SOME_TIME,
              'Nats-Last-Sequence': '0',
              'Nats-Msg-Size': ABSENT,
            },
          },
          { subject: 'out.y', payload: 'two', headers: { 'Nats-Sequence': '2', 'Nats-Last-Sequence': '0' } },
          { subject: 'out.x', payload: 'three', headers: { 'Nats-Sequence': '3', 'Nats-Last-Sequence': '1' } },
        ],
      ),
    ],
  ),
  scenario(
    'headers alone come with the size of the payload',
    [NAME],
    [
      republishing({ src: '>', dest: 'out.>', headers_only: true }),
      receives(
        'out.>',
        [messages(['a.x', 'three bytes'])],
        [{ subject: 'out.a.x', payload: '', headers: { 'Nats-Msg-Size': '11', 'Nats-Sequence': '1' } }],
      ),
    ],
  ),
  scenario(
    'only what matches the source goes out',
    [NAME],
    [
      republishing({ src: 'a.*', dest: 'out.$1' }),
      receives('out.>', [messages(['a.x.y', '1'], ['a.z', '2'])], [{ subject: 'out.z', payload: '2' }]),
    ],
  ),
  scenario(
    'an empty source is everything',
    [NAME],
    [
      answers(
        `STREAM.CREATE.${NAME}`,
        { name: NAME, subjects: ['a.>'], republish: { dest: 'out.>' } },
        { config: { republish: { src: '>', dest: 'out.>', headers_only: ABSENT } } },
      ),
      receives('out.>', [messages(['a.x', '1'])], [{ subject: 'out.a.x' }]),
    ],
  ),
  scenario(
    'what is refused or a duplicate does not go out',
    [NAME],
    [
      republishing({ src: 'a.>', dest: 'out.>' }),
      receives(
        'out.>',
        [
          publishes('a.x', '1', 'Nats-Msg-Id: 1', { seq: 1 }),
          publishes('a.x', '1', 'Nats-Msg-Id: 1', { duplicate: true }),
          publishes('a.x', '2', 'Nats-Expected-Last-Sequence: 7', { error: { err_code: 10071 } }),
        ],
        [{ subject: 'out.x', headers: { 'Nats-Msg-Id': '1' } }],
      ),
    ],
  ),
  scenario(
    'what nobody is interested in does not go out',
    [NAME],
    [
      republishing({ src: 'a.>', dest: 'out.>' }, { retention: 'interest' }),
      receives('out.>', [publishes('a.x', '1', undefined, { seq: 1 })], []),
    ],
  ),
  scenario(
    'the source sees the transformed subject',
    [NAME],
    [
      republishing({ src: 'b.>', dest: 'out.>' }, { subject_transform: { src: 'a.>', dest: 'b.>' } }),
      receives('out.>', [messages(['a.x', '1'])], [{ subject: 'out.x', headers: { 'Nats-Subject': 'b.x' } }]),
    ],
  ),
  scenario(
    'another stream stores what goes out',
    [NAME, 'RP2'],
    [
      stream('RP2', { subjects: ['out.>'] }),
      republishing({ src: 'a.>', dest: 'out.>' }),
      receives('out.>', [messages(['a.x', '1'])], [{ subject: 'out.x' }]),
      publishes('out.x', '2', undefined, { seq: 2 }),
      answers('STREAM.INFO.RP2', '', { state: { messages: 2 } }),
    ],
  ),
  scenario(
    'republishing ends with an update',
    [NAME],
    [
      republishing({ src: 'a.>', dest: 'out.>' }, { num_replicas: 1 }),
      answers(`STREAM.UPDATE.${NAME}`, { name: NAME, subjects: ['a.>'] }, { config: { republish: ABSENT } }),
      receives('out.>', [messages(['a.x', '1'])], []),
    ],
  ),
  scenario(
    'a destination with functions is computed for each message',
    [NAME],
    [
      republishing({ src: 'a.*', dest: 'out.{{partition(3,1)}}.$1' }),
      receives('out.>', [messages(['a.x', '1'], ['a.y', '2'])], [{ subject: 'out.0.x' }, { subject: 'out.1.y' }]),
    ],
  ),
  refuses('a destination that the stream captures', { src: 'a.>', dest: 'a.b.>' }, CYCLE),
  refuses('a destination that can not be computed', { src: 'a.*', dest: 'b.$2' }, notValid('a.*', 'b.$2')),
  refuses('an open end that is not kept', { src: 'a.>', dest: 'b' }, notValid('a.>', 'b')),
  refuses('a source to republish that is no subject', { src: 'a..', dest: 'b' }, notValid('a..', 'b')),
  scenario(
    'a pedantic client must name the source to republish',
    [NAME],
    [
      fails(
        `STREAM.CREATE.${NAME}`,
        { name: NAME, subjects: ['a.>'], republish: { dest: 'out.>' }, pedantic: true },
        400,
        10157,
        'pedantic mode: republish source can not be empty',
      ),
    ],
  ),
];
