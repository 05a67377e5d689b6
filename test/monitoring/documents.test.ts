import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime, formatUptime } from '../../src/server/monitoring/index.ts';
import { connection, jetStream, NOW_US, sources, stream, withMonitoring } from './fixture.ts';

type Row = Record<string, unknown>;

test('times have no trailing zeros, and uptimes no leading zero units', () => {
  const second = Date.UTC(2026, 0, 2, 3, 4, 5) * 1000;
  assert.equal(formatTime(second), '2026-01-02T03:04:05Z');
  assert.equal(formatTime(second + 120_000), '2026-01-02T03:04:05.12Z');
  assert.equal(formatTime(second + 1), '2026-01-02T03:04:05.000001Z');
  const uptimes = [0, 242, 24 * 3600 + 187, 366 * 24 * 3600 + 5].map((seconds) => formatUptime(seconds * 1e6));
  assert.deepEqual(uptimes, ['0s', '4m2s', '1d0h3m7s', '1y1d0h0m5s']);
});

test('/varz says who the server is, how it is configured and what it carried', () =>
  withMonitoring(sources(), async (get) => {
    const varz = (await get('/varz')).json();
    assert.equal(varz['server_id'], 'N'.repeat(56));
    assert.equal(varz['version'], '2.15.1');
    assert.equal(varz['start'], '2026-01-02T03:04:05.12Z');
    assert.equal(varz['uptime'], '1d0h3m7s');
    assert.equal(varz['ping_interval'], 120_000_000_000);
    assert.equal(varz['connections'], 3);
    assert.equal(varz['in_client_msgs'], 5);
    assert.deepEqual(varz['cluster'], {});
    const { config, stats, meta } = varz['jetstream'] as Record<string, Row>;
    assert.deepEqual([config?.['max_memory'], stats?.['ha_assets'], meta?.['leader']], [100, 2, 'n1']);
    assert.deepEqual(varz['http_req_stats'], { '/varz': 1 });
  }));

test('/subscriptionsz is counted as /subsz', () =>
  withMonitoring(sources(), async (get) => {
    await get('/subscriptionsz');
    assert.deepEqual((await get('/varz')).json()['http_req_stats'], { '/subsz': 1, '/varz': 1 });
  }));

test('without JetStream /varz has an empty object for it', () =>
  withMonitoring(sources({ jetStream: () => undefined }), async (get) => {
    assert.deepEqual((await get('/varz')).json()['jetstream'], {});
  }));

test('/connz lists connections by id, in pages', () =>
  withMonitoring(sources(), async (get) => {
    const page = (await get('/connz?limit=2&offset=1')).json();
    const rows = page['connections'] as Row[];
    assert.deepEqual(
      rows.map((row) => row['cid']),
      [2, 3],
    );
    assert.deepEqual([page['num_connections'], page['total'], page['offset'], page['limit']], [2, 3, 1, 2]);
    assert.deepEqual([rows[0]?.['rtt'], rows[0]?.['uptime'], rows[0]?.['idle']], ['148µs', '1d0h3m7s', '4s']);
  }));

test('/connz sorts, finds one by id, and shows subscriptions and users on request', () =>
  withMonitoring(
    sources({ connections: () => [connection(1), connection(2, { user: 'u', account: 'A' })] }),
    async (get) => {
      const rows = async (path: string): Promise<Row[]> => (await get(path)).json()['connections'] as Row[];
      assert.equal((await rows('/connz?sort=msgs_from'))[0]?.['cid'], 2);
      const [found, ...others] = await rows('/connz?cid=2&subs=1&auth=1');
      assert.deepEqual(others, []);
      assert.deepEqual(found?.['subscriptions_list'], ['a.2']);
      assert.deepEqual([found['authorized_user'], found['account'], found['name_tag']], ['u', 'A', 'A']);
      assert.equal((await rows('/connz?acc=A'))[0]?.['cid'], 2);
      const [detailed] = await rows('/connz?cid=1&subs=detail');
      assert.equal((detailed?.['subscriptions_list_detail'] as Row[])[0]?.['qgroup'], 'q');
    },
  ));

test('closed connections are shown with the reason', () => {
  const closed = connection(9, { closed: { atUs: NOW_US - 1e6, reason: 'Client Closed' } });
  return withMonitoring(sources({ closedConnections: () => [closed] }), async (get) => {
    const { connections } = (await get('/connz?state=closed&sort=stop')).json();
    assert.equal((connections as Row[])[0]?.['reason'], 'Client Closed');
    assert.equal((await get('/connz?state=any')).json()['total'], 4);
    assert.equal((await get('/connz')).json()['total'], 3);
  });
});

test('/subsz has totals, and the subscriptions only on request', () =>
  withMonitoring(sources(), async (get) => {
    const plain = (await get('/subsz')).json();
    assert.deepEqual([plain['total'], plain['cache_hit_rate'], plain['subscriptions_list']], [0, 0.75, undefined]);
    assert.deepEqual([plain['max_fanout'], plain['avg_fanout']], [2, 1.5]);
    const listed = (await get('/subsz?subs=1&limit=1&acc=$G')).json();
    assert.deepEqual([listed['total'], (listed['subscriptions_list'] as Row[]).length], [2, 1]);
    const matching = (await get('/subsz?test=a.b.c')).json()['subscriptions_list'] as Row[];
    assert.deepEqual(
      matching.map((row) => row['subject']),
      ['a.>', 'a.b.c'],
    );
  }));

test('/jsz has totals, and details as far as they are asked for', () =>
  withMonitoring(sources(), async (get) => {
    const plain = (await get('/jsz')).json();
    assert.deepEqual([plain['streams'], plain['messages'], plain['consumers'], plain['total']], [2, 10, 2, 1]);
    assert.equal(plain['account_details'], undefined);
    const full = (await get('/jsz?consumers=1&config=1&raft=1')).json();
    assert.equal(full['streams_leader'], 1);
    const [account] = full['account_details'] as Row[];
    const [events, orders] = account?.['stream_detail'] as Row[];
    assert.deepEqual([events?.['name'], events?.['stream_raft_group']], ['EVENTS', undefined]);
    assert.equal(orders?.['stream_raft_group'], 'S-R3F-ORDERS');
    assert.deepEqual(orders['config'], { name: 'ORDERS', max_bytes: -1 });
    assert.deepEqual((orders['consumer_detail'] as Row[])[0]?.['config'], { durable_name: 'C' });
    const lean = (await get('/jsz?consumers=1&stream-leader-only=1')).json()['account_details'] as Row[];
    const [only, ...rest] = lean[0]?.['stream_detail'] as Row[];
    assert.deepEqual([rest.length, only?.['config']], [0, undefined]);
    assert.equal((only?.['consumer_detail'] as Row[])[0]?.['config'], undefined);
  }));

test('an unlimited reservation is written with all its digits', () =>
  withMonitoring(sources(), async (get) => {
    assert.match((await get('/jsz?accounts=1')).text, /"reserved_memory": 18446744073709551615,/);
  }));

test('/jsz?leader-only is answered by the meta leader and by any standalone server', async () => {
  const follower = jetStream({ meta: { ...jetStream().meta!, leader: 'n2' } });
  const statusOf = async (facts: ReturnType<typeof jetStream> | undefined): Promise<number> => {
    let status = 0;
    await withMonitoring(sources({ jetStream: () => facts }), async (get) => {
      ({ status } = await get('/jsz?leader-only=1'));
    });
    return status;
  };
  assert.equal(await statusOf(jetStream()), 200);
  assert.equal(await statusOf(jetStream({ meta: undefined })), 200);
  assert.equal(await statusOf(follower), 400);
  assert.equal(await statusOf(undefined), 400);
});

test('with JetStream off /jsz says so', () =>
  withMonitoring(sources({ jetStream: () => undefined }), async (get) => {
    const { disabled, total, config } = (await get('/jsz')).json();
    assert.deepEqual([disabled, total, config], [true, 0, { max_memory: 0, max_storage: 0 }]);
  }));

test('accounts, routes, Raft groups, and what this server does not have', () =>
  withMonitoring(sources(), async (get) => {
    assert.deepEqual((await get('/accountz')).json()['accounts'], ['$G']);
    const detail = (await get('/accountz?acc=$G')).json()['account_detail'] as Row;
    assert.equal(detail['client_connections'], 3);
    const [statistics] = (await get('/accstatz')).json()['account_statz'] as Row[];
    assert.deepEqual([statistics?.['acc'], statistics?.['conns']], ['$G', 3]);
    assert.deepEqual((await get('/routez')).json()['routes'], []);
    const meta = ((await get('/raftz')).json()['$SYS'] as Row)['_meta_'] as Row;
    assert.deepEqual(meta['peers'], {
      peer0002: { name: 'n2', known: true, last_replicated_index: 9, last_seen: '50ms' },
    });
    assert.deepEqual((await get('/raftz?acc=$G')).json(), {});
    assert.deepEqual((await get('/gatewayz')).json()['outbound_gateways'], {});
    assert.deepEqual((await get('/leafz')).json()['leafs'], []);
  }));

test('a server without Raft groups has no /raftz', () =>
  withMonitoring(sources({ raftGroups: () => [] }), async (get) => {
    const reply = await get('/raftz');
    assert.deepEqual([reply.status, reply.text], [404, 'No Raft nodes registered']);
  }));

test('/metrics has counters, gauges per stream, and histograms that end in +Inf', () =>
  withMonitoring(sources(), async (get) => {
    const { text, headers } = await get('/metrics');
    assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    for (const line of [
      'millrace_connections 3',
      'millrace_stream_messages{account="$G",stream="ORDERS"} 5',
      'millrace_stream_leader{account="$G",stream="EVENTS"} 0',
      'millrace_fsync_duration_seconds_bucket{le="0.0025"} 0',
      'millrace_fsync_duration_seconds_bucket{le="0.005"} 1',
      'millrace_commit_duration_seconds_bucket{le="10"} 0',
      'millrace_commit_duration_seconds_bucket{le="+Inf"} 1',
      'millrace_commit_duration_seconds_count 1',
      'millrace_raft_leader_changes_total 1',
      'millrace_raft_groups{role="leader"} 1',
      '# TYPE millrace_fsync_duration_seconds histogram',
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
    assert.match(text, /^process_resident_memory_bytes \d/m);
    assert.match(text, /^millrace_event_loop_lag_seconds\{quantile="1"\} /m);
  }));

test('series per stream are bounded', () => {
  const many = Array.from({ length: 1005 }, (_, index) => stream(`S${index}`));
  return withMonitoring(sources({ jetStream: () => jetStream({ streams: () => many }) }), async (get) => {
    const { text } = await get('/metrics');
    assert.equal(text.match(/^millrace_stream_messages\{/gm)?.length, 1000);
    assert.ok(text.includes('millrace_streams_without_series 5\n'));
  });
});
