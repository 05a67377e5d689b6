/**
 * The door of cluster/. Order of construction, for a node of a cluster:
 *
 *     const links = await createLinks({ node, clusterName, listen, ... });
 *     const host = await createRaftHost({ transport: links.raft, ... });      // raft/
 *     const cluster = await createCluster({ host, peers: { links, routes, ... }, ... });
 *     cluster.onCatalogueChange(...); cluster.onTraffic(...); cluster.serve(...);   // before the start
 *     await cluster.start();
 *
 * A standalone server leaves out `createLinks` and `peers`, and its host's transport drops everything. gRPC and
 * protobuf are loaded only if there are peers.
 */
import type { Links } from './links.ts';
import type { ClusterOptions, LinkOptions } from './options.ts';
import { StandaloneNode } from './standalone-node.ts';
import type { ClusterNode } from './types.ts';

export * from './types.ts';
export { holdersOf } from './catalogue-state.ts';
export { HeldGroups, type HeldGroupsOptions } from './held-groups.ts';
export { hasTag, type PlacementRules } from './placement.ts';
export { fileState, type DurableState } from './node-state.ts';
export type { Description, LinkListener, LinkName, Links } from './links.ts';
export type { ClusterOptions, LinkOptions, PeerOptions, TlsOptions } from './options.ts';

/** Links over gRPC. They don't listen before the cluster starts. */
export async function createLinks(options: LinkOptions): Promise<Links> {
  const { GrpcLinks } = await import('./grpc-links.ts');
  return new GrpcLinks(options);
}

export async function createCluster(options: ClusterOptions): Promise<ClusterNode> {
  if (options.peers === undefined) return new StandaloneNode(options);
  const { ClusteredNode } = await import('./clustered-node.ts');
  return new ClusteredNode(options, options.peers);
}
