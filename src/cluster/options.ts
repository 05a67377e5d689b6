/** Owns what main gives to the cluster, and in which order things are built. */
import type { NodeId } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime } from '../base/runtime.ts';
import type { RaftHost } from '../raft/index.ts';
import type { Links } from './links.ts';
import type { DurableState } from './node-state.ts';
import type { PlacementRules } from './placement.ts';

/** PEM texts. Both sides of a connection prove themselves. */
export interface TlsOptions {
  readonly ca: Buffer;
  readonly certificate: Buffer;
  readonly key: Buffer;
}

export interface LinkOptions {
  readonly node: NodeId;
  readonly clusterName: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Whoever doesn't know it is a stranger. Absent: none is asked for. */
  readonly secret?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly runtime: Runtime;
  readonly logger: Logger;
}

export interface ClusterOptions {
  readonly node: NodeId;
  readonly clusterName: string;
  readonly host: RaftHost;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly version: string;
  readonly clientUrls: readonly string[];
  readonly tags?: readonly string[] | undefined;
  /** Absent: placement knows none. */
  readonly placementRules?: PlacementRules | undefined;
  /** Absent: standalone. */
  readonly peers?: PeerOptions | undefined;
}

export interface PeerOptions {
  /** From `createLinks`; its `raft` is what the host was built with. */
  readonly links: Links;
  /**
   * `nats://host:port`, `nats-route://host:port` or `host:port`; names may resolve to several addresses, this node may
   * be among them. Without any it waits to be found. Those that are not addresses are reported and left out.
   */
  readonly routes: readonly string[];
  /** As told to other nodes, if the port listened on is not reached at the host listened on: `host` or `host:port`. */
  readonly advertise?: string | undefined;
  /** The host listened on: told to others, unless it stands for all interfaces. */
  readonly listenHost: string;
  /** How many nodes form the cluster at first; absent: as many as the routes lead to. */
  readonly expectedNodes?: number | undefined;
  readonly jetstream: boolean;
  /** Beside the database, and lost with it: `fileState` in the store's directory. */
  readonly state: DurableState;
  /** The state can't be saved any more: the process must end. */
  readonly fatal: (error: Error) => void;
  /** Absent: the system's resolver. */
  readonly resolve?: ((host: string) => Promise<readonly string[]>) | undefined;
}
