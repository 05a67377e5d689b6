/** Owns what is expected of stream calls where several rules apply at once. */
import { ABSENT, answers, fails, onSingleServer, scenario, singleStream, stream } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const C = stream('C', { subjects: ['c.>'] });
const BAD_NAME = `stream name is required and can not contain '.', '*', '>', '\\', '/'`;
const MISMATCH = 'stream name in subject does not match request';

export const STREAM_CALL_SCENARIOS: readonly Scenario[] = [
  scenario(
    'an update is looked at before its name is compared with the subject, a creation is not',
    ['C'],
    [
      C,
      fails('STREAM.UPDATE.C', { subjects: ['c.>'] }, 500, 10052, BAD_NAME),
      fails('STREAM.UPDATE.C', { name: 'D', max_age: -1 }, 500, 10052, 'max age can not be negative'),
      fails('STREAM.UPDATE.C', { name: 'D' }, 400, 10056, MISMATCH),
      fails('STREAM.CREATE.C', { name: 'a.b' }, 400, 10056, MISMATCH),
    ],
  ),
  scenario(
    'sequence 0 is in front of what a file holds',
    ['C'],
    [C, fails('STREAM.MSG.DELETE.C', { seq: 0 }, 500, 10057, 'no message found')],
  ),
  scenario(
    'what a counter rules out is told before what its other settings lack',
    ['C'],
    [
      fails(
        'STREAM.CREATE.C',
        { name: 'C', allow_msg_counter: true, retention: 'workqueue', discard_new_per_subject: true },
        500,
        10052,
        'counter stream can only use limits retention',
      ),
      fails(
        'STREAM.CREATE.C',
        { name: 'C', allow_msg_counter: true, allow_msg_ttl: true, subject_delete_marker_ttl: 1 },
        500,
        10052,
        'counter stream cannot use message TTLs',
      ),
    ],
  ),
  onSingleServer(
    'a server of its own lists streams without a cluster',
    ['C'],
    [
      singleStream('C', { subjects: ['c.>'] }),
      answers('STREAM.LIST', { subject: 'c.x' }, { total: 1, streams: [{ config: { name: 'C' }, cluster: ABSENT }] }),
    ],
  ),
];
