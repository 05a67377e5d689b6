/** Owns the accounts that share with one another in scenarios, and the words for what goes from one to the other. */
import assert from 'node:assert/strict';
import { startServers, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';
import { RawClient, type Reply, type Subscription } from './raw-client.ts';

/** A exports to everybody, B imports from A, C from B. D has all of A's JetStream in the place of its own. */
const CONFIG = `
accounts {
  A {
    users: [{ user: a, password: a }], jetstream: enabled
    exports: [
      { stream: "pubs.>" }, { stream: "map.*.*" }, { stream: lit }, { stream: "deliver.>" }, { stream: "moved.>" }
      { service: help }, { service: multi, response_type: stream }, { service: chunk, response_type: chunked }
      { service: quick, response_threshold: "200ms" }, { service: "svc.>" }, { service: "two.*.*" }
      { service: "own.*.x", account_token_position: 2 }, { service: shared }
      { service: both, response_type: stream }, { stream: both }
      { service: "$JS.API.>", response_type: stream }, { service: "$JS.FC.>" }, { service: "$JS.ACK.>" }
    ]
  }
  B {
    users: [{ user: b, password: b }], jetstream: enabled
    exports: [{ service: "a.help" }, { stream: "fromA.pubs.>" }]
    imports: [
      { stream: { account: A, subject: "pubs.>" }, prefix: fromA }
      { stream: { account: A, subject: "map.*.*" }, to: "m.$2.$1" }
      { stream: { account: A, subject: lit }, to: here }
      { stream: { account: A, subject: "deliver.>" } }
      { stream: { account: A, subject: "moved.>" }, prefix: z }
      { service: { account: A, subject: help }, to: "a.help" }
      { service: { account: A, subject: multi } }
      { service: { account: A, subject: chunk } }
      { service: { account: A, subject: quick } }
      { service: { account: A, subject: "svc.>" }, to: "s.>" }
      { service: { account: A, subject: "two.*.*" }, to: "t.{{wildcard(2)}}.{{wildcard(1)}}" }
      { service: { account: A, subject: "own.B.x" } }
      { service: { account: A, subject: shared }, share: true }
      { service: { account: A, subject: both } }
      { service: { account: A, subject: "$JS.API.>" }, to: "JS.A.API.>" }
      { service: { account: A, subject: "$JS.FC.>" } }, { service: { account: A, subject: "$JS.ACK.>" } }
    ]
  }
  C {
    users: [{ user: c, password: c }]
    imports: [
      { service: { account: B, subject: "a.help" }, to: "c.help" }
      { stream: { account: B, subject: "fromA.pubs.>" }, to: "c.pubs.>" }
      { stream: { account: A, subject: both } }
    ]
  }
  D { users: [{ user: d, password: d }], imports: [{ service: { account: A, subject: "$JS.API.>" } }] }
}`;

/** A client in each account; in a cluster, each at another node as far as there are some. */
export interface Sharers {
  readonly servers: Servers;
  readonly a: RawClient;
  readonly b: RawClient;
  /** Another one in account B, at the node of A's. */
  readonly nextToA: RawClient;
  readonly c: RawClient;
  readonly d: RawClient;
}

/** Of our own, or of the reference server whose executable PEER names. */
export async function startSharers(nodes: number): Promise<Sharers> {
  const binary = process.env['PEER'];
  const servers = await startServers({ nodes, config: CONFIG, ...(binary !== undefined && { binary }) });
  const enter = (user: string, node: number, options = {}): Promise<RawClient> => {
    const { port } = servers.nodes[node % nodes]!;
    return RawClient.connect(`nats://${user}:${user}@127.0.0.1:${port}`, options);
  };
  const names = { name: 'bee', lang: 'test', version: '1' };
  const [a, b, nextToA, c, d] = await Promise.all([
    enter('a', 0),
    enter('b', 1),
    enter('b', 0, names),
    enter('c', 2),
    enter('d', 1),
  ]);
  return { servers, a, b, nextToA, c, d };
}

export async function stopSharers({ servers, ...clients }: Sharers): Promise<void> {
  for (const client of Object.values(clients)) client.close();
  await servers.stop();
}

/** What `receiver`, subscribed to `filter`, gets of the message that `sender` publishes, once it is sure to hear it. */
export async function heard(
  receiver: RawClient,
  filter: string,
  sender: RawClient,
  subject: string,
): Promise<readonly Reply[]> {
  const subscription = receiver.subscribe(filter);
  await listens(subscription, sender, subject);
  const before = subscription.received.length;
  sender.publish(subject, 'once', { reply: 'answer.here', headers: 'X: y' });
  sender.publish(subject, 'end');
  await waitFor(`the end of what comes to ${filter}`, () =>
    subscription.received.some(({ payload }) => payload === 'end'),
  );
  subscription.close();
  return subscription.received.slice(before).filter(({ payload }) => payload === 'once');
}

/** Interest goes from node to node on its own time: it is there when a message gets through. */
export async function listens(subscription: Subscription, sender: RawClient, subject: string): Promise<void> {
  await waitFor(`somebody listening to ${subject}`, () => {
    if (subscription.received.length > 0) return true;
    sender.publish(subject, 'anybody?');
    return false;
  });
  sender.publish(subject, 'settled');
  await waitFor('all that was on its way', () => subscription.received.some(({ payload }) => payload === 'settled'));
}

/** A request that has come to who answers it. */
export interface Asked {
  readonly request: Reply;
  /** All that has come back so far. */
  readonly answers: readonly Reply[];
  readonly answer: (payload: string, options?: { readonly reply?: string; readonly headers?: string }) => void;
  /** Answers that are all there once `last` is among them. */
  readonly until: (last: string) => Promise<readonly Reply[]>;
}

/** `asker` asks at `local`, and `responder` gets it at `remote`. */
export async function ask(
  asker: RawClient,
  local: string,
  responder: RawClient,
  remote: string,
  headers?: string,
): Promise<Asked> {
  const subscription = responder.subscribe(remote);
  await responder.flush();
  return waitFor(`a request coming to ${remote}`, async () => {
    const reply = `_INBOX.asked.${++asked}`;
    const inbox = asker.subscribe(reply);
    asker.publish(local, 'question', { reply, ...(headers !== undefined && { headers }) });
    await waitFor('an answer or a request', () => subscription.received.length + inbox.received.length > 0);
    const [request] = subscription.received;
    if (request === undefined) {
      // Nobody has heard of the responder yet: it is asked again.
      assert.match(inbox.received[0]!.headers, /^NATS\/1\.0 503/);
      inbox.close();
      return undefined;
    }
    subscription.close();
    return {
      request,
      answers: inbox.received,
      answer: (payload, also) => {
        responder.publish(request.replyTo, payload, also);
      },
      until: async (last) => {
        await waitFor(`the answer ${last}`, () => inbox.received.some(({ payload }) => payload === last));
        return inbox.received;
      },
    };
  });
}

let asked = 0;

export async function call(
  client: RawClient,
  subject: string,
  body: object | '' = '',
): Promise<Record<string, unknown>> {
  const payload = body === '' ? '' : JSON.stringify(body);
  const [reply] = await client.request(subject, payload);
  assert.ok(reply !== undefined, `${subject} was not answered`);
  assert.equal(reply.headers, '', subject);
  return JSON.parse(reply.payload) as Record<string, unknown>;
}
