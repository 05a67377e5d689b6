/**
 * Owns what must hold at every step of any run (Raft, figure 3), and looks at it from outside: at what nodes say, what
 * their disks hold and what they apply.
 */
import assert from 'node:assert/strict';
import type { NodeId } from '../../src/base/brand.ts';
import type { PeerMessage } from '../../src/raft/messages.ts';
import { chainChecksum } from '../../src/raft/record.ts';
import type { Entry } from '../../src/raft/types.ts';
import type { CoreNode } from './core-node.ts';

export class CoreChecks {
  readonly #leaders = new Map<number, NodeId>();
  readonly #votes = new Map<string, NodeId>();
  /** Of every index ever applied anywhere: term and checksum, and the term of whoever applied it first. */
  readonly #committed = new Map<
    number,
    { readonly term: number; readonly checksum: number; readonly seenIn: number }
  >();
  readonly #spokenTerms = new Map<NodeId, number>();
  readonly #reads = new Map<number, number>();
  /** A planted bug may lie about the disk; then only its consequences are looked for. */
  readonly #trustDisk: boolean;
  highestCommit = 0;

  constructor(options: { readonly trustDisk: boolean }) {
    this.#trustDisk = options.trustDisk;
  }

  stepped(node: CoreNode): void {
    const { core } = node;
    assert.ok(
      core.currentTerm >= (this.#spokenTerms.get(node.id) ?? 0) || core.repairing,
      `${node.id}: term went back`,
    );
    if (core.role !== 'leader') return;
    const other = this.#leaders.get(core.currentTerm);
    assert.ok(other === undefined || other === node.id, `term ${core.currentTerm} has leaders ${other} and ${node.id}`);
    if (other === undefined) this.#checkCompleteness(node);
    this.#leaders.set(core.currentTerm, node.id);
    this.highestCommit = Math.max(this.highestCommit, core.commitIndex);
  }

  /** A leader's log holds everything committed in earlier terms (§5.4). */
  #checkCompleteness(node: CoreNode): void {
    for (const [index, { term, seenIn }] of this.#committed) {
      if (index < node.core.snapshotIndex || seenIn >= node.core.currentTerm) continue;
      assert.equal(node.core.termAt(index as Entry['index']), term, `leader ${node.id} lacks committed entry ${index}`);
    }
  }

  applied(node: CoreNode, entry: Entry): void {
    const checksum = chainChecksum(entry.record);
    const known = this.#committed.get(entry.index);
    if (known === undefined) {
      this.#committed.set(entry.index, { term: entry.term, checksum, seenIn: node.core.currentTerm });
    } else assert.equal(checksum, known.checksum, `${node.id} applied another entry ${entry.index}`);
    this.highestCommit = Math.max(this.highestCommit, entry.index);
  }

  /** Nobody says what is not on disk, and nobody takes back what was said. */
  said(node: CoreNode, message: PeerMessage): void {
    const { disk } = node;
    const preVote = message.kind === 'requestVote' || message.kind === 'requestVoteReply' ? message.preVote : false;
    const { term = 0, voteFloor = 0 } = disk.hardState ?? {};
    // Naming its vote floor, a node does not enter that term.
    if (!preVote && message.term !== voteFloor) {
      this.#spokenTerms.set(node.id, Math.max(this.#spokenTerms.get(node.id) ?? 0, message.term));
      if (this.#trustDisk) assert.ok(term >= message.term, `${node.id}: term not on disk`);
    }
    if (message.kind === 'requestVoteReply' && message.voteGranted && !message.preVote) {
      this.#vote(node.id, message.term, message.to);
    } else if (message.kind === 'requestVote' && !message.preVote) {
      this.#vote(node.id, message.term, node.id);
    } else if (message.kind === 'appendEntriesReply' && message.success) {
      assert.ok(
        disk.lastIndex >= message.matchIndex || node.core.currentTerm > message.term,
        `${node.id}: not on disk`,
      );
    }
  }

  #vote(voter: NodeId, term: number, candidate: NodeId): void {
    const key = `${voter} in term ${term}`;
    assert.equal(this.#votes.get(key) ?? candidate, candidate, `second vote of ${key}`);
    this.#votes.set(key, candidate);
  }

  /** A node lost its disk: what it said is forgotten, and not held against it. */
  forgetPromises(node: NodeId): void {
    this.#spokenTerms.delete(node);
  }

  readAsked(context: number): void {
    this.#reads.set(context, this.highestCommit);
  }

  /** A read sees everything that was committed anywhere when it was asked for. */
  readAnswered(node: NodeId, context: number, index: number): void {
    const floor = this.#reads.get(context);
    assert.ok(floor !== undefined, `read ${context} answered unasked`);
    assert.ok(index >= floor, `read ${context} at ${node} sees ${index}, but ${floor} was committed before`);
    this.#reads.delete(context);
  }

  /** Two logs with the same term at an index are the same up to there (§5.3). */
  logsMatch(nodes: readonly CoreNode[]): void {
    for (const a of nodes) {
      for (const b of nodes) {
        if (a.id >= b.id) continue;
        let same = false;
        for (let index = Math.min(a.disk.lastIndex, b.disk.lastIndex); index > 0; index--) {
          const left = a.disk.log.get(index);
          const right = b.disk.log.get(index);
          if (left === undefined || right === undefined) break;
          if (same || left.term === right.term) {
            same = true;
            const equal = chainChecksum(left.record) === chainChecksum(right.record);
            assert.ok(equal, `logs of ${a.id} and ${b.id} differ at ${index}`);
          }
        }
      }
    }
  }
}
