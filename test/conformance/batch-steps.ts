/** Owns the words of scenarios about batches: their headers, and messages that are kept without being stored yet. */
import assert from 'node:assert/strict';
import { waitFor } from '../harness/wait-for.ts';
import { assertContains, publishes } from './scenario.ts';
import type { Step } from './scenario.ts';

/** The headers of one message of an atomic batch. */
export function member(id: string, seq: number | string, ...more: readonly string[]): string {
  return [`Nats-Batch-Id: ${id}`, `Nats-Batch-Sequence: ${seq}`, ...more].join('\r\n');
}

export const COMMIT = 'Nats-Batch-Commit: 1';
export const END = 'Nats-Batch-Commit: eob';

/** A message that its batch takes in: the acknowledgement is empty. */
export function keeps(subject: string, payload: string, headers: string): Step {
  return async (client) => {
    const [reply] = await client.request(subject, payload, { headers });
    assert.deepEqual(reply && [reply.headers, reply.payload], ['', ''], `${subject} (${headers})`);
  };
}

/** A publish that is answered by exactly this error. */
export function refuses(
  subject: string,
  payload: string,
  headers: string | undefined,
  error: readonly [code: number, errCode: number, text: string],
): Step {
  const [code, errCode, description] = error;
  return publishes(subject, payload, headers, { error: { code, err_code: errCode, description }, seq: 0 });
}

/** Messages on one subject that want no answer; the next step comes when the server has seen them. */
export function sends(
  subject: string,
  messages: readonly { readonly headers: string; readonly payload: string }[],
): Step {
  return async (client) => {
    for (const { headers, payload } of messages) client.publish(subject, payload, { headers });
    await client.flush();
  };
}

/** While `steps` run, one advisory of a stream must come, and contain `expected`. */
export function advises(advisory: string, expected: object, steps: readonly Step[]): Step {
  return async (client) => {
    const heard = client.subscribe(`$JS.EVENT.ADVISORY.STREAM.${advisory}`);
    for (const step of steps) await step(client);
    await waitFor(`the advisory ${advisory}`, () => heard.received.length > 0);
    heard.close();
    assert.equal(heard.received.length, 1, advisory);
    assertContains(JSON.parse(heard.received[0]!.payload), expected, advisory);
  };
}
