/** Owns the StreamInfo of a stream, as its leader (or, without one, a member) sees it: streams.md 3.3 and 4.2. */
import type { NodeId, TimestampUs } from '../../base/brand.ts';
import { invariant } from '../../base/errors.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import type { GroupStatus, PeerStatus } from '../../raft/index.ts';
import type { StreamConfig } from '../../stream/index.ts';
import type { ApiBackend, LocalStream } from './backend.ts';
import { originsJson } from './origins-json.ts';
import { dynamicMetadata, placementJson, streamConfigJson, streamStateJson } from './stream-wire.ts';
import type { StateDetails } from './stream-wire.ts';
import { formatRfc3339 } from '../../base/rfc3339.ts';
import { msToNanos, peerId } from './wire.ts';

/** Heard of within this time, a replica that lags nothing is current. */
const CURRENT_WITHIN_MS = 10_000;

/** All members but those of paging. */
export function streamInfoJson(
  backend: ApiBackend,
  assignment: StreamAssignment,
  local: LocalStream,
  details: StateDetails,
): object {
  const { stream } = local;
  return {
    config: streamConfigJson(stream.config, dynamicMetadata(stream.config.metadata, backend.serverVersion)),
    created: formatRfc3339(assignment.createdUs),
    state: streamStateJson(stream.state(), details),
    domain: backend.domain || undefined,
    cluster: clusterInfoJson(backend, assignment, { status: stream.status, leaderSinceUs: local.leaderSinceUs }),
    ...originsJson(local),
    ts: formatRfc3339(backend.runtime.wallUs()),
  };
}

/** The configuration of a stream as the catalogue has it: the API put it there, and nobody else does. */
export function assignedConfig(assignment: StreamAssignment): StreamConfig {
  return assignment.config as unknown as StreamConfig;
}

/** A replica's view of its group. */
export interface ReplicaView {
  readonly status: GroupStatus;
  readonly leaderSinceUs: TimestampUs | undefined;
}

/** Standalone streams and consumers have a leader and nothing else; those with one replica add the cluster's name. */
export function clusterInfoJson(backend: ApiBackend, assignment: StreamAssignment, view: ReplicaView): object {
  if (!backend.clustered) return { leader: backend.node };
  const { status, leaderSinceUs } = view;
  const base = { name: backend.clusterName, leader: status.leader };
  if (assignment.members.length <= 1 && assignment.reconfiguration === undefined) return base;
  const replicas = replicasJson(backend, assignment, status).filter(({ name }) => name !== status.leader);
  return {
    name: backend.clusterName,
    raft_group: assignment.groupName,
    leader: status.leader,
    leader_since: leaderSinceUs && formatRfc3339(leaderSinceUs),
    system_account: backend.systemAccount !== '' || undefined,
    traffic_account: backend.systemAccount || undefined,
    replicas: replicas.length > 0 ? replicas : undefined,
    desired: desiredJson(backend, assignment, status),
  };
}

export interface ReplicaJson {
  readonly name: NodeId;
  readonly [member: string]: unknown;
}

/** All members of a stream's group and those that are to join it, the leader included, by name. */
export function replicasJson(backend: ApiBackend, assignment: StreamAssignment, status: GroupStatus): ReplicaJson[] {
  return peersJson(backend, [...status.voters, ...status.learners, ...assignment.members], status);
}

/** How these members of a group stand, by name. */
export function peersJson(backend: ApiBackend, members: readonly NodeId[], status: GroupStatus): ReplicaJson[] {
  return [...new Set(members)].sort().map((member) => replicaJson(backend, status, member));
}

function replicaJson(backend: ApiBackend, status: GroupStatus, member: NodeId): ReplicaJson {
  const peer = status.peers.find(({ node }) => node === member);
  const info = backend.nodes().find(({ node }) => node === member);
  const isUp = info?.up === true;
  const heardMs = peer?.lastContactMs ?? (member === backend.node ? 0 : info?.lastContactMs);
  return {
    name: member,
    current: member === backend.node ? isCurrentHere(status) : isUp && isCurrent(peer),
    offline: !isUp || undefined,
    active: msToNanos(heardMs ?? 0),
    lag: peer?.lag || undefined,
    pending: (status.voters.length > 0 && !status.voters.includes(member)) || undefined,
    peer: peerId(member),
  };
}

function isCurrent(peer: PeerStatus | undefined): boolean {
  if (peer === undefined || peer.catchingUp || peer.lag > 0) return false;
  return (peer.lastContactMs ?? Infinity) < CURRENT_WITHIN_MS;
}

/** As far as a replica can tell of itself: it leads, or has a vote and has applied what it knows to be committed. */
function isCurrentHere({ role, repairing, lastApplied, commitIndex }: GroupStatus): boolean {
  return role === 'leader' || (role !== 'learner' && !repairing && lastApplied === commitIndex);
}

/** Where the group is on its way to, while it is (streams.md 4.2). */
function desiredJson(backend: ApiBackend, assignment: StreamAssignment, status: GroupStatus): object | undefined {
  const { reconfiguration, members } = assignment;
  if (reconfiguration === undefined) return undefined;
  const { numReplicas, placement } = reconfiguration.origin.config as unknown as StreamConfig;
  return {
    created: formatRfc3339(reconfiguration.startedUs),
    name: backend.clusterName,
    replicas: [...members].sort().map((name) => ({ name, peer: peerId(name) })),
    origin: { replicas: numReplicas, placement: placement && placementJson(placement) },
    status: status.role === 'leader' ? progressJson(backend, members, status) : undefined,
  };
}

function progressJson(backend: ApiBackend, members: readonly NodeId[], status: GroupStatus): object {
  const waiting = members.filter((member) => !status.voters.includes(member));
  if (waiting.some((member) => !backend.isUp(member))) {
    return { description: 'waiting for desired peers to come online', type: 'unavailable' };
  }
  if (waiting.length > 0) return { description: 'waiting for desired peers to catch up', type: 'catchup' };
  if (status.voters.length !== members.length) {
    return { description: 'waiting for the membership to change', type: 'membership' };
  }
  return { description: 'recording the members with the meta leader', type: 'meta' };
}

/** Members of the answer that are not the stream's own. */
const ENVELOPE: ReadonlySet<string> = new Set(['type', 'total', 'offset', 'limit', 'alternates']);
const INFO_TYPE = 'io.nats.jetstream.api.v1.stream_info_response';

/**
 * The StreamInfo of a stream, from its leader, without paging and type: the body of several other answers. Undefined when
 * there is no leader in time.
 */
export async function askForStreamInfo(
  backend: ApiBackend,
  assignment: StreamAssignment,
  timeoutMs: number,
): Promise<Record<string, unknown> | undefined> {
  const none = Buffer.alloc(0);
  const subject = `$JS.API.STREAM.INFO.${assignment.name}`;
  const request = { account: assignment.account, subject, headers: none, body: none };
  const answer = await backend.askStreamLeader(assignment, request, timeoutMs);
  if (answer === undefined) return undefined;
  const info = JSON.parse(answer.body.toString()) as Record<string, unknown>;
  invariant(info['type'] === INFO_TYPE, `STREAM.INFO answered with ${String(info['type'])}`);
  if ('error' in info) return undefined;
  return Object.fromEntries(Object.entries(info).filter(([member]) => !ENVELOPE.has(member)));
}

/** The stream and its mirrors, if it has any: each can be asked for its messages (streams.md 4.4). */
export function alternatesJson(backend: ApiBackend, assignment: StreamAssignment): readonly object[] | undefined {
  if (!backend.clustered) return undefined;
  const { account, name } = assignment;
  const mirrors = backend.catalogue.streams(account).filter((other) => assignedConfig(other).mirror?.name === name);
  if (mirrors.length === 0) return undefined;
  const domain = backend.domain || undefined;
  return [name, ...mirrors.map((mirror) => mirror.name)].map((each) => ({
    name: each,
    domain,
    cluster: backend.clusterName,
  }));
}
