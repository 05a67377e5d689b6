import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import { type Message, subjectMatches } from '../../src/server/protocol/index.ts';
import type { Publication, Publisher } from '../../src/server/router-types.ts';
import { type Subscriber, SubjectRouter, Subscription, TurnEnd } from '../../src/server/router/index.ts';
import { ManualRuntime } from './manual-runtime.ts';

const ACCOUNT = 'A';

/** A connection that writes down what it was given. */
class Inbox implements Subscriber {
  readonly connectionId: number;
  echo = true;
  wantsNoResponders = true;
  pendingBytes = 0;
  open = true;
  readonly received: string[] = [];

  constructor(connectionId: number) {
    this.connectionId = connectionId;
  }

  deliver(subscription: Subscription, message: Message): boolean {
    if (!this.open) return false;
    const subject = message.subjectBuffer.toString('latin1', message.subjectStart, message.subjectEnd);
    const payload = message.buffer.toString('latin1', message.headersStart, message.payloadEnd);
    this.received.push(`${subscription.sid}<${subject}:${payload}`);
    return true;
  }

  take(): string[] {
    return this.received.splice(0).sort();
  }
}

function startRouter(): { router: SubjectRouter; runtime: ManualRuntime; turnEnd: TurnEnd; announced: string[] } {
  const runtime = new ManualRuntime();
  const turnEnd = new TurnEnd(runtime);
  const announced: string[] = [];
  const router = new SubjectRouter({
    runtime,
    turnEnd,
    traffic: { send: () => true, pendingTraffic: () => 0 },
    announce: ({ subject, queue, members }) => announced.push(`${subject} ${queue ?? '-'} ${members}`),
  });
  return { router, runtime, turnEnd, announced };
}

function subscribe(router: SubjectRouter, subscriber: Inbox, subject: string, queue?: string): Subscription {
  const sid = queue === undefined ? subject : `${subject} ${queue}`;
  const subscription = new Subscription(subscriber, { subject, queue, sid });
  router.account(ACCOUNT).subscribe(subscription);
  return subscription;
}

const token = fc.constantFrom('a', 'b', 'c');
const literal = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const filter = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, rest]) => [...tokens, ...(rest ? ['>'] : [])].join('.'));
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), filter: fc.oneof(filter, literal) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), which: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), subject: literal }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'endTurn' as const }) },
);

test('whatever comes and goes, a message reaches exactly the subscriptions whose filter it matches', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { router, turnEnd } = startRouter();
      const inbox = new Inbox(1);
      const live: Subscription[] = [];
      for (const action of steps) {
        switch (action.kind) {
          case 'subscribe':
            live.push(subscribe(router, inbox, action.filter));
            break;
          case 'unsubscribe': {
            const [gone] = live.splice(action.which % (live.length + 1), 1);
            if (gone !== undefined) router.account(ACCOUNT).unsubscribe(gone);
            break;
          }
          case 'endTurn':
            turnEnd.flush();
            break;
          case 'publish': {
            const expected = live.filter(({ subject }) => subjectMatches(subject, action.subject));
            const taken = router.publish(ACCOUNT, { subject: action.subject, payload: Buffer.from('x') });
            assert.equal(taken, expected.length > 0);
            assert.deepEqual(inbox.take(), expected.map(({ subject }) => `${subject}<${action.subject}:x`).sort());
          }
        }
      }
    }),
    { numRuns: 3_000 },
  );
});

test('interest is announced once per turn, and nothing that came and went within it', () => {
  const { router, turnEnd, announced } = startRouter();
  const inbox = new Inbox(1);
  const kept = [subscribe(router, inbox, 'a.*'), subscribe(router, inbox, 'a.*'), subscribe(router, inbox, 'q', 'w')];
  router.account(ACCOUNT).unsubscribe(subscribe(router, inbox, 'gone'));
  turnEnd.flush();
  assert.deepEqual(announced.splice(0), ['a.* - 2', 'q w 1']);
  for (const subscription of kept) router.account(ACCOUNT).unsubscribe(subscription);
  router.account(ACCOUNT).unsubscribe(kept[0]!);
  turnEnd.flush();
  assert.deepEqual(announced, ['a.* - 0', 'q w 0']);
  assert.equal(router.account(ACCOUNT).subscriptions, 0);
});

test('subjects with empty tokens reach nobody, not even those of everything', () => {
  const { router } = startRouter();
  const inbox = new Inbox(1);
  subscribe(router, inbox, '>');
  subscribe(router, inbox, 'a.*');
  assert.ok(router.publish(ACCOUNT, { subject: 'a.b', payload: Buffer.alloc(0) }));
  for (const subject of ['a.', '.a', 'a..b', '', '.']) {
    assert.equal(router.publish(ACCOUNT, { subject, payload: Buffer.alloc(0) }), false, subject);
  }
});

test('subjects of thousands of tokens neither recurse nor overflow', () => {
  const { router, turnEnd } = startRouter();
  const inbox = new Inbox(1);
  const long = Array.from({ length: 10_000 }, (_, i) => String(i % 10)).join('.');
  const subscription = subscribe(router, inbox, long);
  subscribe(router, inbox, '0.>');
  assert.ok(router.publish(ACCOUNT, { subject: long, payload: Buffer.alloc(0) }));
  assert.equal(inbox.received.length, 2);
  router.account(ACCOUNT).unsubscribe(subscription);
  turnEnd.flush();
  assert.equal(router.account(ACCOUNT).exact(long), undefined);
});

test('accounts share nothing', () => {
  const { router } = startRouter();
  const inbox = new Inbox(1);
  subscribe(router, inbox, '>');
  assert.equal(router.publish('B', { subject: 'a', payload: Buffer.alloc(0) }), false);
  assert.deepEqual(inbox.received, []);
});

test('a queue group spreads messages evenly, and passes over members that cannot take them', () => {
  const { router } = startRouter();
  const inboxes = [1, 2, 3, 4].map((id) => new Inbox(id));
  for (const inbox of inboxes) subscribe(router, inbox, 'work.*', 'q');
  inboxes[3]!.open = false;
  for (let i = 0; i < 3_000; i++)
    assert.ok(router.publish(ACCOUNT, { subject: `work.${i}`, payload: Buffer.alloc(0) }));
  const shares = inboxes.map(({ received }) => received.length);
  assert.equal(
    shares.reduce((sum, share) => sum + share),
    3_000,
  );
  assert.equal(shares[3], 0);
  for (const share of shares.slice(0, 3)) assert.ok(share > 700, `shares ${shares.join(' ')}`);
});

test('groups of one name on different filters are different groups', () => {
  const { router } = startRouter();
  const inbox = new Inbox(1);
  subscribe(router, inbox, 'a.*', 'q');
  subscribe(router, inbox, 'a.>', 'q');
  router.publish(ACCOUNT, { subject: 'a.b', payload: Buffer.alloc(0) });
  assert.deepEqual(inbox.take(), ['a.* q<a.b:', 'a.> q<a.b:']);
});

test('services and captures count as takers, see the message whole, and do not keep it from subscribers', () => {
  const { router } = startRouter();
  const inbox = new Inbox(1);
  subscribe(router, inbox, 'api.>');
  const seen: string[] = [];
  const note = (who: string) => (publication: Publication, publisher: Publisher) => {
    const { buffer, subjectStart, subjectEnd, replyStart, replyEnd, headersStart, payloadEnd } = publication;
    const [subject, reply, body] = [
      buffer.toString('latin1', subjectStart, subjectEnd),
      buffer.toString('latin1', replyStart, replyEnd),
      buffer.toString('latin1', headersStart, payloadEnd),
    ];
    seen.push(`${who} ${publisher.connectionId} ${subject} ${reply} ${body}`);
    return true;
  };
  const removeService = router.addService(ACCOUNT, 'api.*', { handle: note('service') });
  const removeCapture = router.addCapture(ACCOUNT, ['api.x', 'other'], { capture: note('capture') });
  const message = { subject: 'api.x', reply: 'r', headers: Buffer.from('H'), payload: Buffer.from('P') };
  assert.ok(router.publish(ACCOUNT, message));
  assert.deepEqual(seen.splice(0), ['service 0 api.x r HP', 'capture 0 api.x r HP']);
  assert.deepEqual(inbox.take(), ['api.><api.x:HP']);
  const reply = Buffer.from('>>api.x<<');
  assert.ok(router.publishReply(ACCOUNT, reply, 2, 7, Buffer.from('+OK..'), 3));
  assert.deepEqual(seen.splice(0), ['service 0 api.x  +OK', 'capture 0 api.x  +OK']);
  removeService();
  removeCapture();
  removeCapture();
  assert.ok(router.publish(ACCOUNT, message));
  assert.deepEqual(seen, []);
  assert.equal(router.publish(ACCOUNT, { ...message, subject: 'other' }), false);
});

test('replies to ever new inboxes under one prefix are matched once', () => {
  const { router } = startRouter();
  const inbox = new Inbox(1);
  subscribe(router, inbox, '_INBOX.x.*');
  const { statistics } = router.account(ACCOUNT);
  const subject = Buffer.alloc(32);
  for (let i = 0; i < 10_000; i++) {
    const end = subject.write(`_INBOX.x.${i}`);
    assert.ok(router.publishReply(ACCOUNT, subject, 0, end, Buffer.from('{}'), 2));
  }
  assert.equal(statistics.computed, 1);
  assert.equal(statistics.matches, 10_000);
  assert.equal(router.account(ACCOUNT).cachedMatches, 1);
});

test('the fan-out of an account counts the receivers of its cached matches', () => {
  const { router } = startRouter();
  for (const connection of [1, 2, 3]) subscribe(router, new Inbox(connection), 'many');
  subscribe(router, new Inbox(4), 'one');
  for (const subject of ['many', 'one']) router.publish(ACCOUNT, { subject, payload: Buffer.alloc(0) });
  assert.deepEqual(router.account(ACCOUNT).fanOut(), { most: 3, sum: 4 });
});

test('the cache stays bounded under ever new subjects', () => {
  const { router } = startRouter();
  subscribe(router, new Inbox(1), 'a.known');
  for (let i = 0; i < 50_000; i++) router.publish(ACCOUNT, { subject: `a.${i}`, payload: Buffer.alloc(0) });
  assert.ok(router.account(ACCOUNT).cachedMatches <= 16 * 1024);
});

test('a route knows its interest at any time and says so once per turn', () => {
  const { router, turnEnd } = startRouter();
  let changes = 0;
  const route = router.openRoute(ACCOUNT, 'deliver.x', () => changes++);
  const inbox = new Inbox(1);
  assert.equal(route.interested, false);
  const wild = subscribe(router, inbox, 'deliver.*');
  const queue = subscribe(router, inbox, 'deliver.x', 'q');
  assert.equal(route.interested, true);
  assert.deepEqual([route.exactPlain(), route.exactQueue('q'), route.exactQueue('other')], [0, 1, 0]);
  assert.equal(changes, 0);
  turnEnd.flush();
  assert.equal(changes, 1);
  subscribe(router, inbox, 'elsewhere.*');
  turnEnd.flush();
  assert.equal(changes, 1);
  router.account(ACCOUNT).unsubscribe(wild);
  router.account(ACCOUNT).unsubscribe(queue);
  assert.deepEqual([route.interested, route.exactQueue('q')], [false, 0]);
  route.close();
  turnEnd.flush();
  assert.equal(changes, 1);
});

test('a stored message is delivered under its own subject, routed by that of the route', () => {
  const { router } = startRouter();
  const inbox = new Inbox(1);
  subscribe(router, inbox, 'deliver.x');
  inbox.pendingBytes = 42;
  const route = router.openRoute(ACCOUNT, 'deliver.x', () => undefined);
  const buffer = Buffer.from('..orders.newHEADpayload..');
  const message = { buffer, subjectStart: 2, headersStart: 12, payloadStart: 16, end: 23 };
  assert.equal(route.pendingBytes(), 42);
  assert.ok(router.deliver(route, message, Buffer.from('$JS.ACK.x__'), 9));
  assert.deepEqual(inbox.take(), ['deliver.x<orders.new:HEADpayload']);
  const nobody = router.openRoute(ACCOUNT, 'deliver.y', () => undefined);
  assert.equal(router.deliver(nobody, message, Buffer.alloc(0), 0), false);
});

test('a subscription of the server’s own is interest as any other, and its handler may publish', async () => {
  const { router, turnEnd, announced } = startRouter();
  const inbox = new Inbox(1);
  subscribe(router, inbox, 'echo');
  const received: string[] = [];
  const unsubscribe = router.subscribe(ACCOUNT, 'in.*', ({ subject, reply, headers, payload }) => {
    received.push(`${subject} ${reply} ${headers.toString()} ${payload.toString()}`);
    router.publish(ACCOUNT, { subject: 'echo', payload });
  });
  turnEnd.flush();
  const publish = (subject: string): boolean =>
    router.publish(ACCOUNT, {
      subject,
      reply: 'r',
      headers: Buffer.from('NATS/1.0\r\n\r\n'),
      payload: Buffer.from('x'),
    });
  assert.equal(publish('in.1'), true);
  assert.deepEqual(received, [], 'the publisher’s turn is not over');
  await Promise.resolve();
  assert.deepEqual(received, ['in.1 r NATS/1.0\r\n\r\n x']);
  assert.deepEqual(inbox.take(), ['echo<echo:x']);
  unsubscribe();
  turnEnd.flush();
  assert.equal(publish('in.2'), false);
  assert.deepEqual(announced, ['echo - 1', 'in.* - 1', 'in.* - 0']);
});
