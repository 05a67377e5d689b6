/** Owns what is expected of reading, deleting and purging messages, and of publishing (streams.md 3.6 to 3.9 and 5). */
import {
  ABSENT,
  answers,
  direct,
  endOfBatch,
  fails,
  hasNoResponders,
  messages,
  publishes,
  scenario,
  SOME_TIME,
  stream,
} from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const FIVE = messages(['d.a', 'v1'], ['d.b', 'v2'], ['d.a', 'v3'], ['d.c', 'v4'], ['d.a', 'v5']);
/** Stream `D` with five messages on three subjects. */
const filled: readonly Step[] = [stream('D', { subjects: ['d.>'], allow_direct: true }), FIVE];
const LONG_AGO = '2020-01-01T00:00:00Z';

const PURGE: readonly Scenario[] = [
  scenario(
    'a purge removes everything, and sequences go on',
    ['D'],
    [
      ...filled,
      answers('STREAM.PURGE.D', '', {
        type: 'io.nats.jetstream.api.v1.stream_purge_response',
        success: true,
        purged: 5,
      }),
      answers('STREAM.INFO.D', '', { state: { messages: 0, first_seq: 6, last_seq: 5 } }),
    ],
  ),
  scenario(
    'a body that is no JSON purges everything',
    ['D'],
    [...filled, answers('STREAM.PURGE.D', 'garbage', { purged: 5 })],
  ),
  scenario(
    'a purge up to a sequence',
    ['D'],
    [
      ...filled,
      answers('STREAM.PURGE.D', { seq: 3 }, { purged: 2 }),
      answers('STREAM.INFO.D', '', { state: { messages: 3, first_seq: 3 } }),
    ],
  ),
  scenario(
    'a purge far ahead moves the stream',
    ['D'],
    [
      ...filled,
      answers('STREAM.PURGE.D', { seq: 100 }, { purged: 5 }),
      answers('STREAM.INFO.D', '', { state: { messages: 0, first_seq: 100, last_seq: 99 } }),
    ],
  ),
  scenario(
    'a purge that keeps some',
    ['D'],
    [
      ...filled,
      answers('STREAM.PURGE.D', { keep: 2 }, { purged: 3 }),
      answers('STREAM.INFO.D', '', { state: { messages: 2, first_seq: 4 } }),
    ],
  ),
  scenario(
    'a purge of one subject',
    ['D'],
    [
      ...filled,
      answers('STREAM.PURGE.D', { filter: 'd.a', keep: 1 }, { purged: 2 }),
      answers('STREAM.PURGE.D', { filter: 'd.a', seq: 5 }, { purged: 0 }),
      answers('STREAM.PURGE.D', { filter: 'd.none' }, { success: true, purged: 0 }),
      answers(
        'STREAM.INFO.D',
        { subjects_filter: '>' },
        { state: { messages: 3, first_seq: 2, subjects: { 'd.a': 1, 'd.b': 1, 'd.c': 1 } } },
      ),
    ],
  ),
  scenario(
    'a purge can not both keep and stop',
    ['D'],
    [...filled, fails('STREAM.PURGE.D', { seq: 2, keep: 1 }, 400, 10003, 'bad request')],
  ),
  scenario(
    'purge and delete can be denied',
    ['D'],
    [
      stream('D', { deny_purge: true, deny_delete: true }),
      fails('STREAM.PURGE.D', '', 500, 10110, 'stream purge not permitted'),
      fails('STREAM.MSG.DELETE.D', { seq: 1 }, 500, 10057, 'message delete not permitted'),
    ],
  ),
];

const DELETE: readonly Scenario[] = [
  scenario(
    'a message is deleted once',
    ['D'],
    [
      ...filled,
      fails('STREAM.MSG.DELETE.D', '', 400, 10003, 'bad request'),
      answers(
        'STREAM.MSG.DELETE.D',
        { seq: 2 },
        { type: 'io.nats.jetstream.api.v1.stream_msg_delete_response', success: true },
      ),
      answers('STREAM.MSG.DELETE.D', { seq: 3, no_erase: true }, { success: true }),
      fails('STREAM.MSG.DELETE.D', { seq: 2 }, 400, 10043, 'sequence 2 not found'),
      fails('STREAM.MSG.DELETE.D', { seq: 99 }, 500, 10057, 'stream store EOF'),
      fails('STREAM.MSG.DELETE.D', { seq: 0 }, 500, 10057, 'no message found'),
    ],
  ),
  scenario(
    'memory streams know only one way to miss a sequence',
    ['M'],
    [stream('M', { storage: 'memory' }), fails('STREAM.MSG.DELETE.M', { seq: 9 }, 400, 10043, 'sequence 9 not found')],
  ),
  scenario(
    'deleting the last message keeps its sequence',
    ['D'],
    [
      ...filled,
      answers('STREAM.MSG.DELETE.D', { seq: 5 }, { success: true }),
      answers('STREAM.INFO.D', '', { state: { messages: 4, last_seq: 5, num_deleted: 1 } }),
    ],
  ),
];

const GET: readonly Scenario[] = [
  scenario(
    'a message by its sequence, headers and all',
    ['D'],
    [
      stream('D', { subjects: ['d.>'] }),
      messages(['d.a', 'v1', 'H: h1'], ['d.b', '']),
      answers(
        'STREAM.MSG.GET.D',
        { seq: 1 },
        {
          type: 'io.nats.jetstream.api.v1.stream_msg_get_response',
          message: {
            subject: 'd.a',
            seq: 1,
            hdrs: Buffer.from('NATS/1.0\r\nH: h1\r\n\r\n').toString('base64'),
            data: 'djE=',
            time: SOME_TIME,
          },
        },
      ),
      answers('STREAM.MSG.GET.D', { seq: 1, no_hdr: true }, { message: { hdrs: ABSENT, data: 'djE=' } }),
      answers('STREAM.MSG.GET.D', { seq: 2 }, { message: { subject: 'd.b', seq: 2, hdrs: ABSENT, data: ABSENT } }),
    ],
  ),
  scenario(
    'the last or the next message of a subject',
    ['D'],
    [
      ...filled,
      answers('STREAM.MSG.GET.D', { last_by_subj: 'd.a' }, { message: { seq: 5 } }),
      answers('STREAM.MSG.GET.D', { last_by_subj: 'd.*' }, { message: { seq: 5 } }),
      answers('STREAM.MSG.GET.D', { next_by_subj: 'd.a' }, { message: { seq: 1 } }),
      answers('STREAM.MSG.GET.D', { seq: 2, next_by_subj: 'd.a' }, { message: { seq: 3 } }),
      answers('STREAM.MSG.GET.D', { start_time: LONG_AGO, next_by_subj: 'd.b' }, { message: { seq: 2 } }),
      answers('STREAM.MSG.GET.D', { start_time: LONG_AGO }, { message: { seq: 1 } }),
    ],
  ),
  scenario(
    'messages that are not there',
    ['D'],
    [
      ...filled,
      fails('STREAM.MSG.GET.D', { seq: 9 }, 404, 10037, 'no message found'),
      fails('STREAM.MSG.GET.D', { last_by_subj: 'd.x' }, 404, 10037, 'no message found'),
      fails('STREAM.MSG.GET.D', { next_by_subj: 'd.b', seq: 3 }, 404, 10037, 'no message found'),
      fails('STREAM.MSG.GET.D', { start_time: '2200-01-01T00:00:00Z' }, 404, 10037, 'no message found'),
    ],
  ),
  scenario(
    'requests for messages that contradict themselves',
    ['D'],
    [
      ...filled,
      fails('STREAM.MSG.GET.D', '', 400, 10003, 'bad request'),
      fails('STREAM.MSG.GET.D', { seq: 1, last_by_subj: 'd.a' }, 400, 10003, 'bad request'),
      fails('STREAM.MSG.GET.D', { seq: 1, start_time: LONG_AGO }, 400, 10003, 'bad request'),
      fails('STREAM.MSG.GET.D', { last_by_subj: 'd.a', next_by_subj: 'd.a' }, 400, 10003, 'bad request'),
      fails('STREAM.MSG.GET.D', { seq: 1, batch: 2 }, 400, 10003, 'bad request'),
      fails('STREAM.MSG.GET.D', { multi_last: ['d.a'] }, 400, 10003, 'bad request'),
    ],
  ),
];

const DIRECT: readonly Scenario[] = [
  scenario(
    'direct get needs to be allowed',
    ['D'],
    [
      stream('D', { subjects: ['d.>'] }),
      hasNoResponders('DIRECT.GET.D', { seq: 1 }),
      hasNoResponders('DIRECT.GET.NOPE', { seq: 1 }),
    ],
  ),
  scenario(
    'a direct get adds its headers behind those of the message',
    ['D'],
    [
      stream('D', { subjects: ['d.>'], allow_direct: true }),
      messages(['d.a', 'v1', 'H: h1']),
      direct('D', { seq: 1 }, [{ seq: 1, subject: 'd.a', payload: 'v1', headers: { H: 'h1', 'Nats-Stream': 'D' } }]),
      direct('D', { seq: 1, no_hdr: true }, [{ bare: true, payload: 'v1' }]),
    ],
  ),
  scenario(
    'direct gets by subject, sequence and time',
    ['D'],
    [
      ...filled,
      direct('D.d.a', '', [{ seq: 5, payload: 'v5' }]),
      direct('D.d.*', { no_hdr: true }, [{ bare: true, payload: 'v5' }]),
      direct('D', { last_by_subj: 'd.b' }, [{ seq: 2 }]),
      direct('D', { next_by_subj: 'd.a', seq: 2 }, [{ seq: 3 }]),
      direct('D', { start_time: LONG_AGO }, [{ seq: 1 }]),
      direct('D', { seq: 2, unknown: true }, [{ seq: 2 }]),
    ],
  ),
  scenario(
    'direct gets that can not be answered get a status',
    ['D'],
    [
      ...filled,
      direct('D', '', [{ status: '408 Empty Request' }]),
      direct('D', {}, [{ status: '408 Empty Request' }]),
      direct('D', { batch: 2 }, [{ status: '408 Empty Request' }]),
      direct('D', 'garbage', [{ status: '408 Malformed Request' }]),
      direct('D', '{"seq":"x"}', [{ status: '408 Malformed Request' }]),
      direct('D', { seq: 1, last_by_subj: 'd.a' }, [{ status: '408 Bad Request' }]),
      direct('D', { last_by_subj: 'd.a', batch: 1 }, [{ status: '408 Bad Request' }]),
      direct('D', { multi_last: ['d.a'], up_to_seq: 1, up_to_time: LONG_AGO }, [{ status: '408 Bad Request' }]),
      direct('D.d.a', { seq: 1 }, [{ status: '408 Bad Request' }]),
      direct('D.d.a', 'garbage', [{ status: '408 Malformed Request' }]),
      direct('D', { seq: 9 }, [{ status: '404 Message Not Found' }]),
      direct('D.d.x', '', [{ status: '404 Message Not Found' }]),
      direct('D', { seq: 9, batch: 2 }, [{ status: '404 Message Not Found' }]),
      direct('D', { multi_last: ['x'] }, [{ status: '404 No Results' }]),
      direct('D', { multi_last: ['d.>'], up_to_time: LONG_AGO }, [{ status: '404 No Results' }]),
      direct('D', { seq: 1 }, [{ status: '412 Required Api Level' }], 'Nats-Required-Api-Level: 99'),
    ],
  ),
  scenario(
    'a batch counts down what is left',
    ['D'],
    [
      ...filled,
      direct('D', { seq: 2, batch: 2 }, [
        { seq: 2, headers: { 'Nats-Num-Pending': '3', 'Nats-Last-Sequence': '0' } },
        { seq: 3, headers: { 'Nats-Num-Pending': '2', 'Nats-Last-Sequence': '2' } },
        endOfBatch(2, 3),
      ]),
      direct('D', { next_by_subj: 'd.a', batch: 9 }, [{ seq: 1 }, { seq: 3 }, { seq: 5 }, endOfBatch(0, 5)]),
      direct('D', { seq: 1, batch: 9, max_bytes: 6 }, [{ seq: 1 }, { seq: 2 }, endOfBatch(3, 2)]),
      direct('D', { start_time: LONG_AGO, batch: 1 }, [{ seq: 1 }, endOfBatch(4, 1)]),
    ],
  ),
  scenario(
    'the last messages of many subjects',
    ['D'],
    [
      ...filled,
      direct('D', { multi_last: ['d.>'] }, [
        { seq: 2, headers: { 'Nats-Num-Pending': '2', 'Nats-Last-Sequence': '0' } },
        { seq: 4, headers: { 'Nats-Num-Pending': '1', 'Nats-Last-Sequence': '2' } },
        { seq: 5, headers: { 'Nats-Num-Pending': '0', 'Nats-Last-Sequence': '4' } },
        endOfBatch(0, 5, 5),
      ]),
      direct('D', { multi_last: ['d.a', 'd.*'], up_to_seq: 3 }, [{ seq: 2 }, { seq: 3 }, endOfBatch(0, 3, 3)]),
      direct('D', { multi_last: ['d.>'], batch: 1 }, [{ seq: 2 }, endOfBatch(2, 2, 5)]),
      direct('D', { multi_last: ['d.>'], seq: 4 }, [{ seq: 4 }, { seq: 5 }, endOfBatch(0, 5, 5)]),
      direct('D', { multi_last: ['d.>'], seq: 9 }, [endOfBatch(0, 0, 5)]),
    ],
  ),
];

const wrongLast = (actual: number): object => ({
  error: { code: 400, err_code: 10071, description: `wrong last sequence: ${actual}` },
});

const PUBLISH: readonly Scenario[] = [
  scenario(
    'a publish is acknowledged with stream and sequence',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      publishes('p.a', 'x', undefined, { stream: 'P', seq: 1, duplicate: ABSENT, error: ABSENT }),
      publishes('p.b', 'x', undefined, { stream: 'P', seq: 2 }),
    ],
  ),
  scenario(
    'a repeated message id is a duplicate',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      publishes('p.a', 'x', 'Nats-Msg-Id: one', { seq: 1, duplicate: ABSENT }),
      publishes('p.b', 'x', undefined, { seq: 2 }),
      publishes('p.c', 'x', 'Nats-Msg-Id: one', { seq: 1, duplicate: true }),
      publishes('p.c', 'x', 'nats-msg-id: one', { seq: 3, duplicate: ABSENT }),
    ],
  ),
  scenario(
    'expectations of a publish are checked',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      publishes('p.a', 'x', 'Nats-Expected-Last-Sequence: 0', { seq: 1 }),
      publishes('p.a', 'x', 'Nats-Expected-Last-Sequence: 0', { ...wrongLast(1), stream: 'P', seq: 0 }),
      publishes('p.b', 'x', 'Nats-Expected-Last-Subject-Sequence: 0', { seq: 2 }),
      publishes('p.a', 'x', 'Nats-Expected-Last-Subject-Sequence: 2', wrongLast(1)),
      publishes('p.a', 'x', 'Nats-Expected-Last-Sequence: junk', wrongLast(2)),
      publishes('p.a', 'x', 'Nats-Expected-Stream: Q', { error: { err_code: 10060 } }),
      publishes('p.a', 'x', 'Nats-Expected-Last-Msg-Id: q', {
        error: { err_code: 10070, description: 'wrong last msg ID: ' },
      }),
      publishes('p.a', 'x', 'Nats-Expected-Last-Subject-Sequence-Subject: p.*', { error: { err_code: 10193 } }),
    ],
  ),
  scenario(
    'roll-ups replace what they stand for',
    ['P'],
    [
      stream('P', { subjects: ['p.>'], allow_rollup_hdrs: true }),
      messages(['p.a', '1'], ['p.b', '2'], ['p.a', '3']),
      publishes('p.a', 'x', 'Nats-Rollup: SUB', { seq: 4 }),
      answers('STREAM.INFO.P', '', { state: { messages: 2, first_seq: 2 } }),
      publishes('p.a', 'x', 'Nats-Rollup: foo', {
        error: { code: 500, err_code: 10111, description: 'rollup value invalid: "foo"' },
      }),
      publishes('p.c', 'x', 'Nats-Rollup: all', { seq: 5 }),
      answers('STREAM.INFO.P', '', { state: { messages: 1, first_seq: 5 } }),
    ],
  ),
  scenario(
    'roll-ups need permission',
    ['P'],
    [
      stream('P', { subjects: ['p.>'] }),
      publishes('p.a', 'x', 'Nats-Rollup: sub', { error: { err_code: 10111, description: 'rollup not permitted' } }),
    ],
  ),
  scenario(
    'a message too large is refused',
    ['P'],
    [
      stream('P', { subjects: ['p.>'], max_msg_size: 4 }),
      publishes('p.a', '12345', undefined, { error: { code: 400, err_code: 10054 } }),
      publishes('p.a', '1234', undefined, { seq: 1 }),
    ],
  ),
  scenario(
    'discard new refuses what does not fit',
    ['P'],
    [
      stream('P', { subjects: ['p.>'], max_msgs: 1, discard: 'new' }),
      publishes('p.a', 'x', undefined, { seq: 1 }),
      publishes('p.b', 'x', undefined, {
        error: { code: 503, err_code: 10077, description: 'maximum messages exceeded' },
      }),
    ],
  ),
  scenario(
    'discard old drops from the head, per subject and overall',
    ['P'],
    [
      stream('P', { subjects: ['p.>'], max_msgs: 3, max_msgs_per_subject: 2 }),
      messages(['p.a', '1'], ['p.a', '2'], ['p.a', '3'], ['p.b', '4'], ['p.c', '5']),
      answers(
        'STREAM.INFO.P',
        { subjects_filter: '>' },
        { state: { messages: 3, first_seq: 3, subjects: { 'p.a': 1, 'p.b': 1, 'p.c': 1 } } },
      ),
    ],
  ),
  scenario(
    'a stream can start at any sequence',
    ['P'],
    [stream('P', { subjects: ['p.>'], first_seq: 100 }), publishes('p.a', 'x', undefined, { seq: 100 })],
  ),
];

export const MESSAGE_SCENARIOS: readonly Scenario[] = [...PURGE, ...DELETE, ...GET, ...DIRECT, ...PUBLISH];
