/** Owns ACCOUNT.STREAM.MOVE, and giving a reconfiguration up: STREAM.CANCEL_MOVE, ACCOUNT.STREAM.CANCEL_MOVE (streams.md 3.13). */
import {
  ACCOUNT_NOT_FOUND,
  CLUSTER_REQUIRED,
  NO_RECONFIGURATION,
  noSuitablePeers,
  NOT_A_CLUSTER_MEMBER,
  PEER_NOT_A_MEMBER,
  STREAM_NOT_FOUND,
} from '../../base/api-errors.ts';
import type { NodeId } from '../../base/brand.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import type { StreamConfig } from '../../stream/index.ts';
import { decodeOptionalBody, failure } from './call.ts';
import type { Answer, Call, Endpoint } from './call.ts';
import { list, text } from './decoder.ts';
import { assignedConfig } from './stream-info-json.ts';
import { moveObstacle, newMembers, reassign, type Reassigned } from './stream-members.ts';
import { memberNamed } from './stream-peers.ts';
import { answerWithInfo } from './stream-request.ts';
import { strings } from './stream-wire.ts';
import { findServer } from './server-members.ts';

const MOVE_REQUEST = {
  rootType: 'JSApiMetaServerStreamMoveRequest',
  fields: { server: text, cluster: text, domain: text, tags: list(text) },
} as const;

/** The system account names any, others only themselves: everybody else is not answered. */
function accountCall(
  subject: string,
  responseType: string,
  handle: (call: Call, account: string, name: string) => Promise<Answer>,
): Endpoint {
  return {
    subject,
    responseType,
    place: 'metaLeader',
    fromSystemAccount: true,
    handle(call) {
      const [account, name] = call.args as [string, string];
      const isSystem = call.account === call.backend.systemAccount;
      if (!isSystem && account !== call.account) return { kind: 'raw', response: { kind: 'none' } };
      if (!call.backend.clustered) return failure(CLUSTER_REQUIRED);
      if (call.backend.accountLimits(account) === undefined) return failure(ACCOUNT_NOT_FOUND);
      return handle(call, account, name);
    },
  };
}

export const ACCOUNT_STREAM_MOVE = accountCall('ACCOUNT.STREAM.MOVE.*.*', 'stream_update_response', moveStream);

async function moveStream(call: Call, account: string, name: string): Promise<Answer> {
  const { backend, turns } = call;
  const body = decodeOptionalBody(call, MOVE_REQUEST);
  if (!body.ok) return failure(body.error);
  const { server = '', cluster = '', tags } = body.value;
  const moved = await turns.run(account, async (): Promise<Reassigned> => {
    await backend.catalogueBarrier();
    if (server !== '' && findServer(backend, server) === undefined) return { ok: false, error: NOT_A_CLUSTER_MEMBER };
    const assignment = backend.catalogue.stream(account, name);
    if (assignment === undefined) return { ok: false, error: STREAM_NOT_FOUND };
    const source = server === '' ? anyMember(call, assignment) : memberNamed(assignment, server);
    if (source === undefined) return { ok: false, error: PEER_NOT_A_MEMBER };
    const obstacle = moveObstacle(assignment);
    if (obstacle !== undefined) return { ok: false, error: obstacle };
    return moveAway(call, assignment, source, { cluster, tags: strings(tags) });
  });
  return moved.ok ? answerWithInfo(call, moved.assignment, {}) : failure(moved.error);
}

/** One that follows, if there is one: the least disturbance. */
function anyMember({ backend }: Call, assignment: StreamAssignment): NodeId | undefined {
  const leader = backend.leaderOf(assignment);
  return assignment.members.find((member) => member !== leader) ?? assignment.members[0];
}

/** What the request asks of the new place is for this once; the stream's own placement stays. */
async function moveAway(
  { backend }: Call,
  assignment: StreamAssignment,
  source: NodeId,
  wanted: { readonly cluster: string; readonly tags: readonly string[] },
): Promise<Reassigned> {
  const config = assignedConfig(assignment);
  const isAsked = wanted.cluster !== '' || wanted.tags.length > 0;
  const placement = isAsked ? wanted : config.placement;
  const found = await newMembers(backend, assignment, config, { without: [source], placement });
  if (!found.ok) return found;
  return reassign(backend, assignment, config, found.members);
}

export const ACCOUNT_STREAM_CANCEL_MOVE = accountCall(
  'ACCOUNT.STREAM.CANCEL_MOVE.*.*',
  'stream_cancel_move_response',
  cancel,
);

export const STREAM_CANCEL_MOVE: Endpoint = {
  subject: 'STREAM.CANCEL_MOVE.*',
  responseType: 'stream_cancel_move_response',
  place: 'metaLeader',
  handle: (call) => (call.backend.clustered ? cancel(call, call.account, call.args[0]!) : failure(CLUSTER_REQUIRED)),
};

async function cancel(call: Call, account: string, name: string): Promise<Answer> {
  const { backend, turns } = call;
  const cancelled = await turns.run(account, async (): Promise<Reassigned> => {
    await backend.catalogueBarrier();
    const assignment = backend.catalogue.stream(account, name);
    if (assignment === undefined) return { ok: false, error: STREAM_NOT_FOUND };
    if (assignment.reconfiguration === undefined) return { ok: false, error: NO_RECONFIGURATION };
    const { origin } = assignment.reconfiguration;
    const gone = origin.members.find((node) => backend.catalogue.wasRemoved(node));
    if (gone !== undefined) return { ok: false, error: noSuitablePeers(`${gone} was removed from the cluster`) };
    const { numReplicas, placement } = origin.config as unknown as StreamConfig;
    return reassign(backend, assignment, { ...assignedConfig(assignment), numReplicas, placement }, origin.members);
  });
  return cancelled.ok ? answerWithInfo(call, cancelled.assignment, {}) : failure(cancelled.error);
}
