/** Direct gets as clients send them all day, and requests that only look like them. */
import { answers, direct, messages, scenario, stream, type Scenario } from './scenario.ts';

const filled = [
  stream('D', { subjects: ['d.>'], allow_direct: true }),
  messages(['d.a', 'v1', 'H: h1'], ['d.b', 'v2'], ['d.a', 'v3'], ['d.b.c', '']),
];
const NOT_FOUND = { status: '404 Message Not Found' };
const MALFORMED = { status: '408 Malformed Request' };

export const DIRECT_GET_SCENARIOS: readonly Scenario[] = [
  scenario(
    'the last message of a literal subject, with its headers and without',
    ['D'],
    [
      ...filled,
      direct('D.d.a', '', [{ seq: 3, subject: 'd.a', payload: 'v3', headers: { 'Nats-Stream': 'D' } }]),
      direct('D.d.b.c', '', [{ seq: 4, subject: 'd.b.c', payload: '' }]),
      direct('D.d.a', {}, [{ seq: 3, payload: 'v3' }]),
      direct('D.d.none', '', [NOT_FOUND]),
      direct('D.elsewhere', '', [NOT_FOUND]),
      direct('D.d.>', '', [{ seq: 4 }]),
    ],
  ),
  scenario(
    'a message by its sequence, however the number is written',
    ['D'],
    [
      ...filled,
      direct('D', '{"seq":1}', [{ seq: 1, payload: 'v1', headers: { H: 'h1' } }]),
      direct('D', '{ "seq" : 2 }', [{ seq: 2, payload: 'v2' }]),
      direct('D', '{"seq":9}', [NOT_FOUND]),
      direct('D', '{"seq":0}', [{ status: '408 Empty Request' }]),
      direct('D', '{"seq":01}', [MALFORMED]),
      direct('D', '{"seq":-1}', [MALFORMED]),
      direct('D', '{"seq":1x}', [MALFORMED]),
      direct('D', '{"seq":99999999999999999999}', [MALFORMED]),
    ],
  ),
  scenario(
    'a message that was deleted is not found, and the one before it is the last of its subject',
    ['D'],
    [
      ...filled,
      answers('STREAM.MSG.DELETE.D', { seq: 3 }, { success: true }),
      direct('D', '{"seq":3}', [NOT_FOUND]),
      direct('D.d.a', '', [{ seq: 1, payload: 'v1' }]),
      answers('STREAM.PURGE.D', { filter: 'd.a' }, { purged: 1 }),
      direct('D.d.a', '', [NOT_FOUND]),
    ],
  ),
];
