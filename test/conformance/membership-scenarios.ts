/** Owns the scenarios about where streams live: scaling, moving, peers and servers (streams.md 2.5, 3.2, 3.13, 4.2). */
import { waitFor } from '../harness/wait-for.ts';
import type { RawClient } from './raw-client.ts';
import {
  ABSENT,
  answers,
  ANYTHING,
  fails,
  isSilent,
  messages,
  onCluster,
  onSingleServer,
  SOME_TIME,
  singleStream,
  stream,
  type Scenario,
  type Step,
} from './scenario.ts';

const CLUSTER_REQUIRED = 'JetStream clustering support required';
const NOT_FOUND = 'stream not found';

interface StreamInfo {
  readonly cluster: { readonly leader?: string; readonly replicas?: readonly object[]; readonly desired?: object };
}

async function info(client: RawClient, name: string): Promise<StreamInfo> {
  const [reply] = await client.request(`$JS.API.STREAM.INFO.${name}`);
  return JSON.parse(reply!.payload) as StreamInfo;
}

/** The stream has so many replicas and a leader, and is on its way to no others. */
function settles(name: string, replicas: number): Step {
  return async (client) => {
    await waitFor(`${replicas} replicas of ${name}`, async () => {
      const { cluster } = await info(client, name);
      const others = cluster.replicas?.length ?? 0;
      return cluster.leader !== undefined && cluster.desired === undefined && others === replicas - 1;
    });
  };
}

/** Calls something with a member of the stream's group in the body: its leader, which needs no other to be asked for. */
function answersAboutLeader(name: string, call: string, body: (leader: string) => object, expected: object): Step {
  return async (client) => {
    const { cluster } = await info(client, name);
    await answers(call, body(cluster.leader!), expected)(client);
  };
}

export const MEMBERSHIP_SCENARIOS: readonly Scenario[] = [
  onSingleServer(
    'a single server has no peers to move streams between',
    ['ONE'],
    [
      stream('ONE'),
      fails('STREAM.PEER.EVACUATE.ONE', { peer: 'x' }, 503, 10010, CLUSTER_REQUIRED),
      fails('CONSUMER.PEER.REMOVE.ONE.c', { peer: 'x' }, 503, 10010, CLUSTER_REQUIRED),
      fails('CONSUMER.PEER.EVACUATE.ONE.c', { peer: 'x' }, 503, 10010, CLUSTER_REQUIRED),
      answers(
        'STREAM.UPDATE.ONE',
        { name: 'ONE', placement: { tags: ['a'] } },
        { config: { placement: { tags: ['a'] } } },
      ),
    ],
  ),
  onCluster(
    'a stream is scaled up and down, keeps what it holds, and tells where it is on its way to',
    ['SCALE'],
    [
      singleStream('SCALE'),
      messages(['SCALE', 'a'], ['SCALE', 'b'], ['SCALE', 'c']),
      answers(
        'STREAM.UPDATE.SCALE',
        { name: 'SCALE', num_replicas: 3 },
        {
          config: { num_replicas: 3 },
          state: { messages: 3 },
          cluster: { desired: { created: SOME_TIME, name: ANYTHING, replicas: ANYTHING, origin: { replicas: 1 } } },
        },
      ),
      settles('SCALE', 3),
      answers('STREAM.INFO.SCALE', '', {
        state: { messages: 3 },
        cluster: { raft_group: ANYTHING, leader_since: SOME_TIME },
      }),
      answers(
        'STREAM.UPDATE.SCALE',
        { name: 'SCALE', num_replicas: 1 },
        { config: { num_replicas: 1 }, cluster: { desired: { origin: { replicas: 3 } } } },
      ),
      settles('SCALE', 1),
      answers('STREAM.INFO.SCALE', '', { state: { messages: 3 }, cluster: { replicas: ABSENT, desired: ABSENT } }),
    ],
  ),
  onCluster(
    'an update that can not be carried out is refused with the reason',
    ['REF'],
    [
      singleStream('REF'),
      fails(
        'STREAM.UPDATE.REF',
        { name: 'REF', num_replicas: 3, placement: { tags: ['nowhere'] } },
        400,
        10123,
        'can not move and scale a stream in a single update',
      ),
      fails(
        'STREAM.UPDATE.REF',
        { name: 'REF', placement: { tags: ['nowhere'] } },
        400,
        10005,
        "no suitable peers for placement, tags not matched ['nowhere']",
      ),
      answers('STREAM.INFO.REF', '', { config: { num_replicas: 1, placement: ABSENT }, cluster: { desired: ABSENT } }),
      fails(
        'STREAM.CREATE.REF2',
        { name: 'REF2', placement: { tags: ['nowhere', 'nor:here'] } },
        400,
        10005,
        "no suitable peers for placement, tags not matched ['nowhere']",
      ),
    ],
  ),
  onCluster(
    'peers are named, and must be members',
    ['PEERS'],
    [
      stream('PEERS'),
      fails('STREAM.PEER.REMOVE.PEERS', '', 400, 10003, 'bad request'),
      fails('STREAM.PEER.REMOVE.PEERS', { peer: '' }, 400, 10003, 'bad request'),
      fails('STREAM.PEER.REMOVE.PEERS', { peer: 'nobody' }, 400, 10040, 'peer not a member'),
      fails('STREAM.PEER.REMOVE.NOSUCH', { peer: 'nobody' }, 404, 10059, NOT_FOUND),
      fails('STREAM.PEER.REMOVE.NOSUCH', '', 400, 10003, 'bad request'),
      fails('STREAM.PEER.EVACUATE.PEERS', { peer: 'nobody' }, 400, 10040, 'peer not a member'),
      fails('STREAM.PEER.EVACUATE.PEERS', { foo: 1 }, 400, 10025, 'invalid JSON: json: unknown field "foo"'),
      answers('CONSUMER.CREATE.PEERS.c', { stream_name: 'PEERS', config: { durable_name: 'c' } }, { name: 'c' }),
      fails('CONSUMER.PEER.REMOVE.PEERS.c', '', 400, 10003, 'bad request'),
      fails('CONSUMER.PEER.REMOVE.PEERS.c', { peer: 'nobody' }, 400, 10040, 'peer not a member'),
      fails('CONSUMER.PEER.REMOVE.PEERS.d', { peer: 'nobody' }, 404, 10014, 'consumer not found'),
      fails('CONSUMER.PEER.EVACUATE.PEERS.c', { peer: 'nobody' }, 400, 10040, 'peer not a member'),
    ],
  ),
  onCluster(
    'a stream with one replica is taken from its server, and what is under way can not be begun again',
    ['EVAC'],
    [
      singleStream('EVAC'),
      answersAboutLeader('EVAC', 'STREAM.PEER.EVACUATE.EVAC', (peer) => ({ peer }), { success: true }),
      settles('EVAC', 1),
      fails('STREAM.CANCEL_MOVE.EVAC', '', 400, 10129, 'stream reconfiguration not in progress'),
      fails('STREAM.CANCEL_MOVE.NOSUCH', '', 404, 10059, NOT_FOUND),
    ],
  ),
  onCluster(
    'a step-down may name who is to lead, and must name somebody there is',
    ['DOWN'],
    [
      stream('DOWN'),
      fails(
        'STREAM.LEADER.STEPDOWN.DOWN',
        { placement: { tags: ['zz'] } },
        400,
        10005,
        'no replacement peer connected',
      ),
      fails(
        'STREAM.LEADER.STEPDOWN.DOWN',
        { placement: { cluster: 'zz' } },
        400,
        10005,
        'no replacement peer connected',
      ),
      fails(
        'STREAM.LEADER.STEPDOWN.DOWN',
        { placement: { preferred: 'nobody' } },
        400,
        10005,
        'preferred server "nobody" not known',
      ),
    ],
  ),
  onCluster(
    'calls about servers and other accounts are answered to the system account alone',
    [],
    [
      isSilent('SERVER.REMOVE', { peer: 'nobody' }),
      isSilent('SERVER.EVACUATE', { peer: 'nobody' }),
      isSilent('META.LEADER.STEPDOWN'),
      isSilent('META.RESCUE', { quorum_needed: 1 }),
      isSilent('ACCOUNT.STREAM.MOVE.OTHER.S', { server: 'nobody' }),
      isSilent('ACCOUNT.STREAM.CANCEL_MOVE.OTHER.S'),
    ],
  ),
];
