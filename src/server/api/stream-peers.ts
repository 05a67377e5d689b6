/**
 * Owns taking streams away from a node: STREAM.PEER.REMOVE and STREAM.PEER.EVACUATE, and the same asked for a consumer
 * (streams.md 3.13).
 *
 * Differs from the reference server: removing and evacuating are the same here. Another node takes over the replica, by
 * one change of members that counts as soon as it has caught up, whether the old one still answers or not; and a stream
 * whose only replica can't be reached stays where it is, rather than going on empty somewhere else.
 */
import {
  BAD_REQUEST,
  CLUSTER_REQUIRED,
  CONSUMER_NOT_FOUND,
  PEER_NOT_A_MEMBER,
  PEER_REMAP_FAILED,
  STREAM_NOT_FOUND,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import type { NodeId } from '../../base/brand.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import { decodeBody, failure, isEmptyBody, success } from './call.ts';
import type { Answer, Call, Endpoint } from './call.ts';
import { text } from './decoder.ts';
import { replaceMember } from './stream-members.ts';
import { peerId } from './wire.ts';

const REQUEST = { rootType: 'JSApiStreamRemovePeerRequest', fields: { peer: text } } as const;

type Peer = { readonly ok: true; readonly peer: string } | { readonly ok: false; readonly error: ApiError };

function streamCall(subject: string, responseType: string): Endpoint {
  return { subject, responseType, place: 'metaLeader', handle: replacePeer };
}

export const STREAM_PEER_REMOVE = streamCall('STREAM.PEER.REMOVE.*', 'stream_remove_peer_response');
export const STREAM_PEER_EVACUATE = streamCall('STREAM.PEER.EVACUATE.*', 'stream_evacuate_peer_response');

async function replacePeer(call: Call): Promise<Answer> {
  const { backend, account, turns } = call;
  const asked = readPeer(call);
  if (!asked.ok) return failure(asked.error);
  return turns.run(account, async () => {
    await backend.catalogueBarrier();
    const assignment = backend.catalogue.stream(account, call.args[0]!);
    if (assignment === undefined) return failure(STREAM_NOT_FOUND);
    const member = memberNamed(assignment, asked.peer);
    if (member === undefined) return failure(PEER_NOT_A_MEMBER);
    const replaced = await replaceMember(backend, assignment, member);
    return replaced.ok ? success({ success: true }) : failure(replaced.error);
  });
}

function readPeer(call: Call): Peer {
  if (!call.backend.clustered) return { ok: false, error: CLUSTER_REQUIRED };
  if (isEmptyBody(call.request.body)) return { ok: false, error: BAD_REQUEST };
  const body = decodeBody(call, REQUEST);
  if (!body.ok) return body;
  const { peer = '' } = body.value;
  return peer === '' ? { ok: false, error: BAD_REQUEST } : { ok: true, peer };
}

/** By its name, or by the short name that answers show. */
export function memberNamed(assignment: StreamAssignment, peer: string): NodeId | undefined {
  return assignment.members.find((member) => member === peer || peerId(member) === peer);
}

/** A consumer lives with its stream, and has no replicas of its own that could be moved. */
function consumerCall(subject: string, responseType: string): Endpoint {
  return {
    subject,
    responseType,
    place: 'streamLeader',
    precheck(call) {
      const asked = readPeer(call);
      return asked.ok ? undefined : asked.error;
    },
    handle(call) {
      if (call.consumers.info(call.args[1]!) === undefined) return failure(CONSUMER_NOT_FOUND);
      const asked = readPeer(call);
      if (!asked.ok) return failure(asked.error);
      return failure(memberNamed(call.assignment, asked.peer) === undefined ? PEER_NOT_A_MEMBER : PEER_REMAP_FAILED);
    },
  };
}

export const CONSUMER_PEER_REMOVE = consumerCall('CONSUMER.PEER.REMOVE.*.*', 'consumer_remove_peer_response');
export const CONSUMER_PEER_EVACUATE = consumerCall('CONSUMER.PEER.EVACUATE.*.*', 'consumer_evacuate_peer_response');
