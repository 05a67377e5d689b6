/** Owns STREAM.CREATE (streams.md 3.1). */
import { noSuitablePeers, STREAM_NAME_IN_USE, SUBJECTS_OVERLAP } from '../../base/api-errors.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import { checkStreamCreate, normaliseStreamConfig, streamConfigsEqual, overlapWith } from '../../stream/index.ts';
import type { StreamConfig } from '../../stream/index.ts';
import { failure } from './call.ts';
import type { Answer, Call, Endpoint } from './call.ts';
import { assignedConfig } from './stream-info-json.ts';
import { checkAccountRoom, configLimits, isBounded } from './stream-limits.ts';
import { answerWithInfo, checkSubjectName, plainConfig, readStreamRequest } from './stream-request.ts';

type Created = { readonly assignment: StreamAssignment; readonly isNew: boolean } | { readonly refusal: Answer };

export const STREAM_CREATE: Endpoint = {
  subject: 'STREAM.CREATE.*',
  responseType: 'stream_create_response',
  place: 'metaLeader',

  async handle(call) {
    const read = readStreamRequest(call);
    if (!read.ok) return failure(read.error);
    const error = checkSubjectName(call, read.request) ?? checkStreamCreate(read.request);
    if (error !== undefined) return failure(error);
    const limits = call.backend.accountLimits(call.account)!;
    const normalised = normaliseStreamConfig(read.request, configLimits(call.backend, call.account), read.pedantic);
    if (!normalised.ok) return failure(normalised.error);

    const task = (): Promise<Created> => create(call, normalised.config);
    // Names and subjects are compared with what is being created as well, by the catalogue. Room is not.
    const { turns, account } = call;
    const created = await (isBounded(limits) ? turns.run(account, task) : turns.beside(account, task));
    if ('refusal' in created) return created.refusal;
    if (created.isNew) call.backend.announce(account, normalised.config.name, 'create');
    // A standalone reference server says that it created the stream also when it was there already.
    const didCreate = created.isNew || !call.backend.clustered;
    return answerWithInfo(call, created.assignment, { did_create: didCreate || undefined });
  },
};

async function create(call: Call, config: StreamConfig): Promise<Created> {
  const { backend, account } = call;
  await backend.catalogueBarrier();
  const existing = backend.catalogue.stream(account, config.name);
  if (existing !== undefined) return sameOrRefused(existing, config);
  const others = backend.catalogue.streams(account);
  const overlaps = overlapWith(config);
  if (others.some((other) => overlaps(assignedConfig(other)))) {
    return { refusal: failure(SUBJECTS_OVERLAP) };
  }
  const noRoom = checkAccountRoom(backend, account, backend.accountLimits(account)!, config);
  if (noRoom !== undefined) return { refusal: failure(noRoom) };

  const result = await backend.change({
    kind: 'createStream',
    account,
    name: config.name,
    config: plainConfig(config),
    storage: config.storage,
    replicas: config.numReplicas,
    maxBytes: config.maxBytes,
    placement: config.placement,
    conflictsWith: (other) =>
      other.account === account && (other.name === config.name || overlaps(assignedConfig(other))),
  });
  switch (result.kind) {
    case 'applied':
      return { assignment: result.assignment, isNew: true };
    case 'conflict':
      if (result.existing.name === config.name) return sameOrRefused(result.existing, config);
      return { refusal: failure(SUBJECTS_OVERLAP) };
    case 'noPeers':
    case 'notFound':
      return { refusal: failure(noSuitablePeers(result.kind === 'noPeers' ? result.reason : NO_PEERS)) };
  }
}

const NO_PEERS = 'no suitable peers for placement';

function sameOrRefused(existing: StreamAssignment, config: StreamConfig): Created {
  if (!streamConfigsEqual(assignedConfig(existing), config)) return { refusal: failure(STREAM_NAME_IN_USE) };
  return { assignment: existing, isNew: false };
}
