/** Owns what is expected of requests that don't want to wait, where there is something to deliver but not to them. */
import { Ear, EXPLICIT, pullsInto, takesFrom } from './consumer-steps.ts';
import { answers, consumer, messages, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const C = stream('C', { subjects: ['c.>'] });
const FIVE = messages(...['1', '2', '3', '4', '5'].map((payload) => ['c.a', payload] as const));
const PATIENT_NS = 20e9;
const group = (policy: string, more: object = {}): Step =>
  consumer('C', 'd', { ...EXPLICIT, priority_policy: policy, priority_groups: ['g'], ...more });

const ear = new Ear('in.impatient');
const other = new Ear('in.other');
const events = new Ear('unused');

export const CONSUMER_ONE_SHOT_SCENARIOS: readonly Scenario[] = [
  scenario(
    'a request without patience is told at once that not enough is pending for it',
    ['C'],
    [
      C,
      FIVE,
      group('overflow'),
      ear.opens(),
      pullsInto(ear, 'd', { batch: 2, no_wait: true, group: 'g', min_pending: 6 }),
      ear.hears('404 No Messages'),
      pullsInto(ear, 'd', { batch: 2, no_wait: true, group: 'g', min_ack_pending: 1 }),
      ear.hears('404 No Messages'),
      answers('CONSUMER.INFO.C.d', '', { num_waiting: 0, num_pending: 5 }),
    ],
  ),
  scenario(
    'a request without patience gets what there is until not enough is pending any more',
    ['C'],
    [
      C,
      FIVE,
      group('overflow'),
      ear.opens(),
      pullsInto(ear, 'd', { batch: 5, no_wait: true, group: 'g', min_pending: 4 }),
      ear.hears('1', '2', '404 No Messages'),
      answers('CONSUMER.INFO.C.d', '', { num_waiting: 0, num_pending: 3, num_ack_pending: 2 }),
    ],
  ),
  scenario(
    'a request without patience but with time waits for enough to be pending',
    ['C'],
    [
      C,
      FIVE,
      group('overflow'),
      ear.opens(),
      pullsInto(ear, 'd', { batch: 1, no_wait: true, expires: PATIENT_NS, group: 'g', min_pending: 6 }),
      ear.hearsNothing(),
      messages(['c.a', '6']),
      ear.hears('1'),
    ],
  ),
  scenario(
    'a request without patience does not wait for the pin of another client to end',
    ['C'],
    [
      C,
      FIVE,
      group('pinned_client'),
      ear.opens(),
      other.opens(),
      pullsInto(other, 'd', { batch: 1, no_wait: true, group: 'g' }),
      other.hears('1'),
      pullsInto(ear, 'd', { batch: 1, no_wait: true, group: 'g' }),
      ear.hears('404 No Messages'),
      pullsInto(ear, 'd', { batch: 1, expires: 200e6, group: 'g' }),
      ear.hears('408 Request Timeout Nats-Pending-Messages=1 Nats-Pending-Bytes=0'),
      answers('CONSUMER.INFO.C.d', '', { num_waiting: 0, num_pending: 4 }),
    ],
  ),
  scenario(
    'a request without patience waits all the same where only acks are missing',
    ['C'],
    [
      C,
      FIVE,
      group('overflow', { max_ack_pending: 1 }),
      takesOne(),
      ear.opens(),
      pullsInto(ear, 'd', { batch: 1, no_wait: true, group: 'g' }),
      ear.hearsNothing(),
      other.confirms(0),
      ear.hears('2'),
    ],
  ),
  scenario(
    'a reason to terminate a message may be long',
    ['C'],
    [
      C,
      FIVE,
      events.on('$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.C.d'),
      consumer('C', 'd', EXPLICIT),
      takesFrom('d', 1, `+TERM ${'because '.repeat(4000)}`),
      events.hearsJson({ stream_seq: 1, reason: 'because '.repeat(4000).trim() }),
    ],
  ),
];

/** The first message, which is not acked yet. */
function takesOne(): Step {
  return async (client) => {
    await other.opens()(client);
    await pullsInto(other, 'd', { batch: 1, group: 'g' })(client);
    await other.hears('1')(client);
  };
}
