/** Owns what is expected of streams that let go of what is done, when a consumer goes or changes (streams.md 7.1, consumers.md 6.6). */
import { EXPLICIT, takesFrom } from './consumer-steps.ts';
import { answers, consumer, messages, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';
import { becomes } from './timed-steps.ts';

const INTEREST = stream('C', { subjects: ['c.>'], retention: 'interest' });
const WORK_QUEUE = stream('C', { subjects: ['c.>'], retention: 'workqueue' });
const SIX = messages(['c.a', '1'], ['c.a', '2'], ['c.b', '3'], ['c.b', '4'], ['c.x', '5'], ['c.x', '6']);
const created = (name: string, config: object = {}): Step => consumer('C', name, { ...EXPLICIT, ...config });
const deletes = (name: string): Step => answers(`CONSUMER.DELETE.C.${name}`, '', { success: true });

export const CONSUMER_RETENTION_SCENARIOS: readonly Scenario[] = [
  scenario(
    'what only a deleted consumer had not acked goes with it',
    ['C'],
    [
      INTEREST,
      created('a'),
      created('b'),
      SIX,
      takesFrom('a', 3, '+ACK'),
      takesFrom('b', 5),
      deletes('b'),
      becomes('C', { messages: 3, first_seq: 4, last_seq: 6 }),
    ],
  ),
  scenario(
    'each consumer of an interest stream keeps what its filter wants',
    ['C'],
    [
      INTEREST,
      created('a', { filter_subject: 'c.a' }),
      created('b', { filter_subject: 'c.b' }),
      created('all'),
      SIX,
      takesFrom('a', 2, '+ACK'),
      deletes('all'),
      becomes('C', { messages: 2, first_seq: 3, last_seq: 6 }),
      deletes('b'),
      becomes('C', { messages: 0, first_seq: 7, last_seq: 6 }),
    ],
  ),
  scenario(
    'a consumer of an interest stream that wants other subjects lets go of what it wanted',
    ['C'],
    [
      INTEREST,
      created('a', { filter_subject: 'c.*' }),
      created('b', { filter_subject: 'c.b' }),
      SIX,
      created('a', { filter_subject: 'c.other' }),
      becomes('C', { messages: 2, first_seq: 3, last_seq: 6 }),
    ],
  ),
  scenario(
    'an interest stream keeps what is out of attempts as long as that consumer is there',
    ['C'],
    [
      INTEREST,
      created('a', { max_deliver: 1, ack_wait: 200e6 }),
      created('b'),
      SIX,
      takesFrom('a', 2),
      deletes('b'),
      becomes('C', { messages: 6 }),
      deletes('a'),
      becomes('C', { messages: 0, first_seq: 7 }),
    ],
  ),
  scenario(
    'a work queue keeps what the deleted consumer had not acked',
    ['C'],
    [
      WORK_QUEUE,
      created('a', { filter_subject: 'c.a' }),
      created('b', { filter_subject: 'c.b' }),
      SIX,
      takesFrom('a', 1, '+ACK'),
      takesFrom('b', 1),
      deletes('a'),
      deletes('b'),
      becomes('C', { messages: 5, first_seq: 2, last_seq: 6 }),
    ],
  ),
];
