/** Owns what is expected of counter streams that take from sources (streams.md 7.7, 7.10). */
import { comesToHold, comesToShow, sourcing, type HeldMessage } from './origin-steps.ts';
import { answers, consumer, publishes, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const A = 'CSA';
const B = 'CSB';
const INTO = 'CSI';
const STREAMS = [A, B, INTO];
const COUNTS = { allow_msg_counter: true };
/** Both into the same counters. */
const FROM_A = { name: A, subject_transforms: [{ src: 'a.*', dest: 'i.$1' }] };
const FROM_B = { name: B, subject_transforms: [{ src: 'b.*', dest: 'i.$1' }] };

const upstreamA: Step = stream(A, { subjects: ['a.>'], ...COUNTS });
const upstreamB: Step = stream(B, { subjects: ['b.>'], ...COUNTS });

function adds(subject: string, increment: string, val: string, ...more: readonly string[]): Step {
  return publishes(subject, '', [`Nats-Incr: ${increment}`, ...more].join('\r\n'), { val });
}

/** A counter stream that takes from `sources`. */
function counting(sources: readonly object[], config: object = {}): Step {
  return sourcing(INTO, sources, { ...COUNTS, ...config });
}

/** One message after the other, each when the stream has come to hold those before it. */
function inTurn(...published: readonly Step[]): Step {
  return async (client) => {
    for (const [index, publish] of published.entries()) {
      await publish(client);
      await comesToShow(INTO, { state: { last_seq: index + 1 } })(client);
    }
  };
}

/** What the message at `seq` must be: these headers, of which the source's ends in an identity, and this value. */
function held(seq: number, subject: string, val: string, headers: readonly string[]): HeldMessage {
  const lines = headers.map((line) => {
    const escaped = line.replace(/[.$*{}+\\]/g, '\\$&');
    return `${escaped}${line.startsWith('Nats-Stream-Source') ? ' [0-9A-Za-z]{8}' : ''}\\r\\n`;
  });
  return {
    seq,
    subject,
    payload: `{"val":"${val}"}`,
    headers: new RegExp(`^NATS/1\\.0\\r\\n${lines.join('')}\\r\\n$`),
  };
}

const shares = (of: object): string => `Nats-Counter-Sources: ${JSON.stringify(of)}`;

export const COUNTER_SOURCE_SCENARIOS: readonly Scenario[] = [
  scenario('two sources of one counter add up, and each is told apart', STREAMS, [
    upstreamA,
    upstreamB,
    counting([FROM_A, FROM_B], { subjects: ['i.>'] }),
    inTurn(
      adds('b.x', '+10', '10'),
      adds('a.x', '1', '1'),
      adds('a.x', '2', '3', 'H: v'),
      adds('b.x', '-1', '9'),
      adds('i.x', '100', '112'),
      adds('a.y', '9', '9'),
    ),
    comesToHold(INTO, [
      held(1, 'i.x', '10', [
        'Nats-Incr: 10',
        `Nats-Stream-Source: ${B} 1 b.* i.$1 b.x`,
        shares({ [B]: { 'b.x': '10' } }),
      ]),
      held(2, 'i.x', '11', [
        'Nats-Incr: 1',
        `Nats-Stream-Source: ${A} 1 a.* i.$1 a.x`,
        shares({ [A]: { 'a.x': '1' }, [B]: { 'b.x': '10' } }),
      ]),
      held(3, 'i.x', '13', [
        'Nats-Incr: 2',
        'H: v',
        `Nats-Stream-Source: ${A} 2 a.* i.$1 a.x`,
        shares({ [A]: { 'a.x': '3' }, [B]: { 'b.x': '10' } }),
      ]),
      held(4, 'i.x', '12', [
        'Nats-Incr: -1',
        `Nats-Stream-Source: ${B} 2 b.* i.$1 b.x`,
        shares({ [A]: { 'a.x': '3' }, [B]: { 'b.x': '9' } }),
      ]),
      held(5, 'i.x', '112', ['Nats-Incr: 100', shares({ [A]: { 'a.x': '3' }, [B]: { 'b.x': '9' } })]),
      held(6, 'i.y', '9', ['Nats-Incr: 9', `Nats-Stream-Source: ${A} 3 a.* i.$1 a.y`, shares({ [A]: { 'a.y': '9' } })]),
    ]),
  ]),
  scenario('several subjects of a source may feed one counter', STREAMS, [
    upstreamA,
    counting([{ name: A, subject_transforms: [{ src: 'a.*.*', dest: 'i.$2' }] }]),
    inTurn(adds('a.1.x', '3', '3'), adds('a.2.x', '4', '4'), adds('a.1.x', '1', '4')),
    comesToHold(INTO, [
      held(1, 'i.x', '3', [
        'Nats-Incr: 3',
        `Nats-Stream-Source: ${A} 1 a.*.* i.$2 a.1.x`,
        shares({ [A]: { 'a.1.x': '3' } }),
      ]),
      held(2, 'i.x', '7', [
        'Nats-Incr: 4',
        `Nats-Stream-Source: ${A} 2 a.*.* i.$2 a.2.x`,
        shares({ [A]: { 'a.1.x': '3', 'a.2.x': '4' } }),
      ]),
      held(3, 'i.x', '8', [
        'Nats-Incr: 1',
        `Nats-Stream-Source: ${A} 3 a.*.* i.$2 a.1.x`,
        shares({ [A]: { 'a.1.x': '4', 'a.2.x': '4' } }),
      ]),
    ]),
  ]),
  scenario('what a source has lost is made up for by its next message', STREAMS, [
    upstreamA,
    adds('a.x', '1', '1'),
    adds('a.x', '2', '3'),
    adds('a.x', '4', '7'),
    counting([{ name: A, opt_start_seq: 2 }]),
    comesToHold(INTO, [
      held(1, 'a.x', '3', ['Nats-Incr: 3', `Nats-Stream-Source: ${A} 2 > > a.x`, shares({ [A]: { 'a.x': '3' } })]),
      held(2, 'a.x', '7', ['Nats-Incr: 4', `Nats-Stream-Source: ${A} 3 > > a.x`, shares({ [A]: { 'a.x': '7' } })]),
    ]),
  ]),
  scenario('a counter that begins again upstream takes away what it had brought', STREAMS, [
    upstreamA,
    counting([{ name: A }]),
    inTurn(adds('a.x', '7', '7')),
    answers(`STREAM.PURGE.${A}`, '', { purged: 1 }),
    adds('a.x', '5', '5'),
    comesToHold(INTO, [
      held(1, 'a.x', '7', ['Nats-Incr: 7', `Nats-Stream-Source: ${A} 1 > > a.x`, shares({ [A]: { 'a.x': '7' } })]),
      held(2, 'a.x', '5', ['Nats-Incr: -2', `Nats-Stream-Source: ${A} 2 > > a.x`, shares({ [A]: { 'a.x': '5' } })]),
    ]),
  ]),
  scenario('a counter that is purged gets all that comes to stand upstream', STREAMS, [
    upstreamA,
    counting([{ name: A }]),
    inTurn(adds('a.x', '7', '7')),
    answers(`STREAM.PURGE.${INTO}`, '', { purged: 1 }),
    adds('a.x', '5', '12'),
    comesToHold(INTO, [
      held(2, 'a.x', '12', ['Nats-Incr: 12', `Nats-Stream-Source: ${A} 2 > > a.x`, shares({ [A]: { 'a.x': '12' } })]),
    ]),
  ]),
  scenario('a chain of counters tells the shares of the last link', STREAMS, [
    upstreamA,
    sourcing(B, [{ name: A, subject_transforms: [{ src: 'a.*', dest: 'b.$1' }] }], { ...COUNTS, subjects: ['b.>'] }),
    counting([{ name: B }]),
    inTurn(adds('a.x', '3', '3'), adds('b.x', '1', '4'), adds('a.x', '3', '6')),
    comesToHold(INTO, [
      held(1, 'b.x', '3', ['Nats-Incr: 3', shares({ [B]: { 'b.x': '3' } }), `Nats-Stream-Source: ${B} 1 > > b.x`]),
      held(2, 'b.x', '4', ['Nats-Incr: 1', shares({ [B]: { 'b.x': '4' } }), `Nats-Stream-Source: ${B} 2 > > b.x`]),
      held(3, 'b.x', '7', ['Nats-Incr: 3', shares({ [B]: { 'b.x': '7' } }), `Nats-Stream-Source: ${B} 3 > > b.x`]),
    ]),
  ]),
  scenario('a message id that was seen is passed by, and its increment is not lost', STREAMS, [
    upstreamA,
    upstreamB,
    counting([{ name: A }, { name: B }], { duplicate_window: 60_000_000_000 }),
    inTurn(adds('a.x', '3', '3', 'Nats-Msg-Id: same')),
    adds('b.x', '4', '4', 'Nats-Msg-Id: same'),
    adds('b.x', '4', '8'),
    comesToHold(INTO, [
      { seq: 1, subject: 'a.x' },
      held(2, 'b.x', '8', ['Nats-Incr: 8', `Nats-Stream-Source: ${B} 2 > > b.x`, shares({ [B]: { 'b.x': '8' } })]),
    ]),
  ]),
  scenario('a source holds what does not count', STREAMS, [
    stream(A, { subjects: ['a.>'] }),
    upstreamB,
    counting([{ name: A }, { name: B }]),
    publishes('a.x', '{"val":"7"}', undefined, { seq: 1 }),
    adds('b.x', '4', '4'),
    comesToHold(INTO, [
      held(1, 'b.x', '4', ['Nats-Incr: 4', `Nats-Stream-Source: ${B} 1 > > b.x`, shares({ [B]: { 'b.x': '4' } })]),
    ]),
  ]),
  scenario(
    'the names of shares are written as JSON, in the order of their characters',
    [...STREAMS, '9', '10'],
    [
      stream('9', { subjects: ['b.>'], ...COUNTS }),
      stream('10', { subjects: ['a.>'], ...COUNTS }),
      counting([
        { name: '9', subject_transforms: [{ src: 'b.*', dest: 'i' }] },
        { name: '10', subject_transforms: [{ src: 'a.*', dest: 'i' }] },
      ]),
      inTurn(adds('b.<&é"', '3', '3'), adds('a.10', '4', '4'), adds('a.9', '1', '1')),
      comesToHold(INTO, [
        { seq: 1, subject: 'i' },
        { seq: 2, subject: 'i' },
        held(3, 'i', '8', [
          'Nats-Incr: 1',
          'Nats-Stream-Source: 10 2 a.* i a.9',
          'Nats-Counter-Sources: {"10":{"a.10":"4","a.9":"1"},"9":{"b.\\u003c\\u0026é\\"":"3"}}',
        ]),
      ]),
    ],
  ),
  scenario('a consumer that the user made has shares of its own', STREAMS, [
    upstreamA,
    consumer(A, 'made', { deliver_subject: 'made.for.csi', ack_policy: 'flow_control', max_ack_pending: 100 }),
    counting([{ name: A, consumer: { name: 'made', deliver_subject: 'made.for.csi' } }]),
    inTurn(adds('a.x', '3', '3')),
    comesToHold(INTO, [
      {
        seq: 1,
        subject: 'a.x',
        payload: '{"val":"3"}',
        headers:
          /\r\nNats-Stream-Source: CSA:C=m8KhyvpA 1 [^\n]*\nNats-Counter-Sources: {"CSA:C=m8KhyvpA":{"a.x":"3"}}\r\n\r\n$/,
      },
    ]),
  ]),
];
