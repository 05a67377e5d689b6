/** Owns what is expected of mirrors (streams.md 7.9, 4.3). */
import assert from 'node:assert/strict';
import { areAlike, comesToHold, comesToShow, mirror } from './origin-steps.ts';
import {
  ABSENT,
  answers,
  consumer,
  direct,
  fails,
  hasNoResponders,
  messages,
  publishes,
  receives,
  scenario,
  stream,
} from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const UP = 'MU';
const MIRROR = 'MM';
const STREAMS = [UP, MIRROR];

const upstream = (config: object = {}): Step => stream(UP, { subjects: ['up.>'], ...config });
const four: Step = messages(['up.a', '1', 'H: v'], ['up.b', '2'], ['up.a', '3'], ['up.c', '4']);

function finds503(subject: string): Step {
  return async (client) => {
    const [reply] = await client.request(subject, 'x');
    assert.match(reply?.headers ?? '', /^NATS\/1\.0 503/, subject);
  };
}

export const MIRROR_SCENARIOS: readonly Scenario[] = [
  scenario('a mirror holds the messages of its origin, with their sequences and times', STREAMS, [
    upstream(),
    four,
    mirror(MIRROR, { name: UP }),
    comesToHold(MIRROR, [
      { seq: 1, subject: 'up.a', payload: '1', headers: 'NATS/1.0\r\nH: v\r\n\r\n' },
      { seq: 2, subject: 'up.b', payload: '2', headers: '' },
      { seq: 3, subject: 'up.a', payload: '3' },
      { seq: 4, subject: 'up.c', payload: '4' },
    ]),
    areAlike(UP, MIRROR, [1, 2, 3, 4]),
    messages(['up.d', '5']),
    comesToShow(MIRROR, { state: { messages: 5, last_seq: 5 }, mirror: { name: UP, lag: 0, error: ABSENT } }),
    areAlike(UP, MIRROR, [5]),
  ]),
  scenario('what is gone upstream is a gap in the mirror', STREAMS, [
    upstream(),
    four,
    answers(`STREAM.MSG.DELETE.${UP}`, { seq: 2 }, { success: true }),
    mirror(MIRROR, { name: UP }),
    comesToShow(MIRROR, { state: { messages: 3, first_seq: 1, last_seq: 4, num_deleted: 1 } }),
    areAlike(UP, MIRROR, [1, 3, 4]),
  ]),
  scenario('a mirror begins where its origin begins', STREAMS, [
    upstream(),
    four,
    answers(`STREAM.PURGE.${UP}`, { seq: 3 }, { purged: 2 }),
    mirror(MIRROR, { name: UP }),
    comesToShow(MIRROR, { state: { messages: 2, first_seq: 3, last_seq: 4 } }),
  ]),
  scenario('a mirror begins at the sequence it is told', STREAMS, [
    upstream(),
    four,
    mirror(MIRROR, { name: UP, opt_start_seq: 3 }),
    comesToShow(MIRROR, { state: { messages: 2, first_seq: 3, last_seq: 4 } }),
  ]),
  scenario('a filtered mirror leaves out what does not match', STREAMS, [
    upstream(),
    four,
    mirror(MIRROR, { name: UP, filter_subject: 'up.a' }),
    comesToHold(MIRROR, [
      { seq: 1, subject: 'up.a', payload: '1' },
      { seq: 3, subject: 'up.a', payload: '3' },
    ]),
    comesToShow(MIRROR, { mirror: { filter_subject: 'up.a' } }),
  ]),
  scenario('a mirror with transforms takes what they match, under other subjects', STREAMS, [
    upstream(),
    four,
    mirror(MIRROR, {
      name: UP,
      subject_transforms: [
        { src: 'up.b', dest: 'other' },
        { src: 'up.c', dest: '' },
      ],
    }),
    comesToHold(MIRROR, [
      { seq: 2, subject: 'other', payload: '2' },
      { seq: 4, subject: 'up.c', payload: '4' },
    ]),
  ]),
  scenario('the transform of the mirror itself comes last', STREAMS, [
    upstream(),
    four,
    mirror(
      MIRROR,
      { name: UP, subject_transforms: [{ src: 'up.*', dest: 'mid.$1' }] },
      { subject_transform: { src: 'mid.*', dest: 'end.$1' } },
    ),
    comesToHold(MIRROR, [
      { seq: 1, subject: 'end.a' },
      { seq: 2, subject: 'end.b' },
      { seq: 3, subject: 'end.a' },
      { seq: 4, subject: 'end.c' },
    ]),
  ]),
  scenario('a mirror keeps no expectations', STREAMS, [
    upstream(),
    publishes('up.a', '1', 'Nats-Expected-Last-Sequence: 0\r\nNats-Msg-Id: x\r\nK: v', { seq: 1 }),
    mirror(MIRROR, { name: UP }),
    comesToHold(MIRROR, [{ seq: 1, subject: 'up.a', headers: 'NATS/1.0\r\nNats-Msg-Id: x\r\nK: v\r\n\r\n' }]),
  ]),
  scenario('a mirror has limits of its own', STREAMS, [
    upstream(),
    four,
    mirror(MIRROR, { name: UP }, { max_msgs: 2 }),
    comesToShow(MIRROR, { state: { messages: 2, first_seq: 3, last_seq: 4 } }),
  ]),
  scenario('what is removed from a mirror is gone there alone, and for good', STREAMS, [
    upstream(),
    four,
    mirror(MIRROR, { name: UP }),
    comesToShow(MIRROR, { state: { messages: 4 } }),
    answers(`STREAM.MSG.DELETE.${MIRROR}`, { seq: 2 }, { success: true }),
    answers(`STREAM.PURGE.${MIRROR}`, { filter: 'up.a' }, { purged: 2 }),
    messages(['up.d', '5']),
    comesToHold(MIRROR, [
      { seq: 4, subject: 'up.c' },
      { seq: 5, subject: 'up.d' },
    ]),
    answers(`STREAM.INFO.${UP}`, '', { state: { messages: 5 } }),
  ]),
  scenario('a mirror of nothing says so, and takes what comes to be', STREAMS, [
    mirror(MIRROR, { name: UP }),
    comesToShow(MIRROR, { mirror: { name: UP, active: -1, error: { code: 404, err_code: 10059 } } }),
    upstream(),
    four,
    comesToShow(MIRROR, { state: { messages: 4 }, mirror: { error: ABSENT } }),
  ]),
  scenario('nobody can publish to a mirror', STREAMS, [upstream(), mirror(MIRROR, { name: UP }), finds503(MIRROR)]),
  scenario(
    'a mirror of a mirror holds the same',
    [...STREAMS, 'MM2'],
    [
      upstream(),
      four,
      mirror(MIRROR, { name: UP }),
      mirror('MM2', { name: MIRROR }),
      comesToShow('MM2', { state: { messages: 4, last_seq: 4 } }),
      areAlike(UP, 'MM2', [1, 2, 3, 4]),
    ],
  ),
  scenario('a promoted mirror goes on as a stream of its own', STREAMS, [
    upstream(),
    four,
    mirror(MIRROR, { name: UP }, { num_replicas: 1 }),
    comesToShow(MIRROR, { state: { messages: 4 } }),
    answers(`STREAM.UPDATE.${MIRROR}`, { name: MIRROR, subjects: ['own.>'] }, { config: { mirror: ABSENT } }),
    publishes('own.x', '5', undefined, { seq: 5 }),
    messages(['up.d', 'not for the promoted one']),
    comesToShow(MIRROR, { state: { messages: 5, last_seq: 5 }, mirror: ABSENT }),
  ]),
  scenario('a mirror answers direct gets of its own', STREAMS, [
    upstream({ allow_direct: true }),
    four,
    mirror(MIRROR, { name: UP }, { allow_direct: true }),
    comesToShow(MIRROR, { state: { messages: 4 } }),
    direct(MIRROR, { seq: 3 }, [{ seq: 3, subject: 'up.a', payload: '3', headers: { 'Nats-Stream': MIRROR } }]),
    direct(`${MIRROR}.up.a`, '', [{ seq: 3, payload: '3' }]),
  ]),
  scenario('a mirror without direct access answers none under its own name', STREAMS, [
    upstream(),
    mirror(MIRROR, { name: UP }),
    hasNoResponders(`DIRECT.GET.${MIRROR}`, { seq: 1 }),
  ]),
  scenario('consumers of a mirror work as anywhere', STREAMS, [
    upstream(),
    four,
    mirror(MIRROR, { name: UP }),
    comesToShow(MIRROR, { state: { messages: 4 } }),
    consumer(MIRROR, 'c', { ack_policy: 'explicit', filter_subject: 'up.a' }),
    answers(`CONSUMER.INFO.${MIRROR}.c`, '', { num_pending: 2 }),
  ]),
  scenario('the mirror of a work queue empties it', STREAMS, [
    upstream({ retention: 'workqueue' }),
    four,
    mirror(MIRROR, { name: UP }),
    comesToShow(MIRROR, { state: { messages: 4, last_seq: 4 } }),
    comesToShow(UP, { state: { messages: 0, last_seq: 4, consumer_count: 1 } }),
  ]),
  scenario('a mirror takes from a consumer that the user made', STREAMS, [
    upstream(),
    four,
    consumer(UP, 'made', { deliver_subject: 'made.for.mm', ack_policy: 'flow_control', max_ack_pending: 100 }),
    mirror(MIRROR, { name: UP, consumer: { name: 'made', deliver_subject: 'made.for.mm' } }),
    comesToShow(MIRROR, { state: { messages: 4, last_seq: 4 } }),
    comesToShow(UP, { state: { consumer_count: 1 } }),
  ]),
  scenario('a consumer that the user made must ack by flow control', STREAMS, [
    upstream(),
    consumer(UP, 'made', { deliver_subject: 'made.for.mm', ack_policy: 'explicit' }),
    mirror(MIRROR, { name: UP, consumer: { name: 'made', deliver_subject: 'made.for.mm' } }),
    comesToShow(MIRROR, {
      mirror: {
        error: { code: 400, err_code: 10214, description: 'stream mirror consumer requires flow control ack policy' },
      },
    }),
  ]),
  scenario('the consumers of mirrors are not seen upstream', STREAMS, [
    upstream(),
    four,
    mirror(MIRROR, { name: UP }),
    comesToShow(MIRROR, { state: { messages: 4 } }),
    answers(`CONSUMER.NAMES.${UP}`, '', { total: 0 }),
    answers(`STREAM.INFO.${UP}`, '', { state: { consumer_count: 0 } }),
  ]),
  scenario('a mirror republishes what it takes', STREAMS, [
    upstream(),
    mirror(MIRROR, { name: UP }, { republish: { src: 'up.>', dest: 'again.>' } }),
    comesToShow(MIRROR, { mirror: { error: ABSENT } }),
    receives('again.>', [messages(['up.a', '1'])], [{ subject: 'again.a', headers: { 'Nats-Stream': MIRROR } }]),
  ]),
  scenario('a mirror can not be sealed from the start', STREAMS, [
    upstream(),
    fails(
      `STREAM.CREATE.${MIRROR}`,
      { name: MIRROR, mirror: { name: UP }, sealed: true },
      500,
      10052,
      'stream configuration for create can not be sealed',
    ),
  ]),
];
