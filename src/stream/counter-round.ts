/**
 * Owns what becomes of the publishes that share a counter stream's next entry. Each is checked as it will be when the
 * entry is applied, and gets the value that follows from the applied state and from those before it. Nothing is told to
 * anybody meanwhile, for a round that must wait for the disk is begun anew.
 */
import { COUNTER_BROKEN, MESSAGE_TOO_LARGE, type ApiError } from '../base/api-errors.ts';
import type { TimestampUs } from '../base/brand.ts';
import { BatchStage } from './batch-stage.ts';
import {
  addCounts,
  COUNTER_SOURCES_HEADER,
  counterPayload,
  parseCount,
  readCounter,
  sourcesText,
  type Count,
  type Counter,
} from './counter-value.ts';
import type { LastCounters } from './last-counters.ts';
import { ENTRY_ATOMIC_BATCH, ENTRY_PREFIX_BATCH } from './entry-format.ts';
import { MessageDraft } from './message-draft.ts';
import { emptyMessageView, readMessage } from './message-format.ts';
import type { Publishes } from './proposer.ts';
import { PublishChecks } from './publish-checks.ts';
import { INCREMENT, MSG_ID } from './publish-headers.ts';
import type { PublishReplies } from './publish-replies.ts';
import type { ReplicatedState } from './replicated-state.ts';

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
  /** The id is that of an earlier message of the round: it goes along, to be told where that one was stored. */
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
    const id = draft.honoured.text(MSG_ID);
    const checksIds = id !== '' && this.#state.config.duplicateWindowMs > 0;
    if (stage === undefined && checksIds && this.#ids.has(id)) return { kind: 'repeated', stored: draft.toStored() };
    const verdict = stage === undefined ? this.#checks.check(view, 0) : this.#checks.checkMember(view, 0, stage);
    if (typeof verdict === 'number')
      return { kind: 'answered', isRefused: false, reply: this.#replies.duplicate(verdict) };
    if (verdict !== undefined) return this.#refused(verdict);
    const subject = draft.subject.toString('latin1');
    const last = this.#totals.get(subject) ?? this.#counters.find(draft.subject, subject);
    if (last === 'wait') return 'wait';
    if (last === 'broken') return this.#refused(COUNTER_BROKEN);
    const total = addCounts(last.total, parseCount(draft.honoured.text(INCREMENT))!);
    if (last.sources !== undefined) draft.setHeader(COUNTER_SOURCES_HEADER, sourcesText(last.sources));
    draft.payload = counterPayload(total);
    const { maxMsgSize } = this.#state.config;
    const isTooLarge = maxMsgSize >= 0 && draft.headers.length + draft.payload.length > maxMsgSize;
    if (isTooLarge) return this.#refused(MESSAGE_TOO_LARGE);
    if (checksIds) this.#ids.add(id);
    // Where no source has a share, a client may claim one, as with the reference server.
    const claimed = last.sources === undefined ? draft.header(COUNTER_SOURCES_HEADER) : undefined;
    const counter = claimed === undefined ? { total, sources: last.sources } : readCounter(draft.payload, claimed);
    this.#totals.set(subject, counter ?? 'broken');
    return { kind: 'counted', stored: draft.toStored(), subject, total, counter };
  }

  #refused(error: ApiError): PlannedMessage {
    return { kind: 'answered', isRefused: true, reply: this.#replies.error(error) };
  }
}
