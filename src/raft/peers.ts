/**
 * Owns what a host knows of the other nodes: whether they live, and what they remember of us.
 *
 * Nodes tell each other that they live by beats, one per pair and interval for all of their groups. A beat also answers
 * the question of amnesia: which journal counter had the peer seen of this node before it heard of its present life? If
 * that is more than this node had on disk when it started, promises were lost. Only the first answer of each peer
 * counts, and nothing that promises anything is sent to a peer before it has answered: later answers would be mixed
 * with promises of this life. Counters go to those who get promises together with these, and with the beats to all others:
 * the one who got the promise may lose its memory as well. What was heard of a peer is written with the next batch,
 * whenever that comes; so a disk that loses synced data is found out unless all its peers lose their power in the same
 * moment.
 */
import type { NodeId } from '../base/brand.ts';
import type { Runtime } from '../base/runtime.ts';
import type { NodeStorage } from './storage/node-storage.ts';
import type { Beat } from './wire/node-frame.ts';

interface Peer {
  /** Of any frame; undefined: never. */
  lastContactMs: number | undefined;
  incarnation: number;
  /** What we had seen of it before that incarnation. */
  counterBefore: number;
  /** The last counter of ours that it was told. */
  told: number;
  /** What it had seen of us before our incarnation, once it told. */
  answer: number | undefined;
}

export class Peers {
  readonly incarnation: number;
  readonly #storage: NodeStorage;
  readonly #runtime: Runtime;
  readonly #startCounter: number;
  readonly #peers = new Map<NodeId, Peer>();

  constructor(storage: NodeStorage, runtime: Runtime) {
    this.#storage = storage;
    this.#runtime = runtime;
    this.#startCounter = storage.startCounter;
    this.incarnation = 1 + Math.floor(runtime.random() * (Number.MAX_SAFE_INTEGER - 1));
  }

  beatFor(node: NodeId): Beat {
    const peer = this.#peers.get(node);
    return {
      kind: 'beat',
      incarnation: this.incarnation,
      receiverIncarnation: peer?.incarnation ?? 0,
      receiverCounter: peer?.counterBefore ?? 0,
    };
  }

  /** Any frame came from `node`. */
  heardOf(node: NodeId): void {
    this.#peer(node).lastContactMs = this.#runtime.monotonicMs();
  }

  /**
   * What a beat brought: `reborn`: its sender has started anew; `answered`: it told for the first time what it
   * remembers; `amnesia`: that is more than we do.
   */
  beatReceived(node: NodeId, beat: Beat): { reborn: boolean; answered: boolean; amnesia: number | undefined } {
    const peer = this.#peer(node);
    const reborn = beat.incarnation !== peer.incarnation;
    if (reborn) {
      peer.told = 0;
      peer.incarnation = beat.incarnation;
      peer.counterBefore = this.#storage.peerCounter(node);
    }
    const answered = peer.answer === undefined && beat.receiverIncarnation === this.incarnation;
    if (answered) peer.answer = beat.receiverCounter;
    const amnesia = answered && beat.receiverCounter > this.#startCounter ? beat.receiverCounter : undefined;
    return { reborn, answered, amnesia };
  }

  /** The link broke: whatever is heard next comes by another one. */
  lost(node: NodeId): void {
    this.#peer(node).lastContactMs = undefined;
  }

  lastContactMs(node: NodeId): number | undefined {
    return this.#peers.get(node)?.lastContactMs;
  }

  isSilent(node: NodeId, forMs: number): boolean {
    const last = this.lastContactMs(node);
    return last === undefined || this.#runtime.monotonicMs() - last > forMs;
  }

  /** The present life of `node` was heard of and has heard of ours: promises may be exchanged. */
  hasAnswered(node: NodeId): boolean {
    return this.#peers.get(node)?.answer !== undefined;
  }

  /** True once per counter and peer. */
  isNews(node: NodeId, counter: number): boolean {
    const peer = this.#peer(node);
    if (peer.told >= counter) return false;
    peer.told = counter;
    return true;
  }

  #peer(node: NodeId): Peer {
    let peer = this.#peers.get(node);
    if (peer === undefined) {
      peer = { lastContactMs: undefined, incarnation: 0, counterBefore: 0, answer: undefined, told: 0 };
      this.#peers.set(node, peer);
    }
    return peer;
  }
}
