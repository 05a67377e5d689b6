/** What accounts import from one another, in the router alone: other nodes are what is announced and sent to them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NodeId } from '../../src/base/brand.ts';
import { type Message, subjectMatches } from '../../src/server/protocol/index.ts';
import type { Publication, Publisher } from '../../src/server/router-types.ts';
import { ReplyTable } from '../../src/server/router/reply-table.ts';
import {
  type AccountImport,
  type Subscriber,
  SubjectRouter,
  Subscription,
  TurnEnd,
} from '../../src/server/router/index.ts';
import { ManualRuntime } from './manual-runtime.ts';

const OTHER = 'other' as NodeId;

/** A connection that writes down what it was given. */
class Inbox implements Subscriber {
  readonly connectionId: number;
  readonly echo = true;
  readonly wantsNoResponders = true;
  pendingBytes = 0;
  readonly received: { readonly subject: string; readonly reply: string; readonly body: string }[] = [];

  constructor(connectionId: number) {
    this.connectionId = connectionId;
  }

  deliver(_subscription: Subscription, message: Message): boolean {
    this.received.push({
      subject: message.subjectBuffer.toString('latin1', message.subjectStart, message.subjectEnd),
      reply: message.replyBuffer.toString('latin1', message.replyStart, message.replyEnd),
      body: message.buffer.toString('latin1', message.headersStart, message.payloadEnd),
    });
    return true;
  }
}

interface Node {
  readonly router: SubjectRouter;
  readonly runtime: ManualRuntime;
  readonly announced: Set<string>;
  readonly sent: { readonly node: NodeId; readonly frame: Buffer }[];
  endTurn(): void;
}

function startNode(...imports: readonly (AccountImport & { readonly importer: string })[]): Node {
  const runtime = new ManualRuntime();
  const turnEnd = new TurnEnd(runtime);
  const announced = new Set<string>();
  const sent: { node: NodeId; frame: Buffer }[] = [];
  const router = new SubjectRouter({
    runtime,
    turnEnd,
    traffic: { send: (node, frame) => sent.push({ node, frame }) > 0, pendingTraffic: () => 0 },
    announce: ({ account, subject, queue, members }) => {
      const key = `${account} ${subject} ${queue ?? '-'}`;
      if (members > 0) announced.add(key);
      else announced.delete(key);
    },
  });
  for (const { importer, ...imported } of imports) router.addImport(importer, imported);
  return {
    router,
    runtime,
    announced,
    sent,
    endTurn: () => {
      turnEnd.flush();
    },
  };
}

function subscribe({ router }: Node, account: string, inbox: Inbox, subject: string, queue?: string): Subscription {
  const subscription = new Subscription(inbox, { subject, queue, sid: subject });
  router.account(account).subscribe(subscription);
  return subscription;
}

const MAPPED = {
  importer: 'B',
  kind: 'stream',
  account: 'A',
  subject: 'map.*.*',
  local: 'm.*.*',
  localMapping: 'm.$2.$1',
  remoteMapping: 'map.$2.$1',
} as const;

const HELP = {
  importer: 'B',
  kind: 'service',
  account: 'A',
  subject: 'help',
  local: 'a.help',
  localMapping: 'a.help',
  remoteMapping: 'help',
  share: false,
  response: { type: 'singleton', timeoutMs: 1000 },
} as const;

const text = (payload: string): Buffer => Buffer.from(payload);

test('other nodes hear of an imported subject as of one of the exporting account, and no longer once it is left', () => {
  const node = startNode(MAPPED);
  const inbox = new Inbox(1);
  const subscriptions = [subscribe(node, 'B', inbox, 'm.2.*'), subscribe(node, 'B', inbox, 'm.>', 'q')];
  node.endTurn();
  assert.deepEqual([...node.announced].sort(), ['A map.*.* q', 'A map.*.2 -', 'B m.2.* -', 'B m.> q']);
  for (const subscription of subscriptions) node.router.account('B').unsubscribe(subscription);
  node.endTurn();
  assert.deepEqual([...node.announced], []);
});

test('whatever is subscribed to, imported messages come exactly where their local subjects match', () => {
  const token = fc.constantFrom('m', '1', '2', '*');
  const filter = fc
    .tuple(fc.array(token, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([tokens, rest]) => [...tokens, ...(rest ? ['>'] : [])].join('.'));
  const digit = fc.constantFrom('1', '2');
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 6 }), digit, digit, (filters, first, second) => {
      const node = startNode(MAPPED);
      const inbox = new Inbox(1);
      for (const each of filters) subscribe(node, 'B', inbox, each);
      node.router.publish('A', { subject: `map.${first}.${second}`, payload: text('x') });
      const local = `m.${second}.${first}`;
      const expected = filters.filter((each) => subjectMatches(each, local)).map(() => local);
      assert.deepEqual(
        inbox.received.map(({ subject }) => subject),
        expected,
      );
    }),
  );
});

test('a request goes over with a reply that stands for the real one, which the whole cluster can answer', () => {
  const node = startNode(HELP);
  const [asker, responder] = [new Inbox(1), new Inbox(2)];
  subscribe(node, 'B', asker, 'inbox.>');
  subscribe(node, 'A', responder, 'help');
  assert.equal(node.router.publish('B', { subject: 'a.help', reply: 'inbox.1', payload: text('?') }), true);
  const [request] = responder.received;
  assert.equal(request?.body, 'NATS/1.0\r\nNats-Request-Info: {"acc":"B"}\r\n\r\n?');
  node.endTurn();
  const wildcard = request.reply.replace(/\w+$/, '>');
  assert.ok(node.announced.has(`A ${wildcard} -`), [...node.announced].join());

  // Somebody at another node answers.
  const far = startNode();
  far.router.remoteInterest('near' as NodeId, { account: 'A', subject: wildcard, queue: undefined, members: 1 });
  assert.equal(far.router.publish('A', { subject: request.reply, payload: text('!') }), true);
  far.endTurn();
  node.router.remoteMessages(OTHER, far.sent[0]!.frame);
  node.router.remoteMessages(OTHER, far.sent[0]!.frame);
  assert.deepEqual(asker.received, [{ subject: 'inbox.1', reply: '', body: '!' }]);
});

test('nobody takes an answer that was given before, comes too late, or is to nothing that was asked', () => {
  const node = startNode(HELP);
  const [asker, responder] = [new Inbox(1), new Inbox(2)];
  subscribe(node, 'B', asker, 'inbox');
  subscribe(node, 'A', responder, 'help');
  const ask = (): string => {
    node.router.publish('B', { subject: 'a.help', reply: 'inbox', payload: text('?') });
    return responder.received.at(-1)!.reply;
  };
  const answer = (subject: string): boolean => node.router.publish('A', { subject, payload: text('!') });
  const [answered, late] = [ask(), ask()];
  assert.deepEqual([answer(answered), answer(answered)], [true, false]);
  node.runtime.advance(HELP.response.timeoutMs);
  assert.equal(answer(late), false);
  assert.equal(answer(late.replace(/\w+$/, 'unknown')), false);
  assert.equal(asker.received.length, 1);
});

test('without anybody who serves, nobody takes the request', () => {
  const node = startNode(HELP);
  assert.equal(node.router.publish('B', { subject: 'a.help', reply: 'inbox', payload: text('?') }), false);
});

test('who learns late that nobody took the request is told so under the names that it used', () => {
  const node = startNode(HELP);
  const asker = new Inbox(7);
  node.router.attach(asker);
  subscribe(node, 'B', asker, 'inbox');
  const taken: { readonly publisher: Publisher; readonly reply: string }[] = [];
  node.router.addService('A', 'help', {
    handle: ({ buffer, replyStart, replyEnd }: Publication, publisher) => {
      taken.push({ publisher, reply: buffer.toString('latin1', replyStart, replyEnd) });
      return true;
    },
  });
  const whole = Buffer.from('a.helpinbox');
  const ends = { headersStart: 11, headersEnd: 11, payloadStart: 11, payloadEnd: 11 };
  const description = { name: '', user: '', host: '', lang: '', version: '' };
  const publisher = { connectionId: 7, account: 'B', pause: () => undefined, resume: () => undefined, description };
  const publication = { buffer: whole, subjectStart: 0, subjectEnd: 6, replyStart: 6, replyEnd: 11, ...ends };
  assert.equal(node.router.forward(publication, publisher), true);
  const [{ publisher: imported, reply }] = taken as [(typeof taken)[number]];
  assert.deepEqual([imported.account, imported.connectionId], ['A', 7]);
  node.router.noResponders(imported, 'help', reply);
  node.router.noResponders(imported, 'help', reply);
  assert.deepEqual(asker.received, [
    { subject: 'inbox', reply: '', body: 'NATS/1.0 503\r\nNats-Subject: a.help\r\n\r\n' },
  ]);
});

test('who watches the interest in a reply sees that of the account that asked', () => {
  const node = startNode(HELP);
  const [asker, responder] = [new Inbox(1), new Inbox(2)];
  const inbox = subscribe(node, 'B', asker, 'inbox');
  subscribe(node, 'A', responder, 'help');
  node.router.publish('B', { subject: 'a.help', reply: 'inbox', payload: text('?') });
  let changes = 0;
  const route = node.router.openRoute('A', responder.received[0]!.reply, () => changes++);
  asker.pendingBytes = 5;
  assert.deepEqual([route.interested, route.pendingBytes()], [true, 5]);
  node.endTurn();
  const before = changes;
  node.router.account('B').unsubscribe(inbox);
  node.endTurn();
  assert.deepEqual([route.interested, changes], [false, before + 1]);
  route.close();
});

test('what an answer leads to on its way does not change it for others who get it', () => {
  const node = startNode(HELP);
  const [responder, before, behind] = [new Inbox(1), new Inbox(2), new Inbox(3)];
  subscribe(node, 'A', responder, 'help');
  // Whoever takes the answer in the asking account publishes in turn, in the way in which many answers are published.
  node.router.addService('B', 'inbox', {
    handle: () => node.router.publishReply('B', text('elsewhere'), 0, 9, text('something else'), 14),
  });
  subscribe(node, 'B', new Inbox(4), 'elsewhere');
  node.router.publish('B', { subject: 'a.help', reply: 'inbox', payload: text('?') });
  const { reply } = responder.received[0]!;
  subscribe(node, 'A', before, '>');
  subscribe(node, 'A', behind, reply);
  const bytes = text(reply);
  assert.equal(node.router.publishReply('A', bytes, 0, bytes.length, text('the answer'), 10), true);
  for (const { received } of [before, behind]) {
    assert.deepEqual(received, [{ subject: reply, reply: '', body: 'the answer' }]);
  }
});

test('replies that wait for an answer are bounded in number and in time', () => {
  const runtime = new ManualRuntime();
  const table = new ReplyTable(runtime, { type: 'stream', timeoutMs: 1000 });
  const reply = text('inbox');
  const first = table.open(reply, text('subject'));
  const second = table.open(reply, text('subject'));
  while (table.size < 100_000) table.open(reply, text('subject'));
  table.open(reply, text('subject'));
  assert.equal(table.size, 100_000);
  assert.equal(table.find(first.token), undefined);
  runtime.advance(999);
  table.renew(table.find(second.token)!);
  runtime.advance(2);
  assert.equal(table.find(second.token)?.reply.toString(), 'inbox');
  runtime.advance(30_000);
  assert.equal(table.size, 0);
});
