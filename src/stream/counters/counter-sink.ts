/**
 * Owns the way of publishes into the log of a counter stream. What is stored is the counter's new value, which depends on
 * everything before it; so there is one entry in flight at a time, made when all that this leader proposed before is
 * applied. Under load an entry carries what arrived while the one before it was under way.
 */
import type { Seq, TimestampUs } from '../../base/brand.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { GroupHandle } from '../../raft/index.ts';
import { CounterRound, type Plan, type PlannedMessage } from './counter-round.ts';
import { ENTRY_ATOMIC_BATCH } from '../entries/entry-format.ts';
import { LastCounters } from './last-counters.ts';
import { Proposer, type Publishes, type PublishSink } from '../publish/proposer.ts';
import type { PublishReplies } from '../publish/publish-replies.ts';
import type { ReplicatedState } from '../replicated-state.ts';
import { SplitSubmission } from '../publish/split-submission.ts';
import type { StreamReader, Submission, SubmissionException, SubmissionOutcome } from '../types.ts';

/** A round is planned in one go, so it is bounded by what takes a few milliseconds. */
const MAX_ROUND_MESSAGES = 1024;
const MAX_ROUND_BYTES = 512 * 1024;
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;

/** Publishes of a round that go to the log, and how to tell them. */
interface Prepared extends Submission {
  readonly planned: readonly PlannedMessage[];
}

export interface CounterSinkOptions {
  readonly proposer: Proposer;
  readonly group: GroupHandle;
  readonly runtime: Runtime;
  readonly replies: PublishReplies;
  readonly state: () => ReplicatedState;
  readonly read: StreamReader['read'];
}

export class CounterSink implements PublishSink {
  readonly #options: CounterSinkOptions;
  readonly #counters: LastCounters;
  #queue: Publishes[] = [];
  #queuedBytes = 0;
  /** An entry is in flight. */
  #isBusy = false;
  #isWaiting = false;

  constructor(options: CounterSinkOptions) {
    this.#options = options;
    this.#counters = new LastCounters({
      read: options.read,
      store: () => options.state().store,
      onReady: () => {
        this.#isWaiting = false;
        this.pump();
      },
    });
  }

  get isLeading(): boolean {
    return this.#options.proposer.isLeading;
  }

  submit(publishes: Publishes): void {
    const bytes = publishes.messages.length;
    if (!this.isLeading) publishes.settle({ kind: 'refused', reason: 'notLeader' });
    else if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > MAX_QUEUED_BYTES) {
      publishes.settle({ kind: 'refused', reason: 'overloaded' });
    } else {
      this.#queue.push(publishes);
      this.#queuedBytes += bytes;
      this.pump();
    }
  }

  /** Something was applied, or proposals are welcome: the next round may begin. */
  pump(): void {
    if (this.#queue.length === 0) return;
    if (!this.isLeading) {
      this.refuseAll();
      return;
    }
    const { group, proposer } = this.#options;
    while (this.#queue.length > 0 && !this.#isBusy && !this.#isWaiting) {
      if (!group.status.ready || !group.canPropose || !proposer.isSettled) return;
      this.#round();
    }
  }

  /** This node does not lead any longer: what waits was certainly not proposed. */
  refuseAll(): void {
    const queue = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    for (const publishes of queue) publishes.settle({ kind: 'refused', reason: 'notLeader' });
  }

  #round(): void {
    const { runtime, replies } = this.#options;
    const state = this.#options.state();
    const nowUs = Math.max(runtime.wallUs(), state.clockUs) as TimestampUs;
    const round = new CounterRound({ state, counters: this.#counters, replies, nowUs });
    const plans: Plan[] = [];
    for (const publishes of this.#nextPublishes()) {
      const plan = round.plan(publishes);
      if (plan === 'wait') {
        this.#isWaiting = true;
        return;
      }
      plans.push(plan);
    }
    this.#queue.splice(0, plans.length);
    for (const { publishes } of plans) this.#queuedBytes -= publishes.messages.length;
    const [first] = plans;
    if (first?.publishes.kind === ENTRY_ATOMIC_BATCH) this.#proposeAtomic(first);
    else this.#proposePlain(plans);
  }

  /** Those at the head of the queue that may share an entry; an atomic batch shares it with nobody. */
  #nextPublishes(): readonly Publishes[] {
    let bytes = 0;
    let count = 0;
    let taken = 0;
    for (const publishes of this.#queue) {
      bytes += publishes.messages.length;
      count += publishes.count;
      const full = bytes > MAX_ROUND_BYTES || count > MAX_ROUND_MESSAGES;
      const isAtomic = publishes.kind === ENTRY_ATOMIC_BATCH;
      if (taken > 0 && (full || isAtomic)) break;
      taken++;
      if (isAtomic) break;
    }
    return this.#queue.slice(0, taken);
  }

  #proposeAtomic({ publishes, messages }: Plan): void {
    const firstSeq = (this.#options.state().store.lastSeq + 1) as Seq;
    const [first] = messages;
    if (first?.kind === 'answered') {
      const exceptions = [{ ordinal: 0, stored: false, reply: first.reply }];
      publishes.settle({ kind: 'applied', firstSeq, exceptions });
      return;
    }
    const prepared: Prepared = { ...joined(messages), settle: publishes.settle.bind(publishes), planned: messages };
    this.#propose([prepared], publishes.kind);
  }

  #proposePlain(plans: readonly Plan[]): void {
    const prepared: Prepared[] = [];
    const closing: SplitSubmission[] = [];
    for (const { publishes, messages } of plans) {
      const split = new SplitSubmission(publishes, this.#options.replies);
      const ordinals: number[] = [];
      const planned: PlannedMessage[] = [];
      messages.forEach((message, ordinal) => {
        if (message.kind === 'answered') {
          split.answer(ordinal, message.reply);
          return;
        }
        ordinals.push(ordinal);
        planned.push(message);
      });
      if (planned.length > 0) prepared.push({ ...joined(planned), settle: split.part(ordinals), planned });
      closing.push(split);
    }
    if (prepared.length > 0) this.#propose(prepared, undefined);
    for (const split of closing) split.close();
  }

  /** Makes one entry of all that is prepared. */
  #propose(prepared: readonly Prepared[], kind: Publishes['kind']): void {
    this.#isBusy = true;
    this.#options.proposer.submit({
      messages: prepared.length === 1 ? prepared[0]!.messages : Buffer.concat(prepared.map(({ messages }) => messages)),
      count: prepared.reduce((sum, { count }) => sum + count, 0),
      ...(kind !== undefined && { kind }),
      settle: (outcome) => {
        this.#isBusy = false;
        if (outcome.kind !== 'applied') for (const each of prepared) each.settle(outcome);
        else
          Proposer.settle(
            prepared.map((each) => this.#withValues(each, kind)),
            outcome.firstSeq,
            outcome.exceptions,
          );
      },
    });
  }

  /** The same, told the new values along with the sequences; the commit of a batch is told no value. */
  #withValues(prepared: Prepared, kind: Publishes['kind']): Submission {
    return {
      ...prepared,
      settle: (outcome) => {
        const values = outcome.kind === 'applied' ? this.#values(prepared.planned, outcome) : [];
        if (outcome.kind !== 'applied' || kind !== undefined) prepared.settle(outcome);
        else prepared.settle({ ...outcome, exceptions: values });
      },
    };
  }

  #values(
    planned: readonly PlannedMessage[],
    { firstSeq, exceptions }: Extract<SubmissionOutcome, { readonly kind: 'applied' }>,
  ): SubmissionException[] {
    const { replies } = this.#options;
    let seq: number = firstSeq;
    let next = 0;
    return planned.map((message, ordinal) => {
      const exception = exceptions[next];
      if (exception?.ordinal === ordinal) {
        next++;
        return exception;
      }
      const { subject, total, counter } = message as Extract<PlannedMessage, { readonly kind: 'counted' }>;
      if (counter !== undefined) this.#counters.remember(subject, seq, counter);
      return { ordinal, stored: true, reply: replies.counter(seq++, String(total)) };
    });
  }
}

function joined(planned: readonly PlannedMessage[]): { messages: Buffer; count: number } {
  const parts = planned.flatMap((message) => (message.kind === 'answered' ? [] : [message.stored]));
  return { messages: Buffer.concat(parts), count: parts.length };
}
