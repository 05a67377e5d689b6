/** Owns the words for streams that take from others: what must come to be in them, sooner or later. */
import assert from 'node:assert/strict';
import { waitFor } from '../harness/wait-for.ts';
import type { RawClient } from './raw-client.ts';
import { assertContains, stream } from './scenario.ts';
import type { Step } from './scenario.ts';

async function info(client: RawClient, name: string): Promise<Record<string, unknown>> {
  const [reply] = await client.request(`$JS.API.STREAM.INFO.${name}`);
  return JSON.parse(reply?.payload ?? '{}') as Record<string, unknown>;
}

/** STREAM.INFO comes to contain `expected`. */
export function comesToShow(name: string, expected: object): Step {
  return async (client) => {
    await waitFor(`${name} showing ${JSON.stringify(expected)}`, async () => {
      assertContains(await info(client, name), expected, name);
      return true;
    });
  };
}

export interface HeldMessage {
  readonly seq: number;
  readonly subject: string;
  readonly payload?: string;
  /** The whole block; empty: there must be none. */
  readonly headers?: string | RegExp;
}

/** The stream comes to hold exactly these messages. */
export function comesToHold(name: string, expected: readonly HeldMessage[]): Step {
  return async (client) => {
    await comesToShow(name, { state: { messages: expected.length, last_seq: expected.at(-1)?.seq ?? 0 } })(client);
    for (const { seq, subject, payload, headers } of expected) {
      const [reply] = await client.request(`$JS.API.STREAM.MSG.GET.${name}`, JSON.stringify({ seq }));
      const { message } = JSON.parse(reply!.payload) as { message?: { subject: string; data?: string; hdrs?: string } };
      assert.equal(message?.subject, subject, `${name} ${seq}`);
      const text = (part: string | undefined): string => Buffer.from(part ?? '', 'base64').toString();
      if (payload !== undefined) assert.equal(text(message.data), payload, `${name} ${seq}`);
      if (typeof headers === 'string') assert.equal(text(message.hdrs), headers, `${name} ${seq}`);
      else if (headers !== undefined) assert.match(text(message.hdrs), headers, `${name} ${seq}`);
    }
  };
}

/** Both streams hold the same messages under the same sequences at the same times. */
export function areAlike(one: string, other: string, seqs: readonly number[]): Step {
  return async (client) => {
    for (const seq of seqs) {
      const replies = await Promise.all(
        [one, other].map((name) => client.request(`$JS.API.STREAM.MSG.GET.${name}`, JSON.stringify({ seq }))),
      );
      const [left, right] = replies.map(([reply]) => (JSON.parse(reply!.payload) as { message?: object }).message);
      assert.deepEqual(left, right, `${one} and ${other} ${seq}`);
    }
  };
}

/** Makes a mirror; `config` beside it. */
export function mirror(name: string, source: object, config: object = {}): Step {
  return stream(name, { mirror: source, ...config });
}

/** Makes a stream that takes from `sources`. */
export function sourcing(name: string, sources: readonly object[], config: object = {}): Step {
  return stream(name, { sources, ...config });
}
