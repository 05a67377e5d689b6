/** Owns the StreamInfo of a stream, as its leader (or, without one, a member) sees it: streams.md 3.3 and 4.2. */
import type { NodeId } from '../../base/brand.ts';
import { invariant } from '../../base/errors.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import type { GroupStatus } from '../../raft/index.ts';
import type { StreamConfig } from '../../stream/index.ts';
import type { ApiBackend, LocalStream } from './backend.ts';
import { dynamicMetadata, streamConfigJson, streamStateJson } from './stream-wire.ts';
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
    cluster: clusterInfoJson(backend, assignment, stream.status),
    ts: formatRfc3339(backend.runtime.wallUs()),
  };
}

/** The configuration of a stream as the catalogue has it: the API put it there, and nobody else does. */
export function assignedConfig(assignment: StreamAssignment): StreamConfig {
  return assignment.config as unknown as StreamConfig;
}

/** Standalone streams and consumers have a leader and nothing else; those with one replica add the cluster's name. */
export function clusterInfoJson(backend: ApiBackend, assignment: StreamAssignment, status: GroupStatus): object {
  if (!backend.clustered) return { leader: backend.node };
  const base = { name: backend.clusterName, leader: status.leader };
  if (assignment.members.length <= 1) return base;
  const replicas = replicasJson(backend, assignment, status).filter(({ name }) => name !== status.leader);
  return {
    name: backend.clusterName,
    raft_group: assignment.groupName,
    leader: status.leader,
    system_account: backend.systemAccount !== '' || undefined,
    traffic_account: backend.systemAccount || undefined,
    replicas,
  };
}

interface ReplicaJson {
  readonly name: NodeId;
  readonly [member: string]: unknown;
}

/** All members of a stream, its leader included, by name. */
export function replicasJson(backend: ApiBackend, assignment: StreamAssignment, status: GroupStatus): ReplicaJson[] {
  return [...assignment.members].sort().map((member) => replicaJson(backend, status, member));
}

function replicaJson(backend: ApiBackend, status: GroupStatus, member: NodeId): ReplicaJson {
  const peer = status.peers.find(({ node }) => node === member);
  const up = backend.isUp(member);
  const heardMs = peer?.lastContactMs;
  const current =
    up && peer !== undefined && !peer.catchingUp && peer.lag === 0 && (heardMs ?? Infinity) < CURRENT_WITHIN_MS;
  return {
    name: member,
    // Without a leader this node can vouch for itself alone; the leader is what the others are measured by.
    current: current || (member === backend.node && (status.leader ?? member) === member),
    offline: !up || undefined,
    active: msToNanos(heardMs ?? 0),
    lag: peer?.lag || undefined,
    peer: peerId(member),
  };
}

/** Members of the answer that are not the stream's. */
const ENVELOPE: ReadonlySet<string> = new Set(['type', 'total', 'offset', 'limit']);
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
