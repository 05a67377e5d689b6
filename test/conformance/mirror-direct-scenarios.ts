/** Owns what is expected of mirrors that answer direct gets in their origin's place (streams.md 3.9). */
import assert from 'node:assert/strict';
import { waitFor } from '../harness/wait-for.ts';
import { comesToShow, mirror } from './origin-steps.ts';
import { answers, direct, endOfBatch, hasNoResponders, messages, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const UP = 'DU';
const MIRROR = 'DM';
const STREAMS = [UP, MIRROR];
const CALL = `DIRECT.GET.${UP}.up.a`;
const BY_MIRROR = { 'Nats-Stream': MIRROR };

const upstream = (config: object = {}): Step => stream(UP, { subjects: ['up.>'], allow_direct: true, ...config });
const three: Step = messages(['up.a', '1', 'H: v'], ['up.b', '2'], ['up.a', '3']);
const deleted: Step = answers(`STREAM.DELETE.${UP}`, '', { success: true });
const caughtUp: Step = comesToShow(MIRROR, { state: { messages: 3, last_seq: 3 } });

/** Every node that the request may come to learns it in its own time. */
function comesToHaveNoResponders(call: string, body: object | '' = ''): Step {
  return async (client) => {
    await waitFor(`nobody answering ${call}`, async () => {
      const [reply] = await client.request(`$JS.API.${call}`, body === '' ? '' : JSON.stringify(body));
      return /^NATS\/1\.0 503/.test(reply?.headers ?? '');
    });
  };
}

/** Whoever of them answers. */
function bothAnswer(requests: number): Step {
  return async (client) => {
    for (let i = 0; i < requests; i++) {
      const [reply] = await client.request(`$JS.API.${CALL}`);
      assert.equal(reply?.payload, '3');
      assert.match(reply.headers, /\r\nNats-Stream: (DU|DM)\r\nNats-Subject: up\.a\r\nNats-Sequence: 3\r\n/);
    }
  };
}

export const MIRROR_DIRECT_SCENARIOS: readonly Scenario[] = [
  scenario('a mirror of a stream with direct access answers direct gets of it, without being told to', STREAMS, [
    upstream(),
    three,
    mirror(MIRROR, { name: UP }),
    caughtUp,
    answers(`STREAM.INFO.${MIRROR}`, '', { config: { mirror_direct: true, allow_direct: false } }),
    direct(`${UP}.up.a`, '', [{ seq: 3 }]),
    bothAnswer(10),
    deleted,
    direct(`${UP}.up.a`, '', [{ seq: 3, subject: 'up.a', payload: '3', headers: BY_MIRROR }]),
  ]),
  scenario('direct gets of all forms are answered by a mirror once its origin is deleted', STREAMS, [
    upstream(),
    three,
    mirror(MIRROR, { name: UP }, { mirror_direct: true }),
    caughtUp,
    deleted,
    direct(`${UP}.up.a`, '', [{ seq: 3, subject: 'up.a', payload: '3', headers: BY_MIRROR }]),
    direct(UP, { seq: 1 }, [{ seq: 1, subject: 'up.a', payload: '1', headers: { ...BY_MIRROR, H: 'v' } }]),
    direct(UP, { last_by_subj: 'up.*' }, [{ seq: 3, headers: BY_MIRROR }]),
    direct(UP, { seq: 1, batch: 2 }, [
      { seq: 1, payload: '1', headers: BY_MIRROR },
      { seq: 2, payload: '2', headers: BY_MIRROR },
      endOfBatch(1, 2),
    ]),
    direct(UP, { seq: 9 }, [{ status: '404 Message Not Found' }]),
    direct(`${UP}.up.z`, '', [{ status: '404 Message Not Found' }]),
    direct(UP, '', [{ status: '408 Empty Request' }]),
  ]),
  scenario('a mirror answers when its origin does not any more', STREAMS, [
    upstream(),
    three,
    mirror(MIRROR, { name: UP }),
    caughtUp,
    answers(`STREAM.UPDATE.${UP}`, { name: UP, subjects: ['up.>'], allow_direct: false }, {}),
    direct(`${UP}.up.a`, '', [{ seq: 3, payload: '3', headers: BY_MIRROR }]),
  ]),
  scenario('a mirror without mirror_direct does not answer for its origin', STREAMS, [
    upstream({ allow_direct: false }),
    three,
    mirror(MIRROR, { name: UP }, { mirror_direct: true }),
    caughtUp,
    answers(`STREAM.INFO.${MIRROR}`, '', { config: { mirror_direct: false } }),
    hasNoResponders(CALL),
    deleted,
    hasNoResponders(CALL),
    hasNoResponders(`DIRECT.GET.${UP}`, { seq: 1 }),
  ]),
  scenario('a mirror that is told not to answer for its origin any more, does not', STREAMS, [
    upstream(),
    three,
    mirror(MIRROR, { name: UP }),
    caughtUp,
    deleted,
    direct(`${UP}.up.a`, '', [{ seq: 3, headers: BY_MIRROR }]),
    answers(`STREAM.UPDATE.${MIRROR}`, { name: MIRROR, mirror: { name: UP }, mirror_direct: false }, {}),
    comesToHaveNoResponders(CALL),
  ]),
  scenario('a mirror that never held anything does not answer for its origin', STREAMS, [
    mirror(MIRROR, { name: UP }, { mirror_direct: true }),
    answers(`STREAM.INFO.${MIRROR}`, '', { config: { mirror_direct: true } }),
    hasNoResponders(CALL),
  ]),
  scenario('nobody answers for an origin once its mirror is deleted as well', STREAMS, [
    upstream(),
    three,
    mirror(MIRROR, { name: UP }),
    caughtUp,
    deleted,
    direct(`${UP}.up.a`, '', [{ seq: 3, headers: BY_MIRROR }]),
    answers(`STREAM.DELETE.${MIRROR}`, '', { success: true }),
    comesToHaveNoResponders(CALL),
  ]),
];
