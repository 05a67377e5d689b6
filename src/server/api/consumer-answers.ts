/** Owns the ConsumerInfo of a consumer in the answers of its stream's leader. */
import type { ConsumerInfo } from '../../consumer/index.ts';
import type { StreamCall } from './call.ts';
import { consumerInfoJson } from './consumer-wire.ts';
import { consumerClusterJson } from './consumer-cluster.ts';
import { dynamicMetadata, sortedByKey } from './stream-wire.ts';

/** `listed`: without what shows who answered. */
export function describeConsumer(call: StreamCall, info: ConsumerInfo, listed = false): object {
  const { backend, assignment, stream, leaderSinceUs } = call;
  const view = { status: stream.status, leaderSinceUs };
  const { metadata } = info.config;
  return consumerInfoJson(info, {
    stream: assignment.name,
    metadata: listed ? sortedByKey(metadata) : dynamicMetadata(metadata, backend.serverVersion),
    cluster: backend.clustered ? consumerClusterJson({ backend, assignment, view }, info) : undefined,
    nowUs: backend.runtime.wallUs(),
  });
}
