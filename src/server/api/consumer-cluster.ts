/**
 * Owns what is told of the replicas of a consumer. It lives in its stream's group; to clients it looks as if it had one of
 * its own, with as many of the stream's replicas as it asked for.
 */
import type { StreamAssignment } from '../../cluster/index.ts';
import { consumerReplicas, type ConsumerInfo } from '../../consumer/index.ts';
import type { ApiBackend } from './backend.ts';
import {
  assignedConfig,
  clusterInfoJson,
  replicasJson,
  type ReplicaJson,
  type ReplicaView,
} from './stream-info-json.ts';
import { shortHash } from '../../base/short-hash.ts';

export interface ConsumerPlace {
  readonly backend: ApiBackend;
  readonly assignment: StreamAssignment;
  readonly view: ReplicaView;
}

export function consumerClusterJson({ backend, assignment, view }: ConsumerPlace, info: ConsumerInfo): object {
  const { config } = info;
  const stream = assignedConfig(assignment);
  const count = consumerReplicas(config, stream);
  if (count === 1 || config.direct) return { name: backend.clusterName, leader: view.status.leader };
  const storage = config.memStorage || stream.storage === 'memory' ? 'M' : 'F';
  const others = replicasOf({ backend, assignment, view }, count).filter(({ name }) => name !== view.status.leader);
  return {
    ...clusterInfoJson(backend, assignment, view),
    raft_group: `C-R${count}${storage}-${shortHash(`${assignment.groupName} ${info.name}`)}`,
    replicas: others.length > 0 ? others : undefined,
  };
}

/** The leader, and as many others as make `count`; by name. */
export function replicasOf({ backend, assignment, view }: ConsumerPlace, count: number): ReplicaJson[] {
  const all = replicasJson(backend, assignment, view.status);
  const others = all.filter(({ name }) => name !== view.status.leader).slice(0, count - 1);
  return all.filter((replica) => replica.name === view.status.leader || others.includes(replica));
}
