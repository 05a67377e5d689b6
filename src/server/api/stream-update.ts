/** Owns STREAM.UPDATE (streams.md 3.2). */
import {
  JETSTREAM_UNAVAILABLE,
  MOVE_AND_SCALE,
  MOVE_IN_PROGRESS,
  STREAM_NOT_FOUND,
  STREAM_OFFLINE,
  streamUpdateFailed,
  SUBJECTS_OVERLAP,
} from '../../base/api-errors.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import {
  checkStreamUpdate,
  normaliseStreamConfig,
  samePlacement,
  streamConfigsEqual,
  overlapWith,
} from '../../stream/index.ts';
import type { StreamConfig } from '../../stream/index.ts';
import { failure } from './call.ts';
import type { Answer, Call, Endpoint } from './call.ts';
import { askForConsumers } from './consumer-list.ts';
import { assignedConfig } from './stream-info-json.ts';
import { checkAccountRoom, configLimits } from './stream-limits.ts';
import { moveObstacle, newMembers, reconfigurationOf, type NewMembers } from './stream-members.ts';
import { answerWithInfo, checkSubjectName, plainConfig, readStreamRequest } from './stream-request.ts';

/** Time to look at a stream's consumers before its limits on them are tightened. */
const CONSUMERS_TIMEOUT_MS = 2000;

type Updated = { readonly assignment: StreamAssignment } | { readonly refusal: Answer };

export const STREAM_UPDATE: Endpoint = {
  subject: 'STREAM.UPDATE.*',
  responseType: 'stream_update_response',
  place: 'metaLeader',

  async handle(call) {
    const read = readStreamRequest(call);
    if (!read.ok) return failure(read.error);
    const normalised = normaliseStreamConfig(read.request, configLimits(call.backend, call.account), read.pedantic);
    if (!normalised.ok) return failure(normalised.error);
    // Unlike a creation, an update is looked at as a whole before it is compared with its subject.
    const misnamed = checkSubjectName(call, read.request);
    if (misnamed !== undefined) return failure(misnamed);

    const updated = await call.turns.run(call.account, () => update(call, normalised.config));
    if ('refusal' in updated) return updated.refusal;
    call.backend.announce(call.account, normalised.config.name, 'modify');
    return answerWithInfo(call, updated.assignment, {});
  },
};

async function update(call: Call, wanted: StreamConfig): Promise<Updated> {
  const { backend, account } = call;
  await backend.catalogueBarrier();
  const existing = backend.catalogue.stream(account, wanted.name);
  if (existing === undefined) return { refusal: failure(STREAM_NOT_FOUND) };
  if (backend.clustered && !existing.members.some((member) => backend.isUp(member))) {
    return { refusal: failure(STREAM_OFFLINE) };
  }
  const current = assignedConfig(existing);
  const checked = checkStreamUpdate(current, wanted);
  if (!checked.ok) return { refusal: failure(checked.error) };
  const { config } = checked;
  if (streamConfigsEqual(current, config)) return { assignment: existing };
  const refusal = await checkSurroundings(call, existing, config);
  if (refusal !== undefined) return { refusal };
  const members = await membersFor(call, existing, config);
  if (!members.ok) return { refusal: failure(members.error) };

  const result = await backend.change({
    kind: 'updateStream',
    account,
    name: config.name,
    config: plainConfig(config),
    members: members.members,
    expectedRevision: existing.revision,
  });
  switch (result.kind) {
    case 'applied':
      return { assignment: result.assignment };
    case 'notFound':
      return { refusal: failure(STREAM_NOT_FOUND) };
    case 'conflict':
    case 'noPeers':
      // Changed by another meta leader since we looked: the client's next try is judged by what is there then.
      return { refusal: failure(JETSTREAM_UNAVAILABLE) };
  }
}

/** Who holds the stream afterwards: others, if it is scaled or moved. */
async function membersFor(call: Call, existing: StreamAssignment, config: StreamConfig): Promise<NewMembers> {
  const current = assignedConfig(existing);
  const scales = config.numReplicas !== current.numReplicas;
  const moves = !samePlacement(current, config);
  if (!call.backend.clustered || (!scales && !moves)) return { ok: true, members: existing.members };
  if (scales && moves) return { ok: false, error: MOVE_AND_SCALE };
  const obstacle = moves ? moveObstacle(existing) : undefined;
  if (obstacle !== undefined) return { ok: false, error: obstacle };
  if (scales && reconfigurationOf(existing) === 'move') return { ok: false, error: MOVE_IN_PROGRESS };
  return newMembers(call.backend, existing, config);
}

/** What an update must not break: other streams, the account, the stream's consumers. */
async function checkSurroundings(
  call: Call,
  existing: StreamAssignment,
  config: StreamConfig,
): Promise<Answer | undefined> {
  const { backend, account } = call;
  const others = backend.catalogue.streams(account).filter(({ name }) => name !== config.name);
  const overlaps = overlapWith(config);
  if (others.some((other) => overlaps(assignedConfig(other)))) return failure(SUBJECTS_OVERLAP);
  const violators = await consumersBeyond(call, existing, config);
  if (violators === undefined) return failure(JETSTREAM_UNAVAILABLE);
  if (violators.length > 0) {
    return failure(streamUpdateFailed(`change to limits violates consumers: ${violators.join(', ')}`));
  }
  const noRoom = checkAccountRoom(backend, account, backend.accountLimits(account)!, config);
  return noRoom && failure(noRoom);
}

/** Names of consumers that the new limits would forbid. Undefined: the stream's leader can't be asked. */
async function consumersBeyond(
  call: Call,
  existing: StreamAssignment,
  config: StreamConfig,
): Promise<string[] | undefined> {
  const { maxAckPending, inactiveThresholdMs } = config.consumerLimits;
  if (maxAckPending <= 0 && inactiveThresholdMs <= 0) return [];
  const consumers = await askForConsumers(call.backend, existing, CONSUMERS_TIMEOUT_MS);
  return consumers
    ?.filter(
      (consumer) =>
        (maxAckPending > 0 && consumer.maxAckPending > maxAckPending) ||
        (inactiveThresholdMs > 0 && consumer.inactiveThresholdMs > inactiveThresholdMs),
    )
    .map(({ name }) => name);
}
