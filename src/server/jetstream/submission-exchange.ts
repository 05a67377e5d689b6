/**
 * Owns the way of submissions between nodes: out to the leader of their stream, in from nodes whose clients published to
 * a stream led here, and the outcomes back.
 */
import type { NodeId } from '../../base/brand.ts';
import { TRAFFIC, type ClusterNode } from '../../cluster/index.ts';
import type { GroupId, LogIndex } from '../../raft/index.ts';
import type { StreamInstance, SubmissionOutcome } from '../../stream/index.ts';
import type { OpenSubmission } from './open-submission.ts';
import type { ToldProgress } from './told-progress.ts';
import type { SubmissionPort } from './stream-ingest.ts';
import { decodeOutcome, decodeSubmission, encodeOutcome, encodeSubmission } from './submission-frames.ts';

/** What is waiting on a link before publishes are held at their source. */
const MAX_LINK_BYTES = 32 * 1024 * 1024;
const REFUSED: SubmissionOutcome = { kind: 'refused', reason: 'notLeader' };
const OVERLOADED: SubmissionOutcome = { kind: 'refused', reason: 'overloaded' };
const UNKNOWN: SubmissionOutcome = { kind: 'unknown' };

type Settle = (outcome: SubmissionOutcome) => void;

export class SubmissionExchange {
  readonly #cluster: ClusterNode;
  readonly #localStream: (group: GroupId) => StreamInstance | undefined;
  readonly #told: ToldProgress;
  readonly #outstanding = new Map<NodeId, Map<number, Settle>>();
  #lastId = 0;

  constructor(options: {
    readonly cluster: ClusterNode;
    readonly localStream: (group: GroupId) => StreamInstance | undefined;
    readonly told: ToldProgress;
  }) {
    const { cluster } = options;
    this.#cluster = cluster;
    this.#localStream = options.localStream;
    this.#told = options.told;
    cluster.onTraffic(TRAFFIC.submissions, (from, frame) => {
      this.#receiveSubmission(from, frame);
    });
    cluster.onTraffic(TRAFFIC.submissionOutcomes, (from, frame) => {
      this.#receiveOutcome(from, frame);
    });
    cluster.onInterestLost((node) => {
      this.#linkBroke(node);
    });
  }

  portFor(group: GroupId): SubmissionPort {
    return {
      leader: () => this.#cluster.leaderOf(group),
      submit: (leader, submission, settle) => {
        if (leader === this.#cluster.node) this.#submitHere(group, submission, settle);
        else this.#submitThere(leader, group, submission, settle);
      },
    };
  }

  #submitHere(group: GroupId, submission: OpenSubmission, settle: Settle): void {
    const stream = this.#localStream(group);
    if (stream === undefined) settle(REFUSED);
    else {
      const { messages, count, batchReplies } = submission;
      stream.submit({ messages, count, batchReplies, settle });
    }
  }

  #submitThere(leader: NodeId, group: GroupId, submission: OpenSubmission, settle: Settle): void {
    if (this.#cluster.pendingTraffic(leader) > MAX_LINK_BYTES) {
      settle(OVERLOADED);
      return;
    }
    const id = (this.#lastId = (this.#lastId + 1) >>> 0);
    const { count, messages, batchReplies = [] } = submission;
    const frame = encodeSubmission({ group, id, count, messages, batchReplies });
    if (!this.#cluster.send(leader, TRAFFIC.submissions, frame)) {
      settle(REFUSED);
      return;
    }
    let waiting = this.#outstanding.get(leader);
    if (waiting === undefined) this.#outstanding.set(leader, (waiting = new Map<number, Settle>()));
    waiting.set(id, settle);
  }

  #receiveSubmission(from: NodeId, frame: Buffer): void {
    const submission = decodeSubmission(frame);
    if (submission === undefined) return;
    const { group, id, messages, count } = submission;
    const batchReplies = submission.batchReplies.length === 0 ? undefined : submission.batchReplies;
    const stream = this.#localStream(group);
    const settle = (outcome: SubmissionOutcome): void => {
      const appliedIndex = stream?.appliedIndex ?? (0 as LogIndex);
      this.#cluster.send(from, TRAFFIC.submissionOutcomes, encodeOutcome({ group, id, outcome, appliedIndex }));
    };
    if (stream === undefined) settle(REFUSED);
    else stream.submit({ messages, count, batchReplies, settle });
  }

  #receiveOutcome(from: NodeId, frame: Buffer): void {
    const decoded = decodeOutcome(frame);
    if (decoded === undefined) return;
    const waiting = this.#outstanding.get(from);
    const settle = waiting?.get(decoded.id);
    if (settle === undefined) return;
    waiting?.delete(decoded.id);
    if (decoded.outcome.kind === 'applied') this.#told.note(decoded.group, decoded.appliedIndex);
    settle(decoded.outcome);
  }

  /** What was under way may or may not have reached the log: nobody can answer for it. */
  #linkBroke(node: NodeId): void {
    const waiting = this.#outstanding.get(node);
    if (waiting === undefined) return;
    this.#outstanding.delete(node);
    for (const settle of waiting.values()) settle(UNKNOWN);
  }
}
