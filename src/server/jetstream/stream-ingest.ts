/**
 * Owns a stream's publishes on the node where they arrive: gathers those of one turn into a submission, brings it to the
 * stream's leader wherever that is, parks it while there is none, and answers the publishers.
 *
 * Order: a connection's publishes to one stream keep theirs. So submissions leave in the order in which they were filled,
 * and when one comes back refused, or the leader changed, nothing more leaves until all that is under way has been
 * answered; refused ones then go again before anything newer.
 */
import type { NodeId } from '../../base/brand.ts';
import type { Runtime, Timer } from '../../base/runtime.ts';
import type { SubmissionOutcome } from '../../stream/index.ts';
import type { CaptureHandler, Publication, Publisher, Router } from '../router-types.ts';
import { OpenSubmission } from './open-submission.ts';
import type { PublishAckWriter } from './publish-ack.ts';

/** A submission is sent on when it reached this size, even within a turn. */
const MAX_SUBMISSION_BYTES = 1024 * 1024;
/** Publishes of one stream on one node that are not answered yet: above it, its publishers are not read any more. */
const PAUSE_AT_BYTES = 16 * 1024 * 1024;
const RESUME_AT_BYTES = PAUSE_AT_BYTES / 2;
/** How long a publish waits for a leader: one election with room to spare, well below a client's patience. */
const PARKING_MS = 2_500;
/** Settled submissions kept for reuse: one fills while another is on its way, and one is being answered. */
const MAX_SPARE_SUBMISSIONS = 3;
/** While publishes wait, how often their time is checked and a refused one is tried again. */
const PARKING_CHECK_MS = 20;

/** The way to the leader: on this node, or over the traffic link. */
export interface SubmissionPort {
  leader(): NodeId | undefined;
  /** Takes the submission to `leader`; `settle` is called once, maybe at once, in order of sending. */
  submit(leader: NodeId, submission: OpenSubmission, settle: (outcome: SubmissionOutcome) => void): void;
}

interface PendingSubmission {
  readonly submission: OpenSubmission;
  readonly bytes: number;
  readonly deadlineMs: number;
}

interface Barrier {
  readonly left: Set<PendingSubmission>;
  readonly passed: () => void;
}

export class StreamIngest implements CaptureHandler {
  readonly #runtime: Runtime;
  readonly #router: Router;
  readonly #port: SubmissionPort;
  readonly #acks: PublishAckWriter;
  #keepReplies: boolean;
  #open: OpenSubmission | undefined;
  readonly #spare: OpenSubmission[] = [];
  #flushScheduled = false;
  /** Filled and waiting to leave, oldest first. */
  #parked: PendingSubmission[] = [];
  /** Sent and not answered, oldest first. */
  readonly #underWay = new Set<PendingSubmission>();
  /** Came back refused; goes again once nothing is under way and the leader had time to become one. */
  #refused: PendingSubmission[] = [];
  #holding = false;
  #sentTo: NodeId | undefined;
  #unsettledBytes = 0;
  readonly #paused = new Set<Publisher>();
  #parkingTimer: Timer | undefined;
  /** Whoever waits for publishes to be settled, and for which. */
  readonly #barriers = new Set<Barrier>();
  #closed = false;

  constructor(options: {
    readonly runtime: Runtime;
    readonly router: Router;
    readonly port: SubmissionPort;
    readonly acks: PublishAckWriter;
    readonly noAck: boolean;
  }) {
    this.#runtime = options.runtime;
    this.#router = options.router;
    this.#port = options.port;
    this.#acks = options.acks;
    this.#keepReplies = !options.noAck;
  }

  setNoAck(noAck: boolean): void {
    this.#keepReplies = !noAck;
  }

  capture(publication: Publication, publisher: Publisher): boolean {
    if (this.#closed) return false;
    const open = (this.#open ??= this.#spare.pop() ?? new OpenSubmission());
    const before = open.bytes;
    open.add(publication, publisher, this.#keepReplies);
    this.#unsettledBytes += open.bytes - before;
    if (this.#unsettledBytes > PAUSE_AT_BYTES && !this.#paused.has(publisher)) {
      this.#paused.add(publisher);
      publisher.pause();
    }
    if (open.bytes >= MAX_SUBMISSION_BYTES) {
      this.#closeOpen();
      this.#dispatch();
    } else if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      this.#runtime.defer(() => {
        this.#flushScheduled = false;
        this.#closeOpen();
        this.#dispatch();
      });
    }
    return true;
  }

  /** The stream's leader, or what this node knows of it, changed. */
  leaderChanged(): void {
    this.#holding = false;
    this.#dispatch();
  }

  /** Resolves once all that was captured before the call is stored, or certainly is not, or nobody can say. */
  settled(): Promise<void> {
    this.#closeOpen();
    this.#dispatch();
    const left = new Set([...this.#parked, ...this.#refused, ...this.#underWay]);
    if (left.size === 0) return Promise.resolve();
    return new Promise((passed) => {
      this.#barriers.add({ left, passed });
    });
  }

  /** The stream is gone: whoever still waits gets what a publish without a stream gets. */
  close(): void {
    this.#closed = true;
    this.#parkingTimer?.cancel();
    this.#closeOpen();
    for (const pending of [...this.#refused, ...this.#parked]) this.#giveUp(pending);
    this.#refused = [];
    this.#parked = [];
  }

  #closeOpen(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    const deadlineMs = this.#runtime.monotonicMs() + PARKING_MS;
    this.#parked.push({ submission: open, bytes: open.bytes, deadlineMs });
  }

  #dispatch(): void {
    if (this.#holding) return;
    if (this.#refused.length > 0) {
      if (this.#underWay.size > 0) return;
      this.#parked = [...this.#refused, ...this.#parked];
      this.#refused = [];
    }
    if (this.#parked.length === 0) return;
    const leader = this.#port.leader();
    const orderAtRisk = leader !== this.#sentTo && this.#underWay.size > 0;
    if (leader === undefined || orderAtRisk) {
      this.#watchParking();
      return;
    }
    this.#sentTo = leader;
    const leaving = this.#parked;
    this.#parked = [];
    for (const pending of leaving) this.#send(leader, pending);
  }

  #send(leader: NodeId, pending: PendingSubmission): void {
    this.#underWay.add(pending);
    this.#port.submit(leader, pending.submission, (outcome) => {
      this.#settle(pending, outcome);
    });
  }

  #settle(pending: PendingSubmission, outcome: SubmissionOutcome): void {
    if (!this.#underWay.delete(pending)) return;
    switch (outcome.kind) {
      case 'applied':
        this.#acks.write(pending.submission, outcome);
        this.#release(pending);
        break;
      case 'unknown':
        this.#release(pending);
        break;
      case 'refused':
        this.#refuse(pending);
        break;
    }
    if (this.#underWay.size === 0 && this.#parked.length + this.#refused.length > 0) this.#dispatch();
  }

  #refuse(pending: PendingSubmission): void {
    if (this.#closed || this.#runtime.monotonicMs() >= pending.deadlineMs) {
      this.#giveUp(pending);
      return;
    }
    this.#refused.push(pending);
    this.#holding = true;
    this.#watchParking();
  }

  #watchParking(): void {
    if (this.#parkingTimer !== undefined) return;
    this.#parkingTimer = this.#runtime.after(PARKING_CHECK_MS, () => {
      this.#parkingTimer = undefined;
      this.#expireParked();
      this.#holding = false;
      this.#dispatch();
      if (this.#parked.length + this.#refused.length > 0) this.#watchParking();
    });
  }

  #expireParked(): void {
    const now = this.#runtime.monotonicMs();
    const expired = (pending: PendingSubmission): boolean => now >= pending.deadlineMs;
    const given = [...this.#refused.filter(expired), ...this.#parked.filter(expired)];
    this.#refused = this.#refused.filter((pending) => !expired(pending));
    this.#parked = this.#parked.filter((pending) => !expired(pending));
    for (const pending of given) this.#giveUp(pending);
  }

  /** Certainly not stored: every publisher that asked for a reply learns that nobody took it. */
  #giveUp(pending: PendingSubmission): void {
    const { submission } = pending;
    for (let ordinal = 0; ordinal < submission.count; ordinal++) {
      const start = submission.replyStart(ordinal);
      const end = submission.replyEnd(ordinal);
      if (end === start) continue;
      const reply = submission.replies.toString('latin1', start, end);
      this.#router.noResponders(submission.publisherOf(ordinal), submission.subjectOf(ordinal), reply);
    }
    this.#router.flushSoon();
    this.#release(pending);
  }

  #release(pending: PendingSubmission): void {
    this.#unsettledBytes -= pending.bytes;
    for (const barrier of this.#barriers) this.#comeThrough(barrier, pending);
    pending.submission.reset();
    if (this.#spare.length < MAX_SPARE_SUBMISSIONS) this.#spare.push(pending.submission);
    if (this.#unsettledBytes > RESUME_AT_BYTES || this.#paused.size === 0) return;
    const resuming = [...this.#paused];
    this.#paused.clear();
    for (const publisher of resuming) publisher.resume();
  }

  #comeThrough(barrier: Barrier, pending: PendingSubmission): void {
    if (!barrier.left.delete(pending) || barrier.left.size > 0) return;
    this.#barriers.delete(barrier);
    barrier.passed();
  }
}
