/**
 * Owns the seam between a node and whatever carries its frames: gRPC between processes, or a simulated network inside
 * one. Above it nobody knows about connections; below it nobody knows what a frame means.
 */
import type { NodeId } from '../base/brand.ts';
import type { RaftTransport } from '../raft/index.ts';

/** Each has a connection of its own, so that none can hold up another. */
export const LINKS = ['control', 'traffic', 'bulk'] as const;
export type LinkName = (typeof LINKS)[number];

/** What a frame is, for the receiver's dispatch. Traffic of the front ends has `FRAME.traffic + TrafficKind`. */
export const FRAME = {
  raft: 1,
  nodes: 2,
  leaving: 3,
  leaderships: 4,
  interest: 5,
  request: 6,
  reply: 7,
  traffic: 32,
} as const;

/** A node as it presents itself to others. */
export interface Description {
  readonly node: NodeId;
  /** Drawn at every start: tells a restarted node, or a second one under the same name, from the one known. */
  readonly instance: string;
  /** `host:port` where others reach it. */
  readonly address: string;
  readonly clientUrls: readonly string[];
  readonly version: string;
  readonly jetstream: boolean;
  readonly tags: readonly string[];
  /** Identity of the meta group it takes part in; empty: none yet. */
  readonly metaId: string;
  /** How many nodes its configuration names, itself included; 0: it will not propose to form the meta group. */
  readonly expectedNodes: number;
  /** What streams may still store there; undefined: it has not told. */
  readonly availableFileBytes?: number | undefined;
  readonly availableMemoryBytes?: number | undefined;
}

/** What the links tell the node, and ask it. Never called from inside a call to `Links`. */
export interface LinkListener {
  /** As it is to be presented to peers now. */
  describe(): Description;
  /** Known nodes to hand to whoever greets us, this one first. */
  known(): readonly Description[];
  /** A proven member of our cluster wants to talk. A reason refuses it. */
  admit(peer: Description): string | undefined;
  /** It was admitted: now we know its address. */
  introduced(peer: Description): void;
  /** All streams in both directions work. Frames may have come from it shortly before. */
  up(node: NodeId): void;
  /** The link broke, or its streams did before it was up. */
  down(node: NodeId): void;
  /** False: malformed, no honest peer sends that; the link is broken off. */
  frame(from: NodeId, kind: number, body: Buffer): boolean;
}

export interface Links {
  /** For the raft host, which is built before the node. Frames put there before `start` are dropped. */
  readonly raft: RaftTransport;

  /** Accepts peers from here on. @returns the port listened on. */
  start(listener: LinkListener): Promise<number>;
  /** Asks who is at that address. Rejects when nobody is, or when it refuses us. */
  greet(address: string): Promise<readonly Description[]>;
  /** Keeps a link to that node from now on; a different address replaces the one known. */
  connect(node: NodeId, address: string): void;
  /** Drops the link, and dials no more. */
  disconnect(node: NodeId): void;

  isUp(node: NodeId): boolean;
  lastContactMs(node: NodeId): number | undefined;
  /**
   * Frames to one node on one link arrive in order, those of one turn together. False: the node is away, or the queue is
   * full. The frame is not copied.
   */
  send(to: NodeId, link: LinkName, kind: number, body: Buffer): boolean;
  /** Bytes accepted by `send` that have not left yet. */
  pendingBytes(to: NodeId, link: LinkName): number;
  /** Closes everything; what was sent before still leaves if it can within a moment. */
  stop(): Promise<void>;
}
