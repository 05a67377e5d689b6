/** Owns the words that scenarios are written in: what is sent, and what must come back. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../harness/wait-for.ts';
import type { RawClient, Reply } from './raw-client.ts';

/** Silence takes time to be sure of; nothing else waits that long. */
const SILENCE_MS = 400;

export interface Scenario {
  readonly title: string;
  /** Streams that it makes: removed before and after. */
  readonly streams: readonly string[];
  readonly steps: readonly Step[];
  /** A cluster answers otherwise, and is meant to. */
  readonly singleServerOnly?: boolean;
  /** A single server answers otherwise. */
  readonly clusterOnly?: boolean;
}

export type Step = (client: RawClient) => Promise<void>;
type Json = object | string;

export function scenario(title: string, streams: readonly string[], steps: readonly Step[]): Scenario {
  return { title, streams, steps };
}

/** A scenario whose answers name the lack of a cluster. */
export function onSingleServer(title: string, streams: readonly string[], steps: readonly Step[]): Scenario {
  return { title, streams, steps, singleServerOnly: true };
}

/** A scenario that takes three nodes. */
export function onCluster(title: string, streams: readonly string[], steps: readonly Step[]): Scenario {
  return { title, streams, steps, clusterOnly: true };
}

/** In an expected object: the member must not be there. */
export const ABSENT = Symbol('absent');
/** In an expected object: the member must be a time other than the zero one. */
export const SOME_TIME = Symbol('some time');
/** In an expected object: anything that is not absent. */
export const ANYTHING = Symbol('anything');

export const ZERO_TIME = '0001-01-01T00:00:00Z';
const TIME = /^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

function bodyText(body: Json): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

/** Calls `$JS.API.<call>`; the answer must contain `expected`, and be of its type if `type` is given there. */
export function answers(call: string, body: Json, expected: object, headers?: string): Step {
  return async (client) => {
    const answer = await requestJson(client, call, body, headers);
    assert.equal('error' in answer && !('error' in expected), false, `${call}: ${JSON.stringify(answer)}`);
    assertContains(answer, expected, call);
  };
}

/** The answer must be exactly this error. */
export function fails(call: string, body: Json, code: number, errCode: number, text: string, headers?: string): Step {
  return async (client) => {
    const answer = await requestJson(client, call, body, headers);
    assert.deepEqual(answer['error'], { code, err_code: errCode, description: text }, `${call} ${bodyText(body)}`);
  };
}

export function isSilent(call: string, body: Json = ''): Step {
  return async (client) => {
    const replies = await client.request(`$JS.API.${call}`, bodyText(body), { timeoutMs: SILENCE_MS });
    assert.deepEqual(replies, [], `${call} must not be answered`);
  };
}

export function hasNoResponders(call: string, body: Json = ''): Step {
  return async (client) => {
    const [reply] = await client.request(`$JS.API.${call}`, bodyText(body));
    assert.match(reply?.headers ?? '', /^NATS\/1\.0 503/, call);
  };
}

/** Makes a stream that the scenario needs; in a cluster a replicated one, unless `config` says otherwise. */
export function stream(name: string, config: object = {}): Step {
  return (client) => {
    const replicas = client.clustered ? { num_replicas: 3 } : {};
    const create = answers(`STREAM.CREATE.${name}`, { name, ...replicas, ...config }, { did_create: true });
    return create(client);
  };
}

/** The same with one replica anywhere, for scenarios whose own requests do not say how many. */
export function singleStream(name: string, config: object = {}): Step {
  return stream(name, { num_replicas: 1, ...config });
}

export function consumer(streamName: string, name: string, config: object = {}): Step {
  const body = { stream_name: streamName, config: { durable_name: name, ...config } };
  return answers(`CONSUMER.CREATE.${streamName}.${name}`, body, { name });
}

/** Publishes into streams, one message after the other, each acknowledged. */
export function messages(
  ...published: readonly (readonly [subject: string, payload: string, headers?: string])[]
): Step {
  return async (client) => {
    for (const [subject, payload, headers] of published) {
      const [reply] = await client.request(subject, payload, { headers });
      const ack = JSON.parse(reply?.payload ?? '{}') as { readonly seq?: number };
      assert.ok((ack.seq ?? 0) > 0, `no acknowledgement for ${subject}: ${JSON.stringify(reply)}`);
    }
  };
}

/** A publish, and the acknowledgement that it gets. */
export function publishes(subject: string, payload: string, headers: string | undefined, expected: object): Step {
  return async (client) => {
    const [reply] = await client.request(subject, payload, { headers });
    assertContains(JSON.parse(reply?.payload ?? 'null'), expected, `${subject} (${headers ?? ''})`);
  };
}

/** One message that a subscriber gets. Absent members may be anything. */
export interface Received {
  readonly subject: string;
  readonly payload?: string;
  /** `ABSENT`: there must be no such header; `ANYTHING`, `SOME_TIME`: there must be one. */
  readonly headers?: Readonly<Record<string, string | symbol>>;
}

/** While `steps` run, a subscriber of `subject` gets exactly these messages, in this order. */
export function receives(subject: string, steps: readonly Step[], expected: readonly Received[]): Step {
  return async (client) => {
    const subscription = client.subscribe(subject);
    await client.flush();
    for (const step of steps) await step(client);
    const replies = subscription.received;
    const complete = (): boolean => replies.length >= expected.length;
    if (expected.length === 0) await delay(SILENCE_MS);
    else await waitFor(`${expected.length} messages to ${subject}`, complete);
    subscription.close();
    assert.deepEqual(
      replies.map((reply) => reply.subject),
      expected.map((each) => each.subject),
    );
    for (const [index, { payload, headers = {} }] of expected.entries()) {
      const reply = replies[index]!;
      if (payload !== undefined) assert.equal(reply.payload, payload, subject);
      const actual = Object.fromEntries(reply.headers.split('\r\n').slice(1, -2).map(splitHeader));
      assertContains(actual, headers, `${subject} ${index}`);
    }
  };
}

/** One message of a direct get. */
export interface DirectMessage {
  /** Absent: a stored message. */
  readonly status?: string;
  readonly seq?: number;
  readonly subject?: string;
  readonly payload?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** There must be no header block at all. */
  readonly bare?: boolean;
}

/**
 * Calls `$JS.API.DIRECT.GET.<call>`; exactly these messages must come, in this order. A replica that is not the leader may
 * answer, and be behind: it is asked again.
 */
export function direct(call: string, body: Json, expected: readonly DirectMessage[], headers?: string): Step {
  const isComplete = (replies: readonly Reply[]): boolean =>
    replies.length >= expected.length || replies.at(-1)!.headers.startsWith('NATS/1.0 ');
  return async (client) => {
    await waitFor(`the messages of ${call} ${bodyText(body)}`, async () => {
      const replies = await client.request(`$JS.API.DIRECT.GET.${call}`, bodyText(body), { headers, isComplete });
      assert.equal(replies.length, expected.length, JSON.stringify(replies));
      for (const [index, message] of expected.entries()) assertDirect(replies[index]!, message, call);
      return true;
    });
  };
}

export const endOfBatch = (pending: number, last: number, upTo?: number): DirectMessage => ({
  status: '204 EOB',
  payload: '',
  headers: {
    'Nats-Num-Pending': String(pending),
    'Nats-Last-Sequence': String(last),
    ...(upTo !== undefined && { 'Nats-UpTo-Sequence': String(upTo) }),
  },
});

function assertDirect(reply: Reply, expected: DirectMessage, context: string): void {
  const [statusLine, ...lines] = reply.headers.split('\r\n');
  if (expected.bare === true) assert.equal(reply.headers, '', context);
  else assert.equal(statusLine, expected.status === undefined ? 'NATS/1.0' : `NATS/1.0 ${expected.status}`, context);
  const headers = new Map(lines.filter((line) => line !== '').map((line) => splitHeader(line)));
  if (expected.seq !== undefined) assert.equal(headers.get('Nats-Sequence'), String(expected.seq), context);
  if (expected.subject !== undefined) assert.equal(headers.get('Nats-Subject'), expected.subject, context);
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    assert.equal(headers.get(name), value, `${context}: ${name}`);
  }
  if (expected.payload !== undefined) assert.equal(reply.payload, expected.payload, context);
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

async function requestJson(
  client: RawClient,
  call: string,
  body: Json,
  headers: string | undefined,
): Promise<Record<string, unknown>> {
  const [reply] = await client.request(`$JS.API.${call}`, bodyText(body), { headers });
  assert.ok(reply !== undefined, `${call} was not answered`);
  assert.equal(reply.headers.startsWith('NATS/1.0 '), false, `${call} got the status ${reply.headers}`);
  return JSON.parse(reply.payload) as Record<string, unknown>;
}

/** Every member of `expected` must be in `actual` with the same value; lists must agree as a whole. */
export function assertContains(actual: unknown, expected: unknown, path: string): void {
  if (expected === ANYTHING) return;
  if (expected === SOME_TIME) {
    assert.match(String(actual), TIME, path);
    return;
  }
  if (typeof expected !== 'object' || expected === null) {
    assert.deepEqual(actual, expected, path);
    return;
  }
  assert.ok(typeof actual === 'object' && actual !== null, `${path} is ${String(actual)}`);
  if (Array.isArray(expected)) assert.equal((actual as unknown[]).length, expected.length, `${path}.length`);
  for (const [name, value] of Object.entries(expected)) {
    const member: unknown = (actual as Record<string, unknown>)[name];
    if (value === ABSENT) assert.equal(member, undefined, `${path}.${name} must be absent`);
    else if (value === ANYTHING) assert.notEqual(member, undefined, `${path}.${name} is missing`);
    else assertContains(member, value, `${path}.${name}`);
  }
}
