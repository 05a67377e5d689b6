/**
 * Owns the operator's calls about servers: SERVER.REMOVE, SERVER.EVACUATE and META.RESCUE (streams.md 3.13).
 *
 * Differs from the reference server: META.RESCUE is refused. It lowers the meta group's quorum without its consent, and
 * two halves of a cluster that are both rescued would both go on, each with a catalogue of its own.
 */
import { BAD_REQUEST, CLUSTER_REQUIRED, NOT_A_CLUSTER_MEMBER, rescueRefused } from '../../base/api-errors.ts';
import type { NodeId } from '../../base/brand.ts';
import type { ApiBackend } from './backend.ts';
import { decodeBody, failure, isEmptyBody, success } from './call.ts';
import type { Answer, Call, Endpoint } from './call.ts';
import { int, text } from './decoder.ts';
import { replaceMember } from './stream-members.ts';
import { peerId } from './wire.ts';

const REQUEST = { rootType: 'JSApiMetaServerRemoveRequest', fields: { peer: text, peer_id: text } } as const;
const RESCUE_REQUEST = { rootType: 'JSApiMetaRescueRequest', fields: { quorum_needed: int } } as const;

function serverCall(
  subject: string,
  responseType: string,
  carryOut: (call: Call, server: NodeId) => Promise<void>,
): Endpoint {
  return {
    subject,
    responseType,
    place: 'metaLeader',
    systemOnly: true,
    async handle(call): Promise<Answer> {
      const { backend, request } = call;
      if (!backend.clustered) return failure(CLUSTER_REQUIRED);
      if (isEmptyBody(request.body)) return failure(BAD_REQUEST);
      const body = decodeBody(call, REQUEST);
      if (!body.ok) return failure(body.error);
      await backend.catalogueBarrier();
      const { peer = '', peer_id: id = '' } = body.value;
      const server = findServer(backend, peer) ?? findServer(backend, id);
      if (server === undefined) return failure(NOT_A_CLUSTER_MEMBER);
      await carryOut(call, server);
      return success({ success: true });
    },
  };
}

/** By its name, or by the short name that answers show. */
export function findServer(backend: ApiBackend, name: string): NodeId | undefined {
  return backend.catalogue.nodes().find((node) => node === name || peerId(node) === name);
}

/** Its streams are given to others by whoever leads the meta group, as long as it takes. */
export const SERVER_REMOVE = serverCall('SERVER.REMOVE', 'meta_server_remove_response', async ({ backend }, server) => {
  await backend.removeNode(server);
});

export const SERVER_EVACUATE = serverCall('SERVER.EVACUATE', 'meta_server_evacuate_response', (call, server) => {
  void evacuate(call, server);
  return Promise.resolve();
});

/** One stream after the other, in turn with other changes of its account; what has no place to go stays. */
async function evacuate({ backend, turns }: Call, server: NodeId): Promise<void> {
  const { catalogue } = backend;
  for (const account of catalogue.accounts()) {
    for (const { name } of catalogue.streams(account)) {
      const move = async (): Promise<void> => {
        const assignment = catalogue.stream(account, name);
        if (assignment?.members.includes(server) === true) await replaceMember(backend, assignment, server);
      };
      // Another meta leader took over: the rest is asked for again, by whoever saw the first part happen.
      await turns.run(account, move).catch(() => undefined);
    }
  }
}

export const META_RESCUE: Endpoint = {
  subject: 'META.RESCUE',
  responseType: 'meta_rescue_response',
  place: 'metaLeader',
  systemOnly: true,
  handle(call) {
    if (isEmptyBody(call.request.body)) return failure(BAD_REQUEST);
    const body = decodeBody(call, RESCUE_REQUEST);
    return failure(body.ok ? rescueRefused('not supported by this server') : body.error);
  },
};
