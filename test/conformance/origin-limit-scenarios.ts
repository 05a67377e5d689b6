/** Owns what is expected where messages of an origin meet limits and rules of the stream that takes them (streams.md 7.9, 7.10). */
import { comesToHold, comesToShow, mirror, sourcing } from './origin-steps.ts';
import { answers, messages, scenario, stream, type Scenario, type Step } from './scenario.ts';

const UP = 'LU';
const DOWN = 'LD';
const STREAMS = [UP, DOWN];

const upstream = (config: object = {}): Step => stream(UP, { subjects: ['up.>'], ...config });
const five: Step = messages(['up.a', '1'], ['up.b', '2'], ['up.a', '3'], ['up.a', '4'], ['up.b', '5']);

export const ORIGIN_LIMIT_SCENARIOS: readonly Scenario[] = [
  scenario('a full mirror that discards new messages takes no more', STREAMS, [
    upstream(),
    five,
    mirror(DOWN, { name: UP }, { discard: 'new', max_msgs: 3 }),
    comesToHold(DOWN, [
      { seq: 1, subject: 'up.a', payload: '1' },
      { seq: 2, subject: 'up.b', payload: '2' },
      { seq: 3, subject: 'up.a', payload: '3' },
    ]),
  ]),
  scenario('a mirror takes nothing behind a message that is too large for it', STREAMS, [
    upstream(),
    messages(['up.a', 'short'], ['up.a', 'long'.repeat(50)], ['up.a', 'short']),
    mirror(DOWN, { name: UP }, { max_msg_size: 100 }),
    comesToHold(DOWN, [{ seq: 1, subject: 'up.a', payload: 'short' }]),
  ]),
  scenario('a mirror obeys rollups where it allows them', STREAMS, [
    upstream({ allow_rollup_hdrs: true }),
    mirror(DOWN, { name: UP }, { allow_rollup_hdrs: true }),
    five,
    comesToShow(DOWN, { state: { messages: 5 } }),
    messages(['up.a', '6', 'Nats-Rollup: sub']),
    comesToShow(DOWN, { state: { messages: 3, first_seq: 2, last_seq: 6 } }),
    messages(['up.c', '7', 'Nats-Rollup: all']),
    comesToShow(DOWN, { state: { messages: 1, first_seq: 7, last_seq: 7 } }),
  ]),
  scenario('a mirror that allows no rollups keeps what its origin rolled up', STREAMS, [
    upstream({ allow_rollup_hdrs: true }),
    mirror(DOWN, { name: UP }),
    five,
    comesToShow(DOWN, { state: { messages: 5 } }),
    messages(['up.a', '6', 'Nats-Rollup: all']),
    comesToShow(DOWN, { state: { messages: 6, first_seq: 1, last_seq: 6 } }),
  ]),
  scenario('a mirror stands before the sequence that it waits for', STREAMS, [
    upstream(),
    five,
    mirror(DOWN, { name: UP, opt_start_seq: 100 }),
    comesToShow(DOWN, { state: { messages: 0, first_seq: 100, last_seq: 99 } }),
  ]),
  scenario('a mirror stands where its empty origin stands', STREAMS, [
    upstream(),
    five,
    answers(`STREAM.PURGE.${UP}`, '', { purged: 5 }),
    mirror(DOWN, { name: UP }),
    comesToShow(DOWN, { state: { messages: 0, first_seq: 6, last_seq: 5 } }),
  ]),
  scenario('a message of a source lives at least as long as the markers of the stream that takes it', STREAMS, [
    upstream({ allow_msg_ttl: true }),
    messages(['up.a', '1', 'Nats-TTL: 1h\r\nK: v'], ['up.b', '2', 'Nats-TTL: never'], ['up.c', '3', 'Nats-TTL: 3h']),
    sourcing(DOWN, [{ name: UP }], { subject_delete_marker_ttl: 7200e9 }),
    comesToHold(DOWN, [
      {
        seq: 1,
        subject: 'up.a',
        headers: /^NATS\/1\.0\r\nK: v\r\nNats-Stream-Source: LU 1 .*\r\nNats-TTL: 7200\r\n\r\n$/,
      },
      { seq: 2, subject: 'up.b', headers: /^NATS\/1\.0\r\nNats-TTL: never\r\nNats-Stream-Source: LU 2 .*\r\n\r\n$/ },
      { seq: 3, subject: 'up.c', headers: /^NATS\/1\.0\r\nNats-TTL: 3h\r\nNats-Stream-Source: LU 3 .*\r\n\r\n$/ },
    ]),
  ]),
  scenario('the answer to an update tells of the sources that there are now', STREAMS, [
    upstream(),
    sourcing(DOWN, [{ name: 'LX' }], { num_replicas: 1 }),
    answers(
      `STREAM.UPDATE.${DOWN}`,
      { name: DOWN, sources: [{ name: UP, filter_subject: 'up.a' }], num_replicas: 1 },
      { sources: [{ name: UP, filter_subject: 'up.a' }] },
    ),
  ]),
];
