/**
 * Owns the rules that no history may break. Each checker is told what happened, in order, knows nothing of how it came
 * about, and complains at the first contradiction.
 */
import type { NodeId } from '../../src/base/brand.ts';
import type { GroupId, LogIndex, Term } from '../../src/raft/index.ts';
import type { PeerMessage } from '../../src/raft/messages.ts';

export type Complain = (violation: string) => void;

/** What nodes say to each other: one leader and one vote per term, and no life that falls behind what an earlier one said. */
export class PromiseChecker {
  readonly #complain: Complain;
  readonly #leaders = new Map<string, NodeId>();
  readonly #votes = new Map<string, NodeId>();
  /** Highest term in which a node has spoken, in this life and in those before. */
  readonly #spoken = new Map<string, Term>();
  readonly #floors = new Map<string, Term>();

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  said(group: GroupId, message: PeerMessage): void {
    const { from, to, term } = message;
    switch (message.kind) {
      case 'requestVote':
        if (message.preVote) return;
        this.#voted(group, from, term, from);
        break;
      case 'requestVoteReply':
        // A refusal promises nothing; it may name a term in which the voter would be free to vote again.
        if (message.preVote || !message.voteGranted) return;
        this.#voted(group, from, term, to);
        break;
      case 'appendEntries':
      case 'timeoutNow':
      case 'installSnapshot':
        this.#led(group, from, term);
        break;
      case 'appendEntriesReply':
        if (message.repairing !== 0) return;
        break;
      case 'installSnapshotReply':
        return;
    }
    this.#spoke(group, from, term);
  }

  /** The node starts anew. `damaged`: its disk may have lost what it had promised, which others must find out. */
  reborn(node: NodeId, damaged: boolean): void {
    for (const [key, term] of this.#spoken) {
      if (!key.endsWith(`/${node}`)) continue;
      if (damaged) this.#floors.delete(key);
      else this.#floors.set(key, term);
      if (damaged) this.#spoken.delete(key);
    }
  }

  #led(group: GroupId, leader: NodeId, term: Term): void {
    const key = `${group}/${term}`;
    const known = this.#leaders.get(key) ?? leader;
    this.#leaders.set(key, known);
    if (known !== leader) this.#complain(`group ${group}: ${known} and ${leader} both led in term ${term}`);
  }

  #voted(group: GroupId, voter: NodeId, term: Term, candidate: NodeId): void {
    const key = `${group}/${term}/${voter}`;
    const known = this.#votes.get(key) ?? candidate;
    this.#votes.set(key, known);
    if (known !== candidate) {
      this.#complain(`group ${group}: ${voter} voted for ${known} and for ${candidate} in term ${term}`);
    }
  }

  #spoke(group: GroupId, node: NodeId, term: Term): void {
    const key = `${group}/${node}`;
    const floor = this.#floors.get(key) ?? 0;
    if (term < floor) this.#complain(`group ${group}: ${node} spoke in term ${floor}, and after a restart in ${term}`);
    if (term > (this.#spoken.get(key) ?? 0)) this.#spoken.set(key, term);
  }
}

export interface AppliedEntry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly checksum: number;
}

/** One group's committed log as its state machines see it: the same entries everywhere, and the same state after each. */
export class LogChecker {
  readonly #complain: Complain;
  readonly #entries = new Map<LogIndex, AppliedEntry>();
  readonly #digests = new Map<LogIndex, { readonly digest: number; readonly node: NodeId }>();
  #last = 0 as LogIndex;
  #lastTerm = 0 as Term;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  /** The last entry that was applied anywhere. */
  get lastApplied(): LogIndex {
    return this.#last;
  }

  /** True if nobody has applied this entry before. */
  applying(node: NodeId, entry: AppliedEntry): boolean {
    const known = this.#entries.get(entry.index);
    if (known === undefined) {
      if (entry.index < this.#last) {
        this.#complain(`${node} applies ${entry.index}, which was not there when ${this.#last} was applied`);
      }
      if (entry.term < this.#lastTerm) this.#complain(`the term falls to ${entry.term} at ${entry.index}`);
      this.#entries.set(entry.index, entry);
      this.#last = entry.index;
      this.#lastTerm = entry.term;
      return true;
    }
    if (known.term !== entry.term || known.checksum !== entry.checksum) {
      this.#complain(`${node} applies another entry ${entry.index}: term ${entry.term} instead of ${known.term}`);
    }
    return false;
  }

  applied(node: NodeId, index: LogIndex, digest: number): void {
    const known = this.#digests.get(index);
    if (known === undefined) this.#digests.set(index, { digest, node });
    else if (known.digest !== digest) this.#complain(`${node} and ${known.node} differ after entry ${index}`);
  }

  /** A state came from a checkpoint taken at `index`, which may be that of an entry of Raft's own. */
  restored(node: NodeId, index: LogIndex, digest: number): void {
    for (let at = index; at > 0; at--) {
      if (!this.#digests.has(at)) continue;
      this.applied(node, at, digest);
      return;
    }
  }
}

/** Where a publish went, as told to its client or as it follows from the log. */
export type PublishOutcome =
  | { readonly kind: 'stored'; readonly seq: number }
  | { readonly kind: 'duplicate'; readonly seq: number }
  | { readonly kind: 'error'; readonly errCode: number };

/** Acknowledgements of one stream against what the committed log says of the same messages. */
export class PublishChecker {
  readonly #complain: Complain;
  readonly #committed = new Map<string, PublishOutcome[]>();
  readonly #refused = new Set<string>();
  readonly #sentAfter = new Map<string, number>();
  /** Highest sequence that any client was told of. */
  acknowledgedSeq = 0;
  acknowledgements = 0;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  sending(id: string): void {
    if (!this.#sentAfter.has(id)) this.#sentAfter.set(id, this.acknowledgedSeq);
  }

  /** The committed log holds this publish, once more perhaps, and this is what it led to. */
  committed(id: string, outcome: PublishOutcome): void {
    if (!this.#sentAfter.has(id)) this.#complain(`${id} is in the log, and nobody sent it`);
    if (this.#refused.has(id)) this.#complain(`${id} is in the log, and its publish was refused`);
    const known = this.#committed.get(id);
    if (known === undefined) this.#committed.set(id, [outcome]);
    else known.push(outcome);
  }

  acknowledged(id: string, outcome: PublishOutcome): void {
    this.acknowledgements++;
    const known = this.#committed.get(id) ?? [];
    if (!known.some((each) => sameOutcome(each, outcome))) {
      this.#complain(
        `${id} was answered by ${text(outcome)}, but the log says ${known.map(text).join(', ') || 'nothing'}`,
      );
    }
    if (outcome.kind !== 'stored') return;
    if (outcome.seq <= this.#sentAfter.get(id)!)
      this.#complain(`${id} was stored at ${outcome.seq}, before what was acked earlier`);
    this.acknowledgedSeq = Math.max(this.acknowledgedSeq, outcome.seq);
  }

  /** Certainly not proposed, and not sent again. */
  refused(id: string): void {
    if (this.#committed.has(id)) this.#complain(`${id} was refused, and is in the log`);
    this.#refused.add(id);
  }
}

function sameOutcome(a: PublishOutcome, b: PublishOutcome): boolean {
  if (a.kind === 'error' || b.kind === 'error') return a.kind === b.kind && text(a) === text(b);
  return a.kind === b.kind && a.seq === b.seq;
}

function text(outcome: PublishOutcome): string {
  return outcome.kind === 'error' ? `error ${outcome.errCode}` : `${outcome.kind} at ${outcome.seq}`;
}

/** Reads of a number that never falls, such as a stream's last sequence: none may miss what was known when it began. */
export class ReadChecker {
  readonly #complain: Complain;
  #known = 0;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  /** A client has been told of `value`. */
  knows(value: number): void {
    this.#known = Math.max(this.#known, value);
  }

  /** Begins a read; call the result with what it read. */
  begin(): (value: number) => void {
    const floor = this.#known;
    return (value) => {
      if (value < floor) this.#complain(`a read returned ${value}, and ${floor} was known before it began`);
      this.knows(value);
    };
  }
}

/** One stored message as a replica shows it. */
export interface ShownMessage {
  readonly seq: number;
  readonly timestampUs: number;
  readonly subject: string;
  readonly headers: string;
  readonly payload: string;
}

/** Everything one replica holds at the end, against what it should hold. */
export function checkContent(
  node: NodeId,
  shown: readonly ShownMessage[],
  expected: ReadonlyMap<number, Omit<ShownMessage, 'seq'>>,
  complain: Complain,
): void {
  const found = new Set<number>();
  let lastSeq = 0;
  let lastTimestampUs = 0;
  for (const { seq, timestampUs, ...content } of shown) {
    if (seq <= lastSeq) complain(`${node}: ${seq} comes after ${lastSeq}`);
    if (timestampUs < lastTimestampUs) complain(`${node}: time falls at ${seq}`);
    lastSeq = seq;
    lastTimestampUs = timestampUs;
    found.add(seq);
    const wanted = expected.get(seq);
    if (wanted === undefined) complain(`${node}: holds ${seq}, which should not be there`);
    else if (wanted.timestampUs !== timestampUs) complain(`${node}: ${seq} has another time`);
    else if (wanted.subject !== content.subject) complain(`${node}: ${seq} has subject ${content.subject}`);
    else if (wanted.headers !== content.headers || wanted.payload !== content.payload) {
      complain(`${node}: ${seq} has other bytes`);
    }
  }
  for (const seq of expected.keys()) {
    if (!found.has(seq)) complain(`${node}: ${seq} is missing`);
  }
}
