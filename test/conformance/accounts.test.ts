/**
 * What accounts share: messages and services that one exports and another imports, and JetStream through them. Alone, and in a
 * cluster whose accounts' clients are at different nodes. PEER names the executable of the reference server, to be asked instead.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../harness/wait-for.ts';
import { ask, call, heard, listens, startSharers, stopSharers, type Sharers } from './account-steps.ts';
import type { RawClient, Reply } from './raw-client.ts';

const NO_RESPONDERS = (subject: string): string => `NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`;
/** How long the service `quick` may take. */
const QUICK_MS = 200;
const EXTERNAL = { api: 'JS.A.API', deliver: 'deliver.m' };

for (const [title, nodes] of [
  ['accounts of a single server', 1],
  ['accounts of a cluster', 3],
] as const) {
  describe(title, () => {
    let sharers: Sharers;
    before(async () => {
      sharers = await startSharers(nodes);
    });
    after(() => stopSharers(sharers));
    streamImports(() => sharers);
    serviceImports(() => sharers);
    jetStreamImports(() => sharers, nodes);
  });
}

function streamImports(sharers: () => Sharers): void {
  const subjects = (replies: readonly Reply[]): string[] => replies.map(({ subject }) => subject);

  for (const [filter, published, received] of [
    ['fromA.pubs.>', 'pubs.x.y', 'fromA.pubs.x.y'],
    ['fromA.pubs.x', 'pubs.x', 'fromA.pubs.x'],
    ['fromA.>', 'pubs.x', 'fromA.pubs.x'],
    ['>', 'pubs.x', 'fromA.pubs.x'],
    ['*.pubs.*', 'pubs.x', 'fromA.pubs.x'],
    ['m.>', 'map.1.2', 'm.2.1'],
    ['m.2.*', 'map.1.2', 'm.2.1'],
    ['m.*.1', 'map.1.2', 'm.2.1'],
    ['m.2.1', 'map.1.2', 'm.2.1'],
    ['*.*.*', 'map.1.2', 'm.2.1'],
    ['*', 'lit', 'here'],
    ['here', 'lit', 'here'],
    ['deliver.a', 'deliver.a', 'deliver.a'],
  ] as const) {
    test(`a subscription to ${filter} gets what the exporting account publishes on ${published}`, async () => {
      const { a, b } = sharers();
      const [message, ...others] = await heard(b, filter, a, published);
      assert.deepEqual(others, []);
      assert.equal(message?.subject, received);
      assert.equal(message.replyTo, 'answer.here');
      assert.equal(message.headers, 'NATS/1.0\r\nX: y\r\n\r\n');
    });
  }

  test('nobody hears what is imported under another subject, is not imported, or came by an import itself', async () => {
    const { a, b, c } = sharers();
    const deaf = [b.subscribe('pubs.>'), b.subscribe('m.3.*'), c.subscribe('c.pubs.>'), a.subscribe('fromA.>')];
    for (const client of [a, b, c]) await client.flush();
    assert.deepEqual(subjects(await heard(b, 'fromA.pubs.q', a, 'pubs.q')), ['fromA.pubs.q']);
    assert.deepEqual(subjects(await heard(b, 'm.>', a, 'map.1.2')), ['m.2.1']);
    for (const client of [a, b, c]) await client.flush();
    assert.deepEqual(
      deaf.map(({ received }) => received),
      [[], [], [], []],
    );
    for (const subscription of deaf) subscription.close();
  });

  test('members of a queue group share imported messages, those of the exporting account included', async () => {
    const { a, b, nextToA } = sharers();
    const members = [
      b.subscribe('fromA.pubs.q', 'q'),
      nextToA.subscribe('fromA.pubs.q', 'q'),
      a.subscribe('pubs.q', 'q'),
    ];
    const all = b.subscribe('fromA.pubs.q');
    for (const client of [a, b, nextToA]) await client.flush();
    await listens(all, a, 'pubs.q');
    const shared = (replies: readonly Reply[]): number => replies.filter(({ payload }) => payload === 'more').length;
    let sent = 0;
    await waitFor('every member getting something', () => {
      a.publish('pubs.q', 'more');
      sent++;
      return members.every(({ received }) => shared(received) > 0);
    });
    const count = (): number => members.reduce((sum, { received }) => sum + shared(received), 0);
    await waitFor('each message being with one member', () => count() >= sent && shared(all.received) >= sent);
    assert.deepEqual([count(), shared(all.received)], [sent, sent]);
    for (const subscription of [...members, all]) subscription.close();
  });

  test('a subscriber of another account counts as a responder, for as long as it is there', async () => {
    const { a, b } = sharers();
    const lonely = async (): Promise<boolean> => {
      const [reply] = await a.request('pubs.lonely', '', { timeoutMs: 100 });
      return reply?.headers === NO_RESPONDERS('pubs.lonely');
    };
    const subscription = b.subscribe('fromA.pubs.lonely');
    await b.flush();
    await listens(subscription, a, 'pubs.lonely');
    assert.equal(await lonely(), false);
    subscription.close();
    await b.flush();
    await waitFor('nobody being there', lonely);
  });
}

function serviceImports(sharers: () => Sharers): void {
  for (const [local, remote] of [
    ['a.help', 'help'],
    ['s.x.y', 'svc.x.y'],
    ['t.1.2', 'two.2.1'],
    ['own.B.x', 'own.B.x'],
  ] as const) {
    test(`a request to ${local} is answered by who serves ${remote} in the exporting account, once`, async () => {
      const { a, b } = sharers();
      const { request, until, answer } = await ask(b, local, a, remote, 'X: y\r\nNats-Request-Info: me');
      assert.equal(request.subject, remote);
      assert.equal(request.payload, 'question');
      assert.match(request.replyTo, /^_R_\.\w+\.\w+$/);
      assert.match(request.headers, /^NATS\/1\.0\r\nX: y\r\nNats-Request-Info: {"acc":"B"(,"rtt":\d+)?}\r\n\r\n$/);
      answer('end', { headers: 'A: b' });
      const [reply] = await until('end');
      assert.deepEqual([reply?.payload, reply?.headers], ['end', 'NATS/1.0\r\nA: b\r\n\r\n']);
      assert.match(reply!.subject, /^_INBOX\./);
    });
  }

  test('a request goes through the accounts that import from one another, and says who asks on whose behalf', async () => {
    const { a, c } = sharers();
    const { request, until, answer } = await ask(c, 'c.help', a, 'help');
    assert.match(request.headers, /Nats-Request-Info: {"acc":"C","svc":"B"[,}]/);
    answer('end');
    assert.equal((await until('end')).length, 1);
  });

  test('a client that shares is described to the service', async () => {
    const { a, nextToA } = sharers();
    const { request, until, answer } = await ask(nextToA, 'shared', a, 'shared');
    const info = JSON.parse(/Nats-Request-Info: (.*)\r\n/.exec(request.headers)![1]!) as Record<string, unknown>;
    const { acc, user, name, lang, ver, host, server, kind, client_type: type } = info;
    assert.deepEqual(
      { acc, user, name, lang, ver, host, server, kind, type },
      {
        acc: 'B',
        user: 'b',
        name: 'bee',
        lang: 'test',
        ver: '1',
        host: '127.0.0.1',
        server: 'n1',
        kind: 'Client',
        type: 'nats',
      },
    );
    assert.equal(typeof info['id'], 'number');
    assert.match(String(info['start']), /^2\d{3}-.*Z$/);
    answer('end');
    await until('end');
  });

  test('a service that answers once is heard once, and one that answers often until it says nothing', async () => {
    const { a, b } = sharers();
    const once = await ask(b, 'a.help', a, 'help');
    const often = [await ask(b, 'multi', a, 'multi'), await ask(b, 'chunk', a, 'chunk')];
    for (const { answer } of [once, ...often]) {
      answer('first');
      answer('second');
      answer('', { headers: 'A: b' });
      answer('');
      answer('too late');
    }
    await passed();
    const payloads = [once, ...often].map(({ answers }) => answers.map(({ payload }) => payload));
    const all = ['first', 'second', '', ''];
    assert.deepEqual(payloads, [['first'], all, all]);
  });

  test("an answer that takes longer than the service may take is nobody's", async () => {
    const { a, b } = sharers();
    const { answer, answers } = await ask(b, 'quick', a, 'quick');
    await delay(QUICK_MS * 2);
    answer('late');
    await passed();
    assert.deepEqual(answers, []);
  });

  /** All that A has published so far has come to B. */
  async function passed(): Promise<void> {
    const { a, b } = sharers();
    const { answer, until } = await ask(b, 'a.help', a, 'help');
    answer('passed');
    await until('passed');
  }

  test('an answer may ask back', async () => {
    const { a, b } = sharers();
    const { until, answer } = await ask(b, 'a.help', a, 'help');
    const inbox = a.subscribe('a.inbox');
    await a.flush();
    answer('end', { reply: 'a.inbox' });
    const [reply] = await until('end');
    assert.match(reply!.replyTo, /^_R_\.\w+\.\w+$/);
    await waitFor('the answer to the answer', () => {
      if (inbox.received.length === 0) b.publish(reply!.replyTo, 'back');
      return inbox.received.length > 0;
    });
    assert.deepEqual([inbox.received[0]?.subject, inbox.received[0]?.payload], ['a.inbox', 'back']);
    inbox.close();
  });

  test('without anybody who serves, the status names the subject that was asked', async () => {
    const { b, c } = sharers();
    for (const [client, subject] of [
      [b, 'a.help'],
      [b, 's.nobody'],
      [c, 'c.help'],
    ] as const) {
      await waitFor(`nobody serving ${subject}`, async () => {
        const [reply] = await client.request(subject, '', { timeoutMs: 500 });
        return reply?.headers === NO_RESPONDERS(subject);
      });
    }
  });
}

function jetStreamImports(sharers: () => Sharers, nodes: number): void {
  const create = async (name: string, config: object = {}): Promise<void> => {
    const { a } = sharers();
    const answer = await call(a, `$JS.API.STREAM.CREATE.${name}`, { name, num_replicas: nodes, ...config });
    assert.equal(answer['error'], undefined, JSON.stringify(answer));
  };
  /** Not every node may know of the stream yet, or of its leader: as clients do, it is asked again. */
  const taken = (client: RawClient, subject: string, body: string, headers?: string): Promise<Reply> =>
    waitFor(`${subject} being taken`, async () => {
      const [reply] = await client.request(subject, body, { headers });
      return reply !== undefined && !reply.headers.startsWith('NATS/1.0 503') && reply;
    });
  const publish = async (client: RawClient, subject: string, body: string, headers?: string): Promise<unknown> =>
    (JSON.parse((await taken(client, subject, body, headers)).payload) as { readonly seq?: unknown }).seq;
  const createConsumer = (client: RawClient, subject: string, config: object): Promise<boolean> =>
    waitFor('the consumer', async () => {
      const answer = await call(client, subject, { stream_name: 'O', config });
      return answer['error'] === undefined;
    });
  const removeAll = async (): Promise<void> => {
    const { a, b } = sharers();
    for (const [client, name] of [
      [a, 'O'],
      [b, 'M'],
      [b, 'S'],
    ] as const) {
      await call(client, `$JS.API.STREAM.DELETE.${name}`);
    }
  };

  test('a stream of another account is published to, read by pulling, and acked, through imports', async () => {
    const { a, b } = sharers();
    await create('O', { subjects: ['svc.o.*'] });
    assert.equal(await publish(b, 's.o.1', 'one', 'H: v'), 1);
    assert.equal(await publish(b, 's.o.2', 'two'), 2);
    const stored = (await call(a, '$JS.API.STREAM.MSG.GET.O', { seq: 1 }))['message'] as Record<string, string>;
    assert.equal(stored['subject'], 'svc.o.1');
    assert.equal(Buffer.from(stored['hdrs']!, 'base64').toString(), 'NATS/1.0\r\nH: v\r\n\r\n');
    const config = { durable_name: 'P', ack_policy: 'explicit' };
    await createConsumer(b, 'JS.A.API.CONSUMER.CREATE.O.P', config);
    const pulled = await waitFor('both messages', async () => {
      const isComplete = (replies: readonly Reply[]): boolean =>
        replies.length === 2 || replies.some(({ headers }) => headers.startsWith('NATS/1.0 '));
      const pull = JSON.stringify({ batch: 2, expires: 3e10 });
      const replies = await b.request('JS.A.API.CONSUMER.MSG.NEXT.O.P', pull, { isComplete });
      return replies.length === 2 && replies;
    });
    assert.deepEqual(
      pulled.map(({ subject, payload }) => [subject, payload]),
      [
        ['svc.o.1', 'one'],
        ['svc.o.2', 'two'],
      ],
    );
    for (const { replyTo } of pulled) assert.equal((await taken(b, replyTo, '+ACK')).payload, '');
    const info = await call(a, '$JS.API.CONSUMER.INFO.O.P');
    assert.equal((info['ack_floor'] as Record<string, number>)['stream_seq'], 2);
    const [none] = await b.request('JS.A.API.CONSUMER.MSG.NEXT.O.NONE');
    assert.match(none!.headers, /^NATS\/1\.0 503/);
    await removeAll();
  });

  test('consumers push into another account, and messages keep the subjects that they are stored under', async () => {
    const { a, b } = sharers();
    await create('O', { subjects: ['svc.o.*'] });
    await publish(a, 'svc.o.1', 'one');
    for (const [local, remote] of [
      ['deliver.x', 'deliver.x'],
      ['z.moved.x', 'moved.x'],
      ['here', 'lit'],
      ['m.2.1', 'map.1.2'],
    ] as const) {
      const subscription = b.subscribe(local);
      await listens(subscription, a, remote);
      const config = { deliver_subject: remote, flow_control: true, idle_heartbeat: 1e8 };
      await createConsumer(b, 'JS.A.API.CONSUMER.CREATE.O', config);
      const comes = (what: string, is: (reply: Reply) => boolean): Promise<Reply> =>
        waitFor(what, () => subscription.received.find(is));
      const message = await comes('the message', ({ payload }) => payload === 'one');
      const heartbeat = await comes('a heartbeat', ({ headers }) => headers.startsWith('NATS/1.0 100 Idle Heartbeat'));
      assert.deepEqual([message.subject, heartbeat.subject], ['svc.o.1', local]);
      assert.match(message.replyTo, /^\$JS\.ACK\.O\./);
      subscription.close();
    }
    await removeAll();
  });

  test("an account without JetStream that imports all of another's has it, and only that", async () => {
    const { d } = sharers();
    await create('O');
    const names: (readonly Reply[])[] = [];
    for (let i = 0; i < 3; i++) {
      names.push(
        await d.request('$JS.API.STREAM.NAMES', '', { isComplete: (replies) => replies.length > 1, timeoutMs: 100 }),
      );
    }
    await waitFor('an answer', async () => {
      const [reply, ...others] = await d.request('$JS.API.STREAM.NAMES');
      assert.deepEqual(others, []);
      return (JSON.parse(reply!.payload) as { readonly streams?: unknown }).streams?.toString() === 'O';
    });
    assert.ok(
      names.every((replies) => replies.length <= 1),
      JSON.stringify(names),
    );
    await removeAll();
  });

  test('a mirror and a source take from a stream of another account, and go on with what comes later', async () => {
    const { a, b } = sharers();
    await create('O', { subjects: ['svc.o.*'] });
    const payload = 'x'.repeat(1000);
    const publishAll = async (from: number, to: number): Promise<void> => {
      for (let i = from; i <= to; i++) await publish(a, `svc.o.${i}`, `${i} ${payload}`);
    };
    await publishAll(1, 50);
    await call(b, '$JS.API.STREAM.CREATE.M', {
      name: 'M',
      num_replicas: nodes,
      mirror: { name: 'O', external: EXTERNAL },
    });
    const source = { name: 'O', external: { ...EXTERNAL, deliver: 'deliver.s' }, filter_subject: 'svc.o.*' };
    await call(b, '$JS.API.STREAM.CREATE.S', { name: 'S', num_replicas: nodes, sources: [source] });
    const holds = (name: string, messages: number): Promise<boolean> =>
      waitFor(`${name} holding ${messages} messages`, async () => {
        const { state } = await call(b, `$JS.API.STREAM.INFO.${name}`);
        return (state as { readonly messages?: number } | undefined)?.messages === messages;
      });
    await holds('M', 50);
    await holds('S', 50);
    await publishAll(51, 100);
    await holds('M', 100);
    await holds('S', 100);
    const stored = async (name: string): Promise<Record<string, string>> =>
      (await call(b, `$JS.API.STREAM.MSG.GET.${name}`, { last_by_subj: 'svc.o.100' }))['message'] as Record<
        string,
        string
      >;
    for (const message of [await stored('M'), await stored('S')]) {
      assert.equal(message['seq'], 100);
      assert.equal(Buffer.from(message['data']!, 'base64').toString(), `100 ${payload}`);
    }
    const headers = Buffer.from((await stored('S'))['hdrs']!, 'base64').toString();
    assert.match(headers, /Nats-Stream-Source: O:3V17LQ3b 100 svc\.o\.\* > svc\.o\.100 \w+\r\n/);
    await removeAll();
  });
}
