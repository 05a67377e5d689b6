/** Owns what is expected of pull requests and acks that no client library would send (consumers.md 5.1, 6.1, 6.2). */
import assert from 'node:assert/strict';
import { comesTo, Ear, EXPLICIT, pullsInto, shown } from './consumer-steps.ts';
import { answers, consumer, messages, scenario, stream } from './scenario.ts';
import type { RawClient } from './raw-client.ts';
import type { Scenario, Step } from './scenario.ts';

/** Silence takes time to be sure of; nothing else waits that long. */
const SILENCE_MS = 300;
const NEXT = '$JS.API.CONSUMER.MSG.NEXT.C.d';
const C = stream('C', { subjects: ['c.>'] });
const d = consumer('C', 'd', EXPLICIT);
const THREE = messages(['c.a', '1'], ['c.a', '2'], ['c.a', '3']);

/** A pull request, and the first that comes for it; more may follow. */
const asks =
  (body: string, expected: string, headers?: string): Step =>
  async (client) => {
    const [reply] = await client.request(NEXT, body, { headers });
    assert.equal(reply && shown(reply), expected, `${body} ${headers ?? ''}`);
  };

/** A pull request that brings exactly these. */
const brings =
  (body: string, ...expected: readonly string[]): Step =>
  async (client) => {
    const isComplete = (received: readonly unknown[]): boolean => received.length >= expected.length;
    const replies = await client.request(NEXT, body, { isComplete });
    assert.deepEqual(replies.map(shown), expected, body);
  };

const refuses = (body: string, problem: string): Step => asks(body, `400 Bad Request - ${problem}`);
const wrongNumber = (text: string, field: string, type: string): Step =>
  refuses(
    `{"${field}":${text}}`,
    `json: cannot unmarshal number ${text} into Go struct field .${field} of type ${type}`,
  );

const waiting = new Ear('in.waiting');
const taken: string[] = [];
const takes: Step = async (client) => {
  const [reply] = await client.request(NEXT, '1');
  taken.splice(0, 1, reply!.replyTo);
};

type Outcome = 'answered' | 'unanswered' | 'no responders';

async function assertOutcome(client: RawClient, subject: string, payload: string, expected: Outcome): Promise<void> {
  const [reply] = await client.request(subject, payload, expected === 'unanswered' ? { timeoutMs: SILENCE_MS } : {});
  const outcome = reply === undefined ? 'unanswered' : reply.headers === '' ? 'answered' : 'no responders';
  assert.equal(outcome, expected, subject);
}

/** An ack of the message taken last, sent to its subject as `change` makes it. */
const acks =
  (change: (tokens: string[]) => string[], expected: Outcome): Step =>
  (client) =>
    assertOutcome(client, change(taken[0]!.split('.')).join('.'), '+ACK', expected);
const answersFlowControl =
  (name: string, expected: Outcome): Step =>
  (client) =>
    assertOutcome(client, `$JS.FC.C.${name}.abcd`, '', expected);
const withToken =
  (at: number, token: string) =>
  (tokens: string[]): string[] =>
    tokens.with(at, token);

export const CONSUMER_EDGE_SCENARIOS: readonly Scenario[] = [
  scenario(
    'a pull request may be a number with a sign',
    ['C'],
    [C, d, THREE, brings('+2', '1', '2'), brings('-2', '3')],
  ),
  scenario(
    'numbers of a pull request are integers as they are written',
    ['C'],
    [
      C,
      d,
      wrongNumber('1e2', 'batch', 'int'),
      wrongNumber('1.0', 'batch', 'int'),
      wrongNumber('9223372036854775808', 'max_bytes', 'int'),
      wrongNumber('1E9', 'expires', 'time.Duration'),
      wrongNumber('99999999999999999999', 'min_pending', 'int64'),
      THREE,
      brings('{"batch":9223372036854775807,"expires":60000000000}', '1', '2', '3'),
    ],
  ),
  scenario(
    'a pull request that is no JSON is told why',
    ['C'],
    [
      C,
      d,
      refuses('{"batch":1}x', "invalid character 'x' after top-level value"),
      refuses('{"batch":1}{"batch":2}', "invalid character '{' after top-level value"),
      refuses('{"id":"\u0001"}', "invalid character '\\x01' in string"),
      refuses('{"batch":1.}', "invalid character '}' in numeric literal"),
      refuses('{"batch":1e}', "invalid character '}' in numeric literal"),
      refuses('{"batch":', 'unexpected end of JSON input'),
    ],
  ),
  scenario(
    'a pull request whose time was over before it came gets nothing',
    ['C'],
    [
      C,
      d,
      asks('{"batch":3,"expires":-1}', '408 Request Timeout Nats-Pending-Messages=3 Nats-Pending-Bytes=0'),
      THREE,
      asks('{"batch":2,"expires":-5000000000}', '408 Request Timeout Nats-Pending-Messages=2 Nats-Pending-Bytes=0'),
      asks(
        '{"batch":1,"no_wait":true,"expires":-1}',
        '408 Request Timeout Nats-Pending-Messages=1 Nats-Pending-Bytes=0',
      ),
      brings('{"batch":1}', '1'),
    ],
  ),
  scenario(
    'a pull request may ask for a level of the API',
    ['C'],
    [
      C,
      d,
      asks('{"no_wait":true}', '412 Required Api Level', 'Nats-Required-Api-Level: 9'),
      asks('{"no_wait":true}', '412 Required Api Level', 'Nats-Required-Api-Level: x'),
      asks('{"no_wait":true}', '412 Required Api Level', 'Nats-Required-Api-Level: 3 '),
      asks('{"no_wait":true}', '404 No Messages', 'Nats-Required-Api-Level: 5'),
      asks('{"no_wait":true}', '404 No Messages', 'Nats-Required-Api-Level: +3'),
      asks('{"no_wait":true}', '404 No Messages', 'Nats-Required-Api-Level: -1'),
      asks('{"no_wait":true}', '404 No Messages', 'Nats-Required-Api-Level: '),
      asks('{"no_wait":true}', '404 No Messages', 'nats-required-api-level: 9'),
    ],
  ),
  scenario(
    'messages below a start in the future do not count',
    ['C'],
    [
      C,
      consumer('C', 'd', { ...EXPLICIT, deliver_policy: 'by_start_sequence', opt_start_seq: 3 }),
      messages(['c.a', '1'], ['c.a', '2'], ['c.a', '3'], ['c.a', '4']),
      comesTo('d', { num_pending: 2 }),
      brings('2', '3', '4'),
      comesTo('d', { num_pending: 0, num_ack_pending: 2 }),
      answers('CONSUMER.RESET.C.d', { seq: 6 }, { reset_seq: 6 }),
      messages(['c.a', '5'], ['c.a', '6']),
      comesTo('d', { num_pending: 1 }),
    ],
  ),
  scenario(
    'a consumer that begins at a last message that is not there misses nothing',
    ['C'],
    [
      C,
      messages(['c.a', '1'], ['c.a', '2'], ['c.a', '3']),
      answers('STREAM.PURGE.C', { keep: 2 }, { success: true }),
      consumer('C', 'd', { ...EXPLICIT, deliver_policy: 'last', filter_subject: 'c.x' }),
      consumer('C', 'e', { ...EXPLICIT, deliver_policy: 'last_per_subject', filter_subject: 'c.x' }),
      answers('CONSUMER.INFO.C.d', '', { delivered: { stream_seq: 1 }, num_pending: 0 }),
      answers('CONSUMER.INFO.C.e', '', { delivered: { stream_seq: 2 }, num_pending: 0 }),
      messages(['c.x', '4']),
      brings('1', '4'),
    ],
  ),
  scenario(
    'while a consumer is paused, requests that wait come first as well',
    ['C'],
    [
      C,
      THREE,
      consumer('C', 'd', { ...EXPLICIT, pause_until: '2199-01-01T00:00:00Z' }),
      asks('{"no_wait":true}', '404 No Messages'),
      waiting.opens(),
      pullsInto(waiting, 'd', { batch: 5, expires: 20e9 }),
      comesTo('d', { num_waiting: 1 }),
      asks('{"no_wait":true}', '408 Requests Pending'),
    ],
  ),
  scenario(
    'nobody listens to acks with more or fewer tokens',
    ['C'],
    [
      C,
      d,
      THREE,
      takes,
      acks((tokens) => tokens.slice(0, -1), 'no responders'),
      acks((tokens) => tokens.slice(0, 4), 'no responders'),
      acks((tokens) => [...tokens, '0'], 'no responders'),
      acks((tokens) => [...tokens, '0', '0'], 'no responders'),
      acks(withToken(3, 'other'), 'no responders'),
      acks(withToken(2, 'OTHER'), 'no responders'),
      acks((tokens) => tokens, 'answered'),
    ],
  ),
  scenario(
    'nobody listens to answers to flow control of a consumer that asks for none',
    ['C'],
    [
      C,
      d,
      consumer('C', 'p', { deliver_subject: 'out', flow_control: true, idle_heartbeat: 1e9 }),
      answersFlowControl('d', 'no responders'),
      answersFlowControl('none', 'no responders'),
      answersFlowControl('p', 'unanswered'),
    ],
  ),
  scenario(
    'an ack whose sequence is no number is not answered; its time and the rest are not looked at',
    ['C'],
    [
      C,
      d,
      THREE,
      takes,
      acks(withToken(5, 'x'), 'unanswered'),
      acks(withToken(5, '-1'), 'unanswered'),
      acks(withToken(5, '99999999999999999999'), 'unanswered'),
      acks(withToken(7, 'x'), 'answered'),
      acks(withToken(8, 'x'), 'answered'),
      brings('{"no_wait":true}', '2'),
    ],
  ),
];
