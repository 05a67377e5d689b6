/**
 * Owns changing which nodes hold a stream: who is to hold it, in what order present holders are kept, and the change of
 * the catalogue by which it begins. Used by all calls that scale or move streams (streams.md 3.2, 3.13).
 */
import {
  JETSTREAM_UNAVAILABLE,
  noSuitablePeers,
  PEER_REMAP_FAILED,
  RECONFIGURATION_IN_PROGRESS,
  MOVE_IN_PROGRESS,
  STREAM_NOT_FOUND,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import type { NodeId } from '../../base/brand.ts';
import type { PlacementWish, StreamAssignment } from '../../cluster/index.ts';
import type { StreamConfig } from '../../stream/index.ts';
import type { ApiBackend } from './backend.ts';
import { askForStreamInfo, assignedConfig } from './stream-info-json.ts';
import { plainConfig } from './stream-request.ts';

/** Time to find out how the replicas stand, before it is decided which of them stay. */
const STANDING_TIMEOUT_MS = 2000;

export type NewMembers =
  { readonly ok: true; readonly members: readonly NodeId[] } | { readonly ok: false; readonly error: ApiError };

export type Reassigned =
  { readonly ok: true; readonly assignment: StreamAssignment } | { readonly ok: false; readonly error: ApiError };

interface ReplicaStanding {
  readonly name: NodeId;
  readonly current: boolean;
  readonly offline?: boolean;
  readonly lag?: number;
}

/** What is under way with a stream's members. */
export function reconfigurationOf(assignment: StreamAssignment): 'none' | 'move' | 'scale' {
  const { reconfiguration } = assignment;
  if (reconfiguration === undefined) return 'none';
  const { numReplicas } = reconfiguration.origin.config as unknown as StreamConfig;
  return numReplicas === assignedConfig(assignment).numReplicas ? 'move' : 'scale';
}

/** Why a stream can't be moved now. */
export function moveObstacle(assignment: StreamAssignment): ApiError | undefined {
  const underWay = reconfigurationOf(assignment);
  if (underWay === 'move') return MOVE_IN_PROGRESS;
  return underWay === 'scale' ? RECONFIGURATION_IN_PROGRESS : undefined;
}

/**
 * Who is to hold the stream with `config`. The leader stays before the others, and those that are up to date before those
 * that lag; the first `replicas` of them stay as long as they fit. Without a leader nothing can be decided, and done
 * neither: it is the leader that takes the group to its new members.
 */
export async function newMembers(
  backend: ApiBackend,
  assignment: StreamAssignment,
  config: StreamConfig,
  wish: { readonly without?: readonly NodeId[]; readonly placement?: PlacementWish['placement'] } = {},
): Promise<NewMembers> {
  const standing = await membersByStanding(backend, assignment);
  if (standing === undefined) return { ok: false, error: JETSTREAM_UNAVAILABLE };
  const { without = [], placement = config.placement } = wish;
  const { numReplicas: replicas, storage, maxBytes } = config;
  const keep = standing.filter((node) => assignment.members.includes(node) && !without.includes(node));
  const placed = backend.place({ replicas, storage, maxBytes, placement, keep, without });
  if (placed.kind === 'noPeers') return { ok: false, error: noSuitablePeers(placed.reason) };
  return { ok: true, members: placed.members };
}

/** Members of the group now, best first. Undefined: nobody can tell. */
async function membersByStanding(backend: ApiBackend, assignment: StreamAssignment): Promise<NodeId[] | undefined> {
  const info = await askForStreamInfo(backend, assignment, STANDING_TIMEOUT_MS);
  if (info === undefined) return undefined;
  const { leader, replicas = [] } = info['cluster'] as { leader: NodeId; replicas?: readonly ReplicaStanding[] };
  const rank = ({ current, offline = false, lag = 0 }: ReplicaStanding): number =>
    offline ? Infinity : current ? 0 : 1 + lag;
  const others = [...replicas].sort((a, b) => compare(rank(a), rank(b)));
  return [leader, ...others.map(({ name }) => name)];
}

/** Infinite ranks are equal, which subtracting them would not tell. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Begins to take the stream away from a node that holds it. */
export async function replaceMember(
  backend: ApiBackend,
  assignment: StreamAssignment,
  node: NodeId,
  placement?: PlacementWish['placement'],
): Promise<Reassigned> {
  const config = assignedConfig(assignment);
  const found = await newMembers(backend, assignment, config, {
    without: [node],
    placement: placement ?? config.placement,
  });
  if (!found.ok) return { ok: false, error: PEER_REMAP_FAILED };
  return reassign(backend, assignment, config, found.members);
}

export async function reassign(
  backend: ApiBackend,
  assignment: StreamAssignment,
  config: StreamConfig,
  members: readonly NodeId[],
): Promise<Reassigned> {
  const { account, name, revision } = assignment;
  const result = await backend.change({
    kind: 'updateStream',
    account,
    name,
    config: plainConfig(config),
    members,
    expectedRevision: revision,
  });
  switch (result.kind) {
    case 'applied':
      return { ok: true, assignment: result.assignment };
    case 'notFound':
      return { ok: false, error: STREAM_NOT_FOUND };
    case 'conflict':
    case 'noPeers':
      // Changed by another meta leader since we looked: the client's next try is judged by what is there then.
      return { ok: false, error: JETSTREAM_UNAVAILABLE };
  }
}
