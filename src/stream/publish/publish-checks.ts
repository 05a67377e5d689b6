/**
 * Owns the decision whether a publish is stored: the checks of streams.md 5.4, in the order in which the reference server
 * checks an unreplicated stream, whatever the number of replicas.
 *
 * Differs from the reference server on replicated streams, which check some things before and some after replication and
 * therefore in another order: there a duplicate beats wrong expectations, a full stream refuses to replace messages of a
 * full subject, and what is under way is answered with 10158 and 10164. Here all checks run when the entry is applied, so
 * nothing is ever under way.
 */
import {
  ATOMIC_DUPLICATE_ID,
  ATOMIC_PUBLISH_DISABLED,
  atomicHeaderUnsupported,
  COUNTER_INCREMENT_INVALID,
  COUNTER_INCREMENT_MISSING,
  COUNTER_WITH_PAYLOAD,
  COUNTERS_DISABLED,
  EXPECTED_STREAM_MISMATCH,
  HEADERS_TOO_LARGE,
  INVALID_MESSAGE_TTL,
  MESSAGE_TOO_LARGE,
  MESSAGE_TTL_DISABLED,
  MISSING_EXPECTED_SEQUENCE,
  rollupFailed,
  STREAM_SEALED,
  STREAM_SOURCE_FORBIDDEN,
  storeFailed,
  wrongLastMsgId,
  WRONG_LAST_SEQUENCE,
  wrongLastSequence,
  type ApiError,
} from '../../base/api-errors.ts';
import type { BatchStage } from '../batches/batch-stage.ts';
import { isSourced, type MessageView } from '../messages/message-format.ts';
import { messageTtl, NO_TTL } from '../expiry/message-ttl.ts';
import {
  BATCH_ID,
  EXPECTED_LAST_MSG_ID,
  EXPECTED_LAST_SEQUENCE,
  EXPECTED_LAST_SUBJECT_SEQUENCE,
  EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT,
  EXPECTED_STREAM,
  INCREMENT,
  MSG_ID,
  PublishHeaders,
  ROLLUP,
  SCHEDULE,
  SCHEDULE_NEXT,
  SCHEDULER,
  STREAM_SOURCE,
  TTL,
} from '../messages/publish-headers.ts';
import type { ReplicatedState } from '../replicated-state.ts';
import { checkSchedule, checkScheduler, lastSchedule, PURGE_SCHEDULE } from '../schedules/schedule-checks.ts';
import { parseProvenance } from '../source-positions.ts';
import { subjectFilter } from '../store/subject-filter.ts';
import { lastSeqOf } from '../store/store-queries.ts';

const MAX_HEADERS_BYTES = 65_535;
/** Nobody is told: whoever sends for a source begins again where the first refusal was. */
const SOURCE_HELD = storeFailed('an earlier message of the source was refused');
const EXPECTED_LAST_MSG_ID_UNSUPPORTED = atomicHeaderUnsupported('Nats-Expected-Last-Msg-Id');

const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
/** What would have to be true of a counter that nobody but its stream knows. */
const NOT_FOR_COUNTERS = [
  ROLLUP,
  EXPECTED_STREAM,
  EXPECTED_LAST_MSG_ID,
  EXPECTED_LAST_SEQUENCE,
  EXPECTED_LAST_SUBJECT_SEQUENCE,
  EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT,
];

export type Rollup = 'none' | 'subject' | 'all';
/** `undefined`: store it. A number: it is a duplicate of that sequence. */
export type Verdict = ApiError | number | undefined;

export class PublishChecks {
  readonly headers = new PublishHeaders();
  /** What the message just checked asks for. */
  rollup: Rollup = 'none';
  /** How long it is to live (see message-ttl.ts). */
  ttl = NO_TTL;
  isSchedule = false;
  readonly #state: ReplicatedState;
  readonly #beforeLog: { readonly idsAfterUs: number } | undefined;
  /** Sources that were refused a message in this entry. */
  readonly #heldSources = new Set<string>();
  /** While a message of an atomic batch is checked: those before it. */
  #stage: BatchStage | undefined;

  /** What comes before the log is judged by ids stored after `idsAfterUs`, and counters have no value yet. */
  constructor(state: ReplicatedState, beforeLog?: { readonly idsAfterUs: number }) {
    this.#state = state;
    this.#beforeLog = beforeLog;
  }

  /** Judges the message in `view`, which would count for `size` bytes. */
  check(view: MessageView, size: number): Verdict {
    const { config } = this.#state;
    this.#forget();
    if (config.sealed) return STREAM_SEALED;
    if (isSourced(view)) return this.#checkSourced(view, size);
    if (config.maxMsgSize >= 0 && view.end - view.headersStart > config.maxMsgSize) return MESSAGE_TOO_LARGE;
    const headersBytes = view.payloadStart - view.headersStart;
    if (headersBytes > 0) {
      this.headers.scan(view.buffer, view.headersStart, view.payloadStart);
      const verdict = this.#checkHeaders(view, headersBytes);
      if (verdict !== undefined) return verdict;
    }
    if (config.allowMsgCounter && !this.#counts(view)) return COUNTER_INCREMENT_MISSING;
    return config.discard === 'new' ? this.#checkDiscardNew(view, size) : undefined;
  }

  /** An entry begins: sources that were refused something before try again. */
  beginEntry(): void {
    if (this.#heldSources.size > 0) this.#heldSources.clear();
  }

  /**
   * A message of a source asks for nothing but to be stored once, and in its order: what follows one that is refused is
   * refused as well, so that the source can go on from there. Before the log, nothing is passed by: the log does that.
   */
  #checkSourced(view: MessageView, size: number): Verdict {
    const { headers } = this;
    const { config, sources } = this.#state;
    this.trust(view);
    const provenance = parseProvenance(headers.text(STREAM_SOURCE));
    if (provenance === undefined) return STREAM_SOURCE_FORBIDDEN;
    if (sources.isKnown(provenance)) return 0;
    const { index } = provenance;
    if (this.#heldSources.has(index)) return SOURCE_HELD;
    const original = headers.has(MSG_ID) && config.duplicateWindowMs > 0 ? this.#findId() : 0;
    const isInLog = this.#beforeLog === undefined;
    if (original !== 0 || (isInLog && config.allowMsgCounter && isPassedBy(view))) {
      if (isInLog) sources.advance(provenance);
      return original;
    }
    if (headers.has(ROLLUP) && config.allowRollupHdrs && !config.denyPurge) this.#checkRollup(view);
    const refusal = this.#refuseSourced(view, size);
    if (refusal !== undefined) this.holdSource(index);
    return refusal;
  }

  /** A mirrored message is stored as it comes, unless the mirror's own limits are against it. */
  checkMirrored(view: MessageView, size: number): ApiError | undefined {
    const { config } = this.#state;
    this.trust(view);
    if (config.sealed) return STREAM_SEALED;
    if (this.headers.has(ROLLUP) && config.allowRollupHdrs && !config.denyPurge) this.#checkRollup(view);
    return this.#refuseSourced(view, size);
  }

  #refuseSourced(view: MessageView, size: number): ApiError | undefined {
    const { headers } = this;
    const { config } = this.#state;
    if (config.allowMsgCounter) {
      if (!headers.has(INCREMENT)) return COUNTER_INCREMENT_MISSING;
      if (!isIncrement(headers) || headers.has(ROLLUP)) return COUNTER_INCREMENT_INVALID;
    }
    if (config.maxMsgSize >= 0 && view.end - view.headersStart > config.maxMsgSize) return MESSAGE_TOO_LARGE;
    return config.discard === 'new' ? this.#checkDiscardNew(view, size) : undefined;
  }

  /** A message of the source is refused: no other of its messages is stored in this entry. */
  holdSource(index: string): void {
    this.#heldSources.add(index);
  }

  /** Judges a message of an atomic batch behind those in `stage`, and adds it to them. */
  checkMember(view: MessageView, size: number, stage: BatchStage): ApiError | undefined {
    this.#stage = stage;
    const verdict = this.check(view, size);
    this.#stage = undefined;
    if (typeof verdict === 'number') return ATOMIC_DUPLICATE_ID;
    if (verdict === undefined) stage.add(view, size);
    return verdict;
  }

  /** Takes in the headers of a message that was found good with its batch. */
  admit(view: MessageView): void {
    this.trust(view);
    if (this.headers.has(ROLLUP)) this.#checkRollup(view);
    if (this.isSchedule) this.rollup = 'subject';
  }

  /** Takes in the headers of a message that is stored in any case, and removes no others. */
  trust(view: MessageView): void {
    this.#forget();
    const { headers } = this;
    const { config } = this.#state;
    if (view.payloadStart > view.headersStart) headers.scan(view.buffer, view.headersStart, view.payloadStart);
    if (config.allowMsgTtl && headers.has(TTL)) this.ttl = messageTtl(headers, TTL) ?? NO_TTL;
    this.isSchedule = config.allowMsgSchedules && headers.has(SCHEDULE);
  }

  /** The same for a message that the stream made itself. */
  trustProduced(view: MessageView): void {
    this.trust(view);
    if (this.headers.has(ROLLUP)) this.rollup = 'subject';
  }

  /** The schedule that goes with the message; 0: none. */
  get endedSchedule(): number {
    const { headers } = this;
    if (!headers.has(SCHEDULER) || headers.text(SCHEDULE_NEXT) !== PURGE_SCHEDULE) return 0;
    return lastSchedule(headers.text(SCHEDULER), this.#state);
  }

  #forget(): void {
    this.rollup = 'none';
    this.ttl = NO_TTL;
    this.isSchedule = false;
    this.headers.clear();
  }

  #checkHeaders(view: MessageView, headersBytes: number): Verdict {
    const { headers } = this;
    const stage = this.#stage;
    if (stage === undefined && headers.has(BATCH_ID)) return ATOMIC_PUBLISH_DISABLED;
    if (stage !== undefined && headers.has(EXPECTED_LAST_MSG_ID)) return EXPECTED_LAST_MSG_ID_UNSUPPORTED;
    if (headersBytes > MAX_HEADERS_BYTES) return HEADERS_TOO_LARGE;
    if (!headers.any) return undefined;
    const { config } = this.#state;
    const counterRefusal = headers.has(INCREMENT) ? this.#checkIncrement(view) : undefined;
    if (counterRefusal !== undefined) return counterRefusal;
    if (headers.has(EXPECTED_STREAM) && headers.text(EXPECTED_STREAM) !== config.name) return EXPECTED_STREAM_MISMATCH;
    const ttl = headers.has(TTL) ? messageTtl(headers, TTL) : NO_TTL;
    if (ttl !== undefined && ttl !== NO_TTL && !config.allowMsgTtl) return MESSAGE_TTL_DISABLED;
    const verdict = this.#checkSequences(view) ?? this.#checkPurpose(view) ?? this.#checkIds();
    if (verdict !== undefined) return verdict;
    const refused = headers.has(ROLLUP) ? this.#checkRollup(view) : undefined;
    if (refused !== undefined) return refused;
    if (ttl === undefined) return INVALID_MESSAGE_TTL;
    this.ttl = ttl;
    this.isSchedule = headers.has(SCHEDULE);
    // One schedule per subject: also where its leader did not say so.
    if (this.isSchedule) this.rollup = 'subject';
    return undefined;
  }

  /** Whether a message of a counter stream says how to count; in the log, it has its value as well. */
  #counts(view: MessageView): boolean {
    const hasValue = view.end > view.payloadStart;
    return this.headers.has(INCREMENT) && (hasValue || this.#beforeLog !== undefined);
  }

  #checkIncrement(view: MessageView): ApiError | undefined {
    const { headers } = this;
    if (!isIncrement(headers)) return COUNTER_INCREMENT_INVALID;
    if (!this.#state.config.allowMsgCounter) return COUNTERS_DISABLED;
    if (this.#beforeLog === undefined) return undefined;
    if (view.end > view.payloadStart) return COUNTER_WITH_PAYLOAD;
    return NOT_FOR_COUNTERS.some((header) => headers.has(header)) ? COUNTER_INCREMENT_INVALID : undefined;
  }

  #checkSequences(view: MessageView): Verdict {
    const { headers } = this;
    const { store } = this.#state;
    const other = headers.has(EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT);
    if (headers.has(EXPECTED_LAST_SUBJECT_SEQUENCE)) {
      if (this.#isStaged(view, other)) return WRONG_LAST_SEQUENCE;
      const last = this.#lastOfSubject(view, other);
      if (headers.sequence(EXPECTED_LAST_SUBJECT_SEQUENCE) !== last) return wrongLastSequence(last);
    } else if (other) {
      return MISSING_EXPECTED_SEQUENCE;
    }
    if (!headers.has(EXPECTED_LAST_SEQUENCE)) return undefined;
    const lastSeq = store.lastSeq + (this.#stage?.messages ?? 0);
    if (headers.sequence(EXPECTED_LAST_SEQUENCE) !== lastSeq) return wrongLastSequence(lastSeq);
    return lastSeq > store.lastSeq ? WRONG_LAST_SEQUENCE : undefined;
  }

  /** Last sequence of the message's own subject, or of those that it names instead. */
  #lastOfSubject(view: MessageView, other: boolean): number {
    const { store } = this.#state;
    if (other) {
      return lastSeqOf(store, subjectFilter([this.headers.text(EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT)]));
    }
    const id = store.subjects.find(view.buffer, view.subjectStart, view.headersStart);
    return id < 0 ? 0 : store.lastOf(id);
  }

  /** Schedules, what schedules produce, and what only the server itself may write. */
  #checkPurpose(view: MessageView): Verdict {
    const subject = { buffer: view.buffer, start: view.subjectStart, end: view.headersStart };
    return (
      checkSchedule(this.headers, subject, this.#state.config) ??
      checkScheduler(this.headers, subject, this.#state) ??
      (this.headers.has(STREAM_SOURCE) ? STREAM_SOURCE_FORBIDDEN : undefined)
    );
  }

  #checkIds(): Verdict {
    const { headers } = this;
    const { config, lastMsgId, lastMsgIdBytes } = this.#state;
    const isRepeated = this.#stage !== undefined && headers.has(MSG_ID) && !this.#stage.addId(headers.text(MSG_ID));
    if (isRepeated) return ATOMIC_DUPLICATE_ID;
    if (headers.has(MSG_ID) && config.duplicateWindowMs > 0) {
      const original = this.#findId();
      if (original !== 0) return original;
    }
    if (!headers.has(EXPECTED_LAST_MSG_ID)) return undefined;
    const start = headers.start(EXPECTED_LAST_MSG_ID);
    const end = headers.end(EXPECTED_LAST_MSG_ID);
    if (headers.buffer.compare(lastMsgId, 0, lastMsgIdBytes, start, end) === 0) return undefined;
    return wrongLastMsgId(lastMsgId.toString('utf8', 0, lastMsgIdBytes));
  }

  /** The sequence that was stored under the message's id; 0: none. */
  #findId(): number {
    const { headers } = this;
    const afterUs = this.#beforeLog?.idsAfterUs;
    return this.#state.dedupe.find(headers.buffer, headers.start(MSG_ID), headers.end(MSG_ID), afterUs);
  }

  /** Whether an earlier message of the batch writes to the subject whose last sequence is expected. */
  #isStaged(view: MessageView, other: boolean): boolean {
    if (this.#stage === undefined) return false;
    return other
      ? this.#stage.writes(this.headers.text(EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT))
      : this.#stage.countOf(view) > 0;
  }

  #checkRollup(view: MessageView): ApiError | undefined {
    const { config } = this.#state;
    if (!config.allowRollupHdrs || config.denyPurge) return rollupFailed('rollup not permitted');
    const value = this.headers.text(ROLLUP);
    switch (value.toLowerCase()) {
      case 'sub':
        if (this.#stage !== undefined && this.#stage.countOf(view) > 0) return rollupFailed('batch rollup sub invalid');
        this.rollup = 'subject';
        return undefined;
      case 'all':
        if (this.#stage !== undefined && this.#stage.messages > 0) return rollupFailed('batch rollup all invalid');
        this.rollup = 'all';
        return undefined;
      default:
        return rollupFailed(`rollup value invalid: ${JSON.stringify(value)}`);
    }
  }

  /** A message that replaces another of its subject makes the stream no fuller, so it may (streams.md 7.3). */
  #checkDiscardNew(view: MessageView, size: number): ApiError | undefined {
    const { config, store } = this.#state;
    const { maxMsgs, maxBytes, maxMsgsPerSubject } = config;
    const stage = this.#stage;
    const id = maxMsgsPerSubject > 0 ? store.subjects.find(view.buffer, view.subjectStart, view.headersStart) : -1;
    const count = (id < 0 ? 0 : store.subjects.countOf(id)) + (stage?.countOf(view) ?? 0);
    const isSubjectFull = maxMsgsPerSubject > 0 && count >= maxMsgsPerSubject;
    if (isSubjectFull && config.discardNewPerSubject && this.rollup === 'none') {
      return storeFailed('maximum messages per subject exceeded');
    }
    // What a batch as a whole replaces is not worked out: it must fit beside what is there.
    const replaces = isSubjectFull && stage === undefined;
    const messages = store.messages + (stage?.messages ?? 0);
    if (maxMsgs > 0 && messages >= maxMsgs && !replaces) return storeFailed('maximum messages exceeded');
    const bytes = store.bytes + (stage?.bytes ?? 0) + size;
    if (maxBytes > 0 && bytes > maxBytes && !(replaces && store.sizeOf(store.firstOf(id)) >= size)) {
      return storeFailed('maximum bytes exceeded');
    }
    return undefined;
  }
}

/** A message that has no value although it counts: the leader found that it is not to be stored. */
function isPassedBy({ payloadStart, end }: MessageView): boolean {
  return end === payloadStart;
}

/** A decimal, with a sign perhaps. */
function isIncrement(headers: PublishHeaders): boolean {
  const end = headers.end(INCREMENT);
  let at = headers.start(INCREMENT);
  if (headers.buffer[at] === PLUS || headers.buffer[at] === MINUS) at++;
  if (at === end) return false;
  for (; at < end; at++) if (headers.buffer[at]! < ZERO || headers.buffer[at]! > NINE) return false;
  return true;
}
