/** Owns the three LEADER.STEPDOWN calls (streams.md 3.13): leadership moves, to whom the request prefers if possible. */
import { CLUSTER_REQUIRED, CONSUMER_NOT_FOUND, noSuitablePeers } from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import type { NodeId } from '../../base/brand.ts';
import { hasTag } from '../../cluster/index.ts';
import type { ApiBackend } from './backend.ts';
import { decodeOptionalBody, failure, success } from './call.ts';
import type { Answer, Call, Endpoint, StreamCall } from './call.ts';
import { list, struct, text } from './decoder.ts';
import { strings } from './stream-wire.ts';

const REQUEST = {
  rootType: 'JSApiLeaderStepdownRequest',
  fields: { placement: struct('Placement', { cluster: text, tags: list(text), preferred: text }) },
} as const;

const NO_REPLACEMENT = noSuitablePeers('no replacement peer connected');

type Successor =
  { readonly ok: true; readonly node: NodeId | undefined } | { readonly ok: false; readonly error: ApiError };

const needsCluster = (call: Call): ApiError | undefined => (call.backend.clustered ? undefined : CLUSTER_REQUIRED);

export const STREAM_LEADER_STEPDOWN: Endpoint = {
  subject: 'STREAM.LEADER.STEPDOWN.*',
  responseType: 'stream_leader_stepdown_response',
  place: 'streamLeader',
  precheck: needsCluster,
  handle: stepDownStream,
};

/** Consumers live where their stream's leader is: theirs steps down with it. */
export const CONSUMER_LEADER_STEPDOWN: Endpoint = {
  subject: 'CONSUMER.LEADER.STEPDOWN.*.*',
  responseType: 'consumer_leader_stepdown_response',
  place: 'streamLeader',
  precheck: needsCluster,
  handle: (call) =>
    call.consumers.info(call.args[1]!) === undefined ? failure(CONSUMER_NOT_FOUND) : stepDownStream(call),
};

export const META_LEADER_STEPDOWN: Endpoint = {
  subject: 'META.LEADER.STEPDOWN',
  responseType: 'meta_leader_stepdown_response',
  place: 'metaLeader',
  systemOnly: true,

  handle(call) {
    const { backend } = call;
    if (!backend.clustered) return failure(CLUSTER_REQUIRED);
    const successor = chooseSuccessor(call, backend.catalogue.nodes());
    if (!successor.ok) return failure(successor.error);
    return begin(() => backend.transferMetaLeadership(successor.node));
  },
};

function stepDownStream(call: StreamCall): Answer {
  const successor = chooseSuccessor(call, call.assignment.members);
  if (!successor.ok) return failure(successor.error);
  if (call.assignment.members.length === 1) return success({ success: true });
  return begin(() => call.stream.transferLeadership(successor.node));
}

/** The answer does not wait for the new leader. */
function begin(transfer: () => Promise<boolean>): Answer {
  transfer().catch(() => {
    // Nobody took over, or somebody else already had: either way the group has the leader it can have.
  });
  return success({ success: true });
}

/** Any node (`undefined`) unless the request says more. Candidates are the group's members, this leader among them. */
function chooseSuccessor(call: Call, candidates: readonly NodeId[]): Successor {
  const body = decodeOptionalBody(call, REQUEST);
  if (!body.ok) return body;
  const { backend } = call;
  const { preferred = '', cluster = '', tags } = body.value.placement ?? {};
  if (preferred !== '') return preferredSuccessor(backend, candidates, preferred);
  const wanted = strings(tags);
  if (cluster === '' && wanted.length === 0) return { ok: true, node: undefined };
  const fitting = backend
    .nodes()
    .filter(({ node, up }) => up && node !== backend.node && candidates.includes(node))
    .find((info) => wanted.every((tag) => hasTag(info, tag)));
  if (fitting === undefined || (cluster !== '' && cluster !== backend.clusterName)) {
    return { ok: false, error: NO_REPLACEMENT };
  }
  return { ok: true, node: fitting.node };
}

function preferredSuccessor(backend: ApiBackend, candidates: readonly NodeId[], preferred: string): Successor {
  const node = candidates.find((candidate) => candidate === preferred);
  const shown = JSON.stringify(preferred);
  if (node === undefined) return { ok: false, error: noSuitablePeers(`preferred server ${shown} not known`) };
  if (node === backend.node) {
    return { ok: false, error: noSuitablePeers(`preferred server ${shown} is already leader`) };
  }
  return backend.isUp(node) ? { ok: true, node } : { ok: false, error: NO_REPLACEMENT };
}
