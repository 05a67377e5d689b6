import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONNECT, startServer, TestClient, withoutInfo } from './harness.ts';

/** What a fresh connection receives for `input`, up to the answer to a final PING or to its end. */
async function session(input: string | Buffer): Promise<{ output: string; closed: boolean }> {
  const server = startServer();
  const client = new TestClient(server);
  await client.roundTrip(input);
  await server.frontEnd.close();
  return { output: withoutInfo(client.received), closed: !client.received.includes('PONG') };
}

const GREETING = '<INFO>';
const PONG = 'PONG\r\n<INFO+>';
const UNKNOWN = "-ERR 'Unknown Protocol Operation'\r\n";
const LINE = "-ERR 'maximum control line exceeded'\r\n";

/** Each leaves the connection open; the answer stands between the greeting and the PONG. */
const ANSWERED: readonly (readonly [title: string, input: string, answer: string])[] = [
  ['verbs in any case', 'sub foo.> 7\r\npub foo.a 2\r\nhi\r\n', 'MSG foo.a 7 2\r\nhi\r\n'],
  ['an empty queue as two blanks, a trailing blank', 'SUB foo  1\r\nUNSUB 1 \r\nPUB foo 0\r\n\r\n', ''],
  [
    'runs of blanks and tabs',
    'SUB foo.> 7\r\nPUB\tfoo.b   \t inbox.x \t 2  \r\nhi\r\n',
    'MSG foo.b 7 inbox.x 2\r\nhi\r\n',
  ],
  ['lines that end with LF alone', 'SUB foo 1\nPUB foo 2\nhi\r\n', 'MSG foo 1 2\r\nhi\r\n'],
  ['anything behind PING and PONG', 'PONG  abc\r\n+OKxx\r\nINFO {}\r\n', ''],
  ['malformed filters', 'SUB foo..bar 1\r\nSUB .a 2\r\nSUB a.>.b 4\r\n', "-ERR 'Invalid Subject'\r\n".repeat(3)],
  [
    'wildcard characters inside a token as literals',
    'SUB fo*o 5\r\nSUB foo> 6\r\nPUB fo*o 0\r\n\r\nPUB foo> 0\r\n\r\nPUB fooo 0\r\n\r\n',
    'MSG fo*o 5 0\r\n\r\nMSG foo> 6 0\r\n\r\n',
  ],
  [
    'a request that nobody can answer',
    'SUB inb 1\r\nPUB nobody inb 2\r\nhi\r\n',
    'HMSG inb 1 38 38\r\nNATS/1.0 503\r\nNats-Subject: nobody\r\n\r\n\r\n',
  ],
  ['no notice on a queue subscription', 'SUB inb q 1\r\nPUB nobody inb 2\r\nhi\r\n', ''],
  ['UNSUB with a maximum', 'SUB u 1\r\nUNSUB 1 2\r\n' + 'PUB u 0\r\n\r\n'.repeat(4), 'MSG u 1 0\r\n\r\n'.repeat(2)],
  [
    'UNSUB with a maximum reached before',
    'SUB u 1\r\nPUB u 0\r\n\r\nUNSUB 1 1\r\nPUB u 0\r\n\r\n',
    'MSG u 1 0\r\n\r\n',
  ],
  ['UNSUB with a bad maximum, as at once', 'SUB u 1\r\nUNSUB 1 abc\r\nPUB u 0\r\n\r\n', ''],
  [
    'a sid in use: the first subscription stays',
    'SUB u 1\r\nSUB v 1\r\nPUB u 0\r\n\r\nPUB v 0\r\n\r\n',
    'MSG u 1 0\r\n\r\n',
  ],
  [
    'headers, none of them checked',
    'SUB foo.> 7\r\nHPUB foo.e 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\nHPUB foo.e r 0 2\r\nhi\r\nHPUB foo.e 5 5\r\nabcde\r\n',
    'HMSG foo.e 7 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\nMSG foo.e 7 r 2\r\nhi\r\nHMSG foo.e 7 5 5\r\nabcde\r\n',
  ],
  [
    'wildcards in a published subject',
    'SUB foo.> 1\r\nPUB foo.* 0\r\n\r\nPUB foo..b 0\r\n\r\n',
    'MSG foo.* 1 0\r\n\r\n',
  ],
  [
    'subjects and replies of servers',
    'PUB _GR_.x 0\r\n\r\nPUB $NRG.x 0\r\n\r\nPUB a _R_.x 0\r\n\r\nPUB a $JS.ACK.x 0\r\n\r\n',
    `-ERR 'Permissions Violation for Publish to "_GR_.x"'\r\n-ERR 'Permissions Violation for Publish to "$NRG.x"'\r\n` +
      `-ERR 'Permissions Violation for Publish with Reply of "_R_.x"'\r\n` +
      `-ERR 'Permissions Violation for Publish with Reply of "$JS.ACK.x"'\r\n`,
  ],
  [
    'the reserved queue name',
    'SUB a _sys_ 1\r\n',
    `-ERR 'Permissions Violation for Subscription to "a" using queue "_sys_"'\r\n`,
  ],
  ['bytes that are not UTF-8', 'SUB \xff.\xe9 1\r\nPUB \xff.\xe9 1\r\n\x80\r\n', 'MSG \xff.\xe9 1 1\r\n\x80\r\n'],
  ['leading zeros of sizes', 'SUB a 1\r\nPUB a 002\r\nhi\r\n', 'MSG a 1 2\r\nhi\r\n'],
  ['a control line at the limit', `SUB ${'a'.repeat(4094)} 1\r\n`, ''],
  ['a second CONNECT: subscriptions end', `SUB a 1\r\n${CONNECT}PUB a 0\r\n\r\n`, ''],
];

for (const [title, input, answer] of ANSWERED) {
  test(`accepted, connection stays open: ${title}`, async () => {
    assert.deepEqual(await session(CONNECT + input), { output: GREETING + answer + PONG, closed: false });
  });
}

/** Each ends the connection; nothing is answered but the error, if any. */
const FATAL: readonly (readonly [title: string, input: string, error: string])[] = [
  ['a payload that is longer than announced', 'PUB foo 2\r\nhixx', UNKNOWN],
  ['a payload without its line end', 'PUB foo 2\r\nhi\n\n', UNKNOWN],
  ['an unknown verb', 'FOO\r\n', UNKNOWN],
  ['a wrong byte inside a verb, before the line ends', 'PUX', UNKNOWN],
  ['an empty line', '\r\n', UNKNOWN],
  ['an operation of servers', 'MSG a 1 0\r\n\r\n', UNKNOWN],
  ['no blank behind a verb', 'PUB\r\n', UNKNOWN],
  ['a size that is no number', 'PUB foo abc\r\n', ''],
  ['a missing size', 'PUB foo\r\n', ''],
  ['too many arguments of SUB', 'SUB a b c d\r\n', ''],
  ['too many arguments of HPUB', 'HPUB a b c 3 3\r\n', ''],
  ['no arguments', 'UNSUB \r\n', ''],
  ['a negative size', 'PUB a -1\r\n', ''],
  ['a size with a sign', 'PUB a +5\r\n', ''],
  ['a hexadecimal size', 'PUB a 0x10\r\n', ''],
  ['a size with an exponent', 'PUB a 1e3\r\n', ''],
  ['a size of ten digits', 'PUB a 2147483648\r\n', ''],
  ['a size of thirty digits', `PUB a ${'9'.repeat(30)}\r\n`, ''],
  ['headers longer than all', 'HPUB foo 5 4\r\nabcd\r\n', ''],
  ['-ERR from a client', "-ERR 'x'\r\n", ''],
  ['a control line above the limit', `SUB ${'a'.repeat(4095)} 1\r\n`, LINE],
  ['a control line above the limit, not ended', `SUB ${'a'.repeat(4097)}`, LINE],
  ['endless blanks', `SUB ${' '.repeat(10_000)}`, LINE],
  ['a payload above the limit, before it arrives', 'PUB foo 1048577\r\n', "-ERR 'Maximum Payload Violation'\r\n"],
  ['bad JSON in CONNECT', 'CONNECT {bad\r\n', ''],
  ['a wrong type in CONNECT', 'CONNECT {"verbose":"x"}\r\n', ''],
  ['an array in CONNECT', 'CONNECT []\r\n', ''],
  ['an endless number in CONNECT', 'CONNECT {"protocol":1e999}\r\n', ''],
  ['deep nesting in CONNECT', `CONNECT {"x":${'['.repeat(1000)}${']'.repeat(1000)}}\r\n`, ''],
  ['another protocol version', 'CONNECT {"protocol":2}\r\n', "-ERR 'invalid client protocol'\r\n"],
  [
    'no_responders without headers',
    'CONNECT {"no_responders":true}\r\n',
    "-ERR 'no responders requires headers support'\r\n",
  ],
  ['an account in CONNECT', 'CONNECT {"account":"x"}\r\n', "-ERR 'Authorization Violation'\r\n"],
];

for (const [title, input, error] of FATAL) {
  test(`refused, connection closed: ${title}`, async () => {
    assert.deepEqual(await session(CONNECT + input), { output: GREETING + error, closed: true });
  });
}

test('HPUB without header support closes the connection without a word', async () => {
  assert.deepEqual(await session('CONNECT {"verbose":false}\r\nHPUB foo 0 1\r\na\r\n'), {
    output: GREETING,
    closed: true,
  });
});

test('a client without header support receives the payload alone', async () => {
  const server = startServer();
  const plain = await TestClient.connected(server, 'CONNECT {"verbose":false}\r\n');
  await plain.roundTrip('SUB a 1\r\n');
  const publisher = await TestClient.connected(server);
  await publisher.roundTrip('HPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n');
  await plain.expect('MSG a 1 r 2\r\nhi\r\n');
  assert.ok(!plain.received.includes('HMSG'));
  await server.frontEnd.close();
});

test('CONNECT defaults to verbose and pedantic; +OK precedes what the operation itself brings', async () => {
  const { output } = await session('CONNECT {}\r\nSUB foo.> 1\r\nPUB foo.* 2\r\nhi\r\nUNSUB 9\r\n');
  const answer = "+OK\r\n+OK\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\nMSG foo.* 1 2\r\nhi\r\n+OK\r\nPONG\r\n";
  assert.equal(output, GREETING + answer);
});

test('operations work without CONNECT, with its defaults', async () => {
  const { output } = await session('SUB foo 1\r\nPUB foo 2\r\nhi\r\n');
  assert.equal(output, `${GREETING}+OK\r\n+OK\r\nMSG foo 1 2\r\nhi\r\nPONG\r\n`);
});

test('CONNECT keys have no case, null means the default, and __proto__ is only a key', async () => {
  const { output } = await session('CONNECT {"VERBOSE":false,"name":null,"__proto__":{"pedantic":false,"x":1}}\r\n');
  assert.equal(output, `${GREETING}PONG\r\n`);
  assert.equal((Object.prototype as Record<string, unknown>)['x'], undefined);
});

test('echo:false: own messages do not come back, and do not count as an answer', async () => {
  const connect = 'CONNECT {"verbose":false,"echo":false,"headers":true,"no_responders":true}\r\n';
  const { output } = await session(`${connect}SUB a 1\r\nSUB i 2\r\nPUB a i 0\r\n\r\n`);
  const status = 'HMSG i 2 33 33\r\nNATS/1.0 503\r\nNats-Subject: a\r\n\r\n\r\n';
  assert.equal(output, `${GREETING}${status}PONG\r\n`);
});

test('without no_responders nothing is sent for a request that nobody can answer', async () => {
  const { output } = await session('CONNECT {"verbose":false,"headers":true}\r\nSUB i 1\r\nPUB a i 0\r\n\r\n');
  assert.equal(output, `${GREETING}PONG\r\n`);
});

test('each subscription gets a copy, each queue group one', async () => {
  const { output } = await session(`${CONNECT}SUB u 1\r\nSUB u 2\r\nSUB u q 3\r\nSUB u q 4\r\nPUB u 1\r\nx\r\n`);
  assert.equal(output.split('MSG u').length - 1, 3);
  assert.match(output, /MSG u 1 1\r\nx\r\nMSG u 2 1\r\nx\r\nMSG u [34] 1\r\nx\r\n/);
});

test('a payload of exactly max_payload passes', async () => {
  const server = startServer({ limits: { maxPayload: 100_000 } });
  const client = await TestClient.connected(server);
  const body = 'x'.repeat(100_000);
  const output = await client.roundTrip(`SUB a 1\r\nPUB a 100000\r\n${body}\r\n`);
  assert.equal(output, `MSG a 1 100000\r\n${body}\r\nPONG\r\n`);
  await server.frontEnd.close();
});

test('the subscription limit refuses the one above it and keeps the connection', async () => {
  const server = startServer({ limits: { maxSubscriptions: 2 } });
  const client = await TestClient.connected(server);
  assert.equal(
    await client.roundTrip('SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n'),
    "-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n",
  );
  assert.equal(await client.roundTrip('UNSUB 1\r\nSUB c 3\r\n'), 'PONG\r\n');
  await server.frontEnd.close();
});
