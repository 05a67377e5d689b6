/** Owns what is expected of streams that take from sources (streams.md 7.10, 4.3). */
import { comesToHold, comesToShow, sourcing } from './origin-steps.ts';
import { ABSENT, answers, consumer, messages, publishes, receives, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const A = 'SA';
const B = 'SB';
const INTO = 'SI';
const STREAMS = [A, B, INTO];

const upstreamA = (config: object = {}): Step => stream(A, { subjects: ['a.>'], ...config });
const upstreamB = (config: object = {}): Step => stream(B, { subjects: ['b.>'], ...config });
const three: Step = messages(['a.x', '1'], ['a.y', '2'], ['a.x', '3']);

/** The header of a message that was taken from there. */
function from(words: string): RegExp {
  const escaped = words.replace(/[.$*]/g, '\\$&');
  return new RegExp(`^NATS/1\\.0\\r\\n(.*\\r\\n)*Nats-Stream-Source: ${escaped} [0-9A-Za-z]{8}\\r\\n\\r\\n$`);
}

export const SOURCE_SCENARIOS: readonly Scenario[] = [
  scenario('messages of a source get new sequences, and say where they are from', STREAMS, [
    upstreamA(),
    publishes('a.x', '1', 'H: v', { seq: 1 }),
    messages(['a.y', '2']),
    sourcing(INTO, [{ name: A }]),
    comesToHold(INTO, [
      { seq: 1, subject: 'a.x', payload: '1', headers: /^NATS\/1\.0\r\nH: v\r\nNats-Stream-Source: SA 1 > > a\.x / },
      { seq: 2, subject: 'a.y', payload: '2', headers: from('SA 2 > > a.y') },
    ]),
    comesToShow(INTO, { sources: [{ name: A, lag: 0, seq: 2, error: ABSENT }] }),
    messages(['a.z', '3']),
    comesToShow(INTO, { state: { messages: 3, last_seq: 3 }, sources: [{ seq: 3 }] }),
  ]),
  scenario('several sources, and publishes of its own', STREAMS, [
    upstreamA(),
    upstreamB(),
    three,
    messages(['b.x', '1'], ['b.y', '2']),
    sourcing(INTO, [{ name: A }, { name: B }], { subjects: ['own'] }),
    comesToShow(INTO, { state: { messages: 5, last_seq: 5 } }),
    publishes('own', 'mine', undefined, { seq: 6 }),
    answers(
      `STREAM.INFO.${INTO}`,
      { subjects_filter: '>' },
      {
        state: { subjects: { 'a.x': 2, 'a.y': 1, 'b.x': 1, 'b.y': 1, own: 1 } },
      },
    ),
  ]),
  scenario('a source lets through what its filter matches', STREAMS, [
    upstreamA(),
    three,
    sourcing(INTO, [{ name: A, filter_subject: 'a.x' }]),
    comesToHold(INTO, [
      { seq: 1, subject: 'a.x', payload: '1', headers: from('SA 1 a.x > a.x') },
      { seq: 2, subject: 'a.x', payload: '3', headers: from('SA 3 a.x > a.x') },
    ]),
    comesToShow(INTO, { sources: [{ filter_subject: 'a.x', seq: 3 }] }),
  ]),
  scenario('the transforms of a source filter and rename', STREAMS, [
    upstreamA(),
    messages(['a.x', '1'], ['a.y', '2'], ['a.z', '3']),
    sourcing(INTO, [
      {
        name: A,
        subject_transforms: [
          { src: 'a.x', dest: 'other' },
          { src: 'a.y', dest: '' },
        ],
      },
    ]),
    comesToHold(INTO, [
      { seq: 1, subject: 'other', headers: from('SA 1 a.x\fa.y other\f> a.x') },
      { seq: 2, subject: 'a.y', headers: from('SA 2 a.x\fa.y other\f> a.y') },
    ]),
  ]),
  scenario('the transform of the stream itself comes last', STREAMS, [
    upstreamA(),
    messages(['a.x', '1']),
    sourcing(INTO, [{ name: A, subject_transforms: [{ src: 'a.*', dest: 'mid.$1' }] }], {
      subject_transform: { src: 'mid.*', dest: 'end.$1' },
    }),
    comesToHold(INTO, [{ seq: 1, subject: 'end.x', headers: from('SA 1 a.* mid.$1 a.x') }]),
  ]),
  scenario('one stream is two sources, by their filters', STREAMS, [
    upstreamA(),
    three,
    sourcing(INTO, [
      { name: A, filter_subject: 'a.x' },
      { name: A, filter_subject: 'a.y' },
    ]),
    comesToShow(INTO, { state: { messages: 3 } }),
    answers(`STREAM.INFO.${INTO}`, { subjects_filter: '>' }, { state: { subjects: { 'a.x': 2, 'a.y': 1 } } }),
  ]),
  scenario('a source begins at the sequence it is told', STREAMS, [
    upstreamA(),
    three,
    sourcing(INTO, [{ name: A, opt_start_seq: 3 }]),
    comesToHold(INTO, [{ seq: 1, subject: 'a.x', payload: '3' }]),
  ]),
  scenario('a source begins at the time it is told', STREAMS, [
    upstreamA(),
    three,
    sourcing(INTO, [{ name: A, opt_start_time: '2100-01-01T00:00:00Z' }]),
    comesToShow(INTO, { state: { messages: 0 }, sources: [{ name: A, error: ABSENT }] }),
  ]),
  scenario('what a publish expected of its own stream is not handed on', STREAMS, [
    upstreamA(),
    publishes('a.x', '1', 'Nats-Expected-Last-Sequence: 0\r\nK: v\r\nNats-Expected-Stream: SA', { seq: 1 }),
    sourcing(INTO, [{ name: A }]),
    comesToHold(INTO, [
      { seq: 1, subject: 'a.x', headers: /^NATS\/1\.0\r\nK: v\r\nNats-Stream-Source: [^\n]*\n\r\n$/ },
    ]),
  ]),
  scenario('a chain of sources tells the last link', STREAMS, [
    upstreamA(),
    messages(['a.x', '1']),
    sourcing(B, [{ name: A }]),
    comesToShow(B, { state: { messages: 1 } }),
    sourcing(INTO, [{ name: B }]),
    comesToHold(INTO, [{ seq: 1, subject: 'a.x', headers: from('SB 1 > > a.x') }]),
  ]),
  scenario('a client can not say where its message is from', STREAMS, [
    upstreamA(),
    publishes('a.x', '1', 'Nats-Stream-Source: O 1 > > o', { error: { err_code: 10227 } }),
  ]),
  scenario('a message id is taken once, from whatever source', STREAMS, [
    upstreamA(),
    upstreamB(),
    publishes('a.x', '1', 'Nats-Msg-Id: same', { seq: 1 }),
    publishes('b.x', '2', 'Nats-Msg-Id: same', { seq: 1 }),
    messages(['b.y', 'last']),
    sourcing(INTO, [{ name: A }], { duplicate_window: 60_000_000_000, num_replicas: 1 }),
    comesToShow(INTO, { state: { messages: 1 } }),
    answers(
      `STREAM.UPDATE.${INTO}`,
      { name: INTO, sources: [{ name: A }, { name: B }], duplicate_window: 60_000_000_000 },
      { config: { name: INTO } },
    ),
    comesToHold(INTO, [
      { seq: 1, subject: 'a.x', payload: '1' },
      { seq: 2, subject: 'b.y', payload: 'last' },
    ]),
  ]),
  scenario('a full stream that discards new messages takes the rest once there is room', STREAMS, [
    upstreamA(),
    three,
    sourcing(INTO, [{ name: A }], { discard: 'new', max_msgs: 2 }),
    comesToShow(INTO, { state: { messages: 2, last_seq: 2 } }),
    answers(`STREAM.MSG.DELETE.${INTO}`, { seq: 1 }, { success: true }),
    comesToHold(INTO, [
      { seq: 2, subject: 'a.y', payload: '2' },
      { seq: 3, subject: 'a.x', payload: '3' },
    ]),
  ]),
  scenario('purged messages of a source do not come back', STREAMS, [
    upstreamA(),
    three,
    sourcing(INTO, [{ name: A }], { num_replicas: 1 }),
    comesToShow(INTO, { state: { messages: 3 } }),
    answers(`STREAM.PURGE.${INTO}`, '', { purged: 3 }),
    messages(['a.z', '4']),
    comesToHold(INTO, [{ seq: 4, subject: 'a.z', payload: '4' }]),
  ]),
  scenario('a source that is taken away leaves its messages, and comes back where it was', STREAMS, [
    upstreamA(),
    three,
    sourcing(INTO, [{ name: A }], { subjects: ['own'], num_replicas: 1 }),
    comesToShow(INTO, { state: { messages: 3 } }),
    answers(`STREAM.UPDATE.${INTO}`, { name: INTO, subjects: ['own'] }, { config: { sources: ABSENT } }),
    messages(['a.z', '4']),
    answers(
      `STREAM.UPDATE.${INTO}`,
      { name: INTO, subjects: ['own'], sources: [{ name: A }] },
      { config: { name: INTO } },
    ),
    comesToShow(INTO, { state: { messages: 4, last_seq: 4 } }),
  ]),
  scenario('a source of nothing says so, and takes what comes to be', STREAMS, [
    sourcing(INTO, [{ name: A }]),
    comesToShow(INTO, { sources: [{ name: A, active: -1, error: { err_code: 10059 } }] }),
    upstreamA(),
    three,
    comesToShow(INTO, { state: { messages: 3 }, sources: [{ error: ABSENT }] }),
  ]),
  scenario('sources of a work queue empty it', STREAMS, [
    upstreamA({ retention: 'workqueue' }),
    three,
    sourcing(INTO, [{ name: A }]),
    comesToShow(INTO, { state: { messages: 3 } }),
    comesToShow(A, { state: { messages: 0, consumer_count: 1 } }),
  ]),
  scenario('sources of a stream that keeps what is of interest are interested', STREAMS, [
    upstreamA({ retention: 'interest' }),
    sourcing(INTO, [{ name: A }]),
    comesToShow(A, { state: { consumer_count: 1 } }),
    three,
    comesToShow(INTO, { state: { messages: 3 } }),
    comesToShow(A, { state: { messages: 0 } }),
  ]),
  scenario('a source takes from a consumer that the user made', STREAMS, [
    upstreamA(),
    three,
    consumer(A, 'made', { deliver_subject: 'made.for.si', ack_policy: 'flow_control', max_ack_pending: 100 }),
    sourcing(INTO, [{ name: A, consumer: { name: 'made', deliver_subject: 'made.for.si' } }]),
    comesToShow(INTO, { state: { messages: 3 } }),
    comesToHold(INTO, [
      { seq: 1, subject: 'a.x', headers: /Nats-Stream-Source: SA:C=[0-9A-Za-z]{8} 1 > > a\.x/ },
      { seq: 2, subject: 'a.y' },
      { seq: 3, subject: 'a.x' },
    ]),
  ]),
  scenario('a rollup is obeyed only where it is allowed', STREAMS, [
    upstreamA({ allow_rollup_hdrs: true }),
    sourcing(INTO, [{ name: A }]),
    sourcing(B, [{ name: A }], { allow_rollup_hdrs: true }),
    messages(['a.x', '1'], ['a.x', '2']),
    comesToShow(INTO, { state: { messages: 2 } }),
    comesToShow(B, { state: { messages: 2 } }),
    publishes('a.x', '3', 'Nats-Rollup: sub', { seq: 3 }),
    comesToShow(INTO, { state: { messages: 3 } }),
    comesToHold(B, [{ seq: 3, subject: 'a.x', payload: '3' }]),
  ]),
  scenario('messages of a source are republished', STREAMS, [
    upstreamA(),
    sourcing(INTO, [{ name: A }], { republish: { src: 'a.>', dest: 'again.>' } }),
    comesToShow(INTO, { sources: [{ error: ABSENT }] }),
    receives(
      'again.>',
      [messages(['a.x', '1'])],
      [{ subject: 'again.x', payload: '1', headers: { 'Nats-Sequence': '1' } }],
    ),
  ]),
];
