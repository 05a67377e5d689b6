/** Accounts over a real server: who gets in, what they see of each other, and what their limits keep them from. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hash } from 'bcryptjs';
import { connect, type ConnectionOptions, type NatsConnection } from 'nats';
import { PATIENT } from '../harness/patience.ts';
import { startServers, type Servers } from '../harness/server-process.ts';

interface ApiError {
  readonly err_code: number;
  readonly description: string;
}

describe('accounts', () => {
  let servers: Servers;
  const open: NatsConnection[] = [];

  before(async () => {
    const config = `
      accounts {
        A { users: [{ user: a, password: "${await hash('secret', 4)}" }], jetstream: enabled }
        B {
          users: [{ user: b, password: plain }]
          jetstream { max_file: 20K, max_mem: 10K, max_streams: 2, max_consumers: 1, disk_max_stream_bytes: 15K }
        }
        C { users: [{ user: c, password: c }] }
        SYS { users: [{ user: sys, password: sys }] }
      }
      system_account: SYS
      no_auth_user: c`;
    servers = await startServers({ nodes: 1, config });
  });

  after(async () => {
    await Promise.all(open.map((connection) => connection.close()));
    await servers.stop();
  });

  async function enter(credentials: Partial<ConnectionOptions>): Promise<NatsConnection> {
    const connection = await connect({ servers: servers.first.url, ...credentials });
    open.push(connection);
    return connection;
  }

  async function call(
    connection: NatsConnection,
    subject: string,
    body: object = {},
  ): Promise<Record<string, unknown>> {
    const payload = JSON.stringify(body) === '{}' ? '' : JSON.stringify(body);
    return (await connection.request(`$JS.API.${subject}`, payload, PATIENT)).json();
  }

  async function refusal(connection: NatsConnection, subject: string, body: object): Promise<ApiError | undefined> {
    return (await call(connection, subject, body))['error'] as ApiError | undefined;
  }

  test('clients get in with the right password, hashed or not, and are turned away with any other', async () => {
    await enter({ user: 'a', pass: 'secret' });
    await enter({ user: 'b', pass: 'plain' });
    await enter({});
    for (const credentials of [
      { user: 'a', pass: 'wrong' },
      { user: 'a', pass: '' },
      { user: 'nobody', pass: 'plain' },
      { user: 'b', pass: 'plain ' },
      { token: 'plain' },
    ]) {
      await assert.rejects(connect({ servers: servers.first.url, reconnect: false, ...credentials }), /Authorization/i);
    }
  });

  test('accounts share neither messages nor streams', async () => {
    const [a, b] = [await enter({ user: 'a', pass: 'secret' }), await enter({ user: 'b', pass: 'plain' })];
    for (const connection of [a, b]) {
      assert.equal(
        await refusal(connection, 'STREAM.CREATE.OWN', { name: 'OWN', subjects: ['own'], max_bytes: 1000 }),
        undefined,
      );
    }
    await a.jetstream(PATIENT).publish('own', 'for a');
    const states = await Promise.all([a, b].map((connection) => call(connection, 'STREAM.INFO.OWN')));
    assert.deepEqual(
      states.map(({ state }) => (state as { messages: number }).messages),
      [1, 0],
    );
    const info = await call(b, 'INFO');
    assert.equal(info['streams'], 1);
    assert.equal(info['reserved_storage'], 1000);
    assert.deepEqual((info['limits'] as Record<string, unknown>)['max_streams'], 2);
    await call(b, 'STREAM.DELETE.OWN');
  });

  test('an account without JetStream hears that it has none', async () => {
    const c = await enter({});
    assert.equal(((await call(c, 'INFO'))['error'] as ApiError).err_code, 10039);
    assert.equal((await refusal(c, 'STREAM.CREATE.X', { name: 'X' }))?.err_code, 10039);
  });

  test('the limits of an account hold for its streams, its consumers and its bytes', async () => {
    const b = await enter({ user: 'b', pass: 'plain' });
    const create = (name: string, config: object): Promise<ApiError | undefined> =>
      refusal(b, `STREAM.CREATE.${name}`, { name, ...config });
    assert.equal((await create('BIG', { max_bytes: 16_000 }))?.err_code, 10122);
    assert.equal((await create('MANY', { max_bytes: 100, max_consumers: 5 }))?.err_code, 10026);
    assert.equal(await create('ONE', { subjects: ['one'], max_bytes: 15_000 }), undefined);
    assert.equal((await create('TWO', { max_bytes: 15_000 }))?.err_code, 10047);
    assert.equal(await create('TWO', { subjects: ['two'], storage: 'memory' }), undefined);
    assert.equal((await create('THREE', {}))?.err_code, 10027);
    const payload = Buffer.alloc(1000);
    const publish = async (): Promise<number> => (await b.jetstream(PATIENT).publish('two', payload)).seq;
    for (let i = 0; i < 10; i++) await publish();
    await assert.rejects(publish(), /resource limits exceeded for account/);
    await call(b, 'STREAM.PURGE.TWO');
    assert.equal(await publish(), 11);
    for (const name of ['ONE', 'TWO']) await call(b, `STREAM.DELETE.${name}`);
  });

  test('the operator purges an account, and nobody else can', async () => {
    const [a, sys] = [await enter({ user: 'a', pass: 'secret' }), await enter({ user: 'sys', pass: 'sys' })];
    await call(a, 'STREAM.CREATE.GONE', { name: 'GONE' });
    await assert.rejects(a.request('$JS.API.ACCOUNT.PURGE.A', '', { timeout: 300 }), /TIMEOUT/);
    assert.deepEqual(await call(sys, 'ACCOUNT.PURGE.A'), {
      type: 'io.nats.jetstream.api.v1.account_purge_response',
      initiated: true,
    });
    assert.equal((await call(a, 'STREAM.NAMES'))['total'], 0);
    assert.equal((await refusal(sys, 'STREAM.CREATE.X', { name: 'X' }))?.err_code, 10039);
  });
});
