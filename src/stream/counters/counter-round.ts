/**
 * Owns what becomes of the publishes that share a counter stream's next entry. Each is checked as it will be when the
 * entry is applied, and gets the value that follows from the applied state and from those before it. Nothing is told to
 * anybody meanwhile, for a round that must wait for the disk is begun anew.
 */
import { COUNTER_BROKEN, MESSAGE_TOO_LARGE, type ApiError } from '../../base/api-errors.ts';
import type { TimestampUs } from '../../base/brand.ts';
import { BatchStage } from '../batches/batch-stage.ts';
import { addIncrement, takeTotal } from './counter-step.ts';
import type { Count, Counter } from './counter-value.ts';
import type { LastCounters } from './last-counters.ts';
import { ENTRY_ATOMIC_BATCH, ENTRY_PREFIX_BATCH } from '../entries/entry-format.ts';
import { MessageDraft } from '../messages/message-draft.ts';
import { emptyMessageView, isSourced, readMessage } from '../messages/message-format.ts';
import type { Publishes } from '../publish/proposer.ts';
import { PublishChecks } from '../publish/publish-checks.ts';
import { MSG_ID, STREAM_SOURCE } from '../messages/publish-headers.ts';
import type { PublishReplies } from '../publish/publish-replies.ts';
import type { ReplicatedState } from '../replicated-state.ts';
import { parseProvenance, SourcePositions, type Provenance } from '../source-positions.ts';

/** What a message of a source is stripped to if it is not to be stored (see publish-checks.ts). */
const NO_VALUE = Buffer.alloc(0);

/** A message as it is proposed, or how it is answered at once. */
export type PlannedMessage =
  | {
      readonly kind: 'counted';
      readonly stored: Buffer;
      readonly subject: string;
      readonly total: Count;
      /** Undefined: nothing can be added to it. */
      readonly counter: Counter | undefined;
    }
  /**
   * The id is that of an earlier message of the round: it goes along, to be told where that one was stored. A message of a
   * source that is not to be stored goes along as well, for the stream is to go on behind it.
   */
  | { readonly kind: 'repeated'; readonly stored: Buffer }
  | { readonly kind: 'answered'; readonly isRefused: boolean; readonly reply: string };

export interface Plan {
  readonly publishes: Publishes;
  readonly messages: readonly PlannedMessage[];
}

export class CounterRound {
  readonly #state: ReplicatedState;
  readonly #checks: PublishChecks;
  readonly #counters: LastCounters;
  readonly #replies: PublishReplies;
  readonly #view = emptyMessageView();
  readonly #draft = new MessageDraft();
  /** What counters stand at behind the messages planned so far. */
  readonly #totals = new Map<string, Counter | 'broken'>();
  readonly #ids = new Set<string>();
  /** How far the messages planned so far take their sources. */
  readonly #taken = new SourcePositions();

  constructor(options: {
    readonly state: ReplicatedState;
    readonly counters: LastCounters;
    readonly replies: PublishReplies;
    readonly nowUs: TimestampUs;
  }) {
    this.#state = options.state;
    this.#counters = options.counters;
    this.#replies = options.replies;
    const idsAfterUs = options.nowUs - options.state.config.duplicateWindowMs * 1000;
    this.#checks = new PublishChecks(options.state, { idsAfterUs });
  }

  /** `wait`: a value that it needs is on its way from disk. An atomic batch that is refused has one message answered. */
  plan(publishes: Publishes): Plan | 'wait' {
    const stage = publishes.kind === ENTRY_ATOMIC_BATCH ? new BatchStage() : undefined;
    let broken: PlannedMessage | undefined;
    const planned: PlannedMessage[] = [];
    const { messages, count } = publishes;
    for (let i = 0, at = 0; i < count; i++, at = this.#view.end) {
      readMessage(messages, at, messages.length, this.#view);
      const message = broken ?? this.#planMessage(stage);
      if (message === 'wait') return 'wait';
      if (publishes.kind === ENTRY_PREFIX_BATCH && message.kind === 'answered' && message.isRefused) broken = message;
      if (stage !== undefined && message.kind === 'answered') return { publishes, messages: [message] };
      planned.push(message);
    }
    return { publishes, messages: planned };
  }

  #planMessage(stage: BatchStage | undefined): PlannedMessage | 'wait' {
    const view = this.#view;
    const draft = this.#draft;
    draft.load(view);
    if (isSourced(view)) return this.#planSourced();
    const id = this.#idOfDraft();
    if (stage === undefined && this.#ids.has(id)) return { kind: 'repeated', stored: draft.toStored() };
    const verdict = stage === undefined ? this.#checks.check(view, 0) : this.#checks.checkMember(view, 0, stage);
    if (typeof verdict === 'number')
      return { kind: 'answered', isRefused: false, reply: this.#replies.duplicate(verdict) };
    if (verdict !== undefined) return this.#refused(verdict);
    const message = this.#count(id, undefined);
    return message === 'wait' || 'kind' in message ? message : this.#refused(message);
  }

  /** Every message of a source counts once; whatever is refused, those of that source behind it are refused as well. */
  #planSourced(): PlannedMessage | 'wait' {
    const draft = this.#draft;
    const verdict = this.#checks.check(this.#view, 0);
    if (verdict === 0) return { kind: 'answered', isRefused: false, reply: this.#replies.duplicate(verdict) };
    if (typeof verdict === 'object') return this.#refused(verdict);
    const from = parseProvenance(draft.honoured.text(STREAM_SOURCE))!;
    const id = this.#idOfDraft();
    if (verdict !== undefined || this.#ids.has(id) || this.#taken.isKnown(from)) {
      this.#taken.advance(from);
      draft.payload = NO_VALUE;
      return { kind: 'repeated', stored: draft.toStored() };
    }
    const message = this.#count(id, from);
    if (message === 'wait') return 'wait';
    if ('kind' in message) {
      this.#taken.advance(from);
      return message;
    }
    this.#checks.holdSource(from.index);
    return this.#refused(message);
  }

  /** Counts the message in the draft, or says why it can't be. */
  #count(id: string, from: Provenance | undefined): PlannedMessage | 'wait' | ApiError {
    const draft = this.#draft;
    const subject = draft.subject.toString('latin1');
    const last = this.#totals.get(subject) ?? this.#counters.find(draft.subject, subject);
    if (last === 'wait') return 'wait';
    if (last === 'broken') return COUNTER_BROKEN;
    const step = from === undefined ? addIncrement(draft, last) : takeTotal(draft, last, from);
    if (step === undefined) return COUNTER_BROKEN;
    const { maxMsgSize } = this.#state.config;
    if (maxMsgSize >= 0 && draft.headers.length + draft.payload.length > maxMsgSize) return MESSAGE_TOO_LARGE;
    if (id !== '') this.#ids.add(id);
    this.#totals.set(subject, step.counter ?? 'broken');
    return { kind: 'counted', stored: draft.toStored(), subject, ...step };
  }

  /** Empty: there is none that the stream looks at. */
  #idOfDraft(): string {
    return this.#state.config.duplicateWindowMs > 0 ? this.#draft.honoured.text(MSG_ID) : '';
  }

  #refused(error: ApiError): PlannedMessage {
    return { kind: 'answered', isRefused: true, reply: this.#replies.error(error) };
  }
}
