/** Owns applying a message batch: which of its messages are stored, and what the limits remove in turn. */
import type { Seq, TimestampUs } from '../../base/brand.ts';
import { BAD_REQUEST, type ApiError } from '../../base/api-errors.ts';
import { invariant } from '../../base/errors.ts';
import type { Entry } from '../../raft/index.ts';
import { BatchStage } from '../batches/batch-stage.ts';
import { BATCH_HEADER_BYTES, batchCount, ENTRY_PREFIX_BATCH, entryKind } from './entry-format.ts';
import { emptyMessageView, MESSAGE_PREFIX_BYTES, readMessage, type MessageView } from '../messages/message-format.ts';
import { producedBatchLayout, producedReason, type ProducedMessage } from './produced-batch.ts';
import { isStub, placedBatchLayout, placedTimeUs } from './placed-batch.ts';
import { PublishChecks, type Verdict } from '../publish/publish-checks.ts';
import { MSG_ID, STREAM_SOURCE } from '../messages/publish-headers.ts';
import type { PublishReplies } from '../publish/publish-replies.ts';
import type { ReplicatedState } from '../replicated-state.ts';
import { parseProvenance } from '../source-positions.ts';
import type { StoredWatcher, StreamExtension, SubmissionException } from '../types.ts';

const NO_BUFFER = Buffer.alloc(0);
const MAX_TRIMMED_BESIDE_SWEEP = 64;

export class BatchApplier {
  readonly #state: ReplicatedState;
  readonly #checks: PublishChecks;
  readonly #replies: PublishReplies;
  readonly #extension: () => StreamExtension;
  readonly #view: MessageView = emptyMessageView();
  /** Told of every message that is stored, while somebody wants to hear of it. */
  watcher: StoredWatcher | undefined;
  /** Messages were removed at the head without telling of each. */
  #headTrimmed = false;

  constructor(state: ReplicatedState, replies: PublishReplies, extension: () => StreamExtension) {
    this.#state = state;
    this.#checks = new PublishChecks(state);
    this.#replies = replies;
    this.#extension = extension;
  }

  /**
   * Applies the batch in `entry`. Where `exceptions` is given, it receives what the proposer must answer otherwise than
   * by sequence. Returns the first sequence that the batch took or would have taken.
   */
  apply(entry: Entry, timestampUs: TimestampUs, exceptions: SubmissionException[] | undefined): Seq {
    const { store, dedupe, config } = this.#state;
    const { body } = entry;
    const count = Math.min(batchCount(body), Math.floor((body.length - BATCH_HEADER_BYTES) / MESSAGE_PREFIX_BYTES));
    const first = store.lastSeq + 1;
    dedupe.expire(timestampUs - config.duplicateWindowMs * 1000);
    this.#headTrimmed = false;
    this.#checks.beginEntry();
    store.beginBatch(entry.index, timestampUs, count);
    const isPrefix = entryKind(body) === ENTRY_PREFIX_BATCH;
    let broken: ApiError | undefined;
    let at = BATCH_HEADER_BYTES;
    for (let ordinal = 0; ordinal < count; ordinal++) {
      let verdict: Verdict = BAD_REQUEST;
      if (readMessage(body, at, body.length, this.#view)) {
        at = this.#view.end;
        verdict = broken ?? this.#publish(timestampUs);
      } else {
        at = body.length;
      }
      if (verdict === undefined) continue;
      if (isPrefix && typeof verdict !== 'number') broken = verdict;
      store.reject(ordinal);
      this.#state.digest.mix(ordinal);
      exceptions?.push({ ordinal, stored: false, reply: this.#reply(verdict) });
    }
    this.#end(entry, first);
    return first as Seq;
  }

  /**
   * Applies the atomic batch in `entry`: all of it is stored, or nothing, for the reason in the only exception. Returns
   * the first sequence that it took or would have taken.
   */
  applyAtomic(entry: Entry, timestampUs: TimestampUs, exceptions: SubmissionException[] | undefined): Seq {
    const { store, dedupe, config, digest } = this.#state;
    const { body } = entry;
    const first = store.lastSeq + 1;
    dedupe.expire(timestampUs - config.duplicateWindowMs * 1000);
    this.#headTrimmed = false;
    const refusal = this.#checkAtomic(body);
    if (refusal !== undefined) {
      digest.mix(refusal.ordinal);
      exceptions?.push({ ordinal: refusal.ordinal, stored: false, reply: this.#replies.error(refusal.error) });
    } else {
      store.beginBatch(entry.index, timestampUs, batchCount(body));
      for (let at = BATCH_HEADER_BYTES; readMessage(body, at, body.length, this.#view); at = this.#view.end) {
        this.#checks.admit(this.#view);
        this.#keep(this.#size(), timestampUs);
      }
    }
    this.#end(entry, first);
    return first as Seq;
  }

  /** The first message that must not be stored, and why. */
  #checkAtomic(body: Buffer): { readonly ordinal: number; readonly error: ApiError } | undefined {
    const stage = new BatchStage();
    const count = batchCount(body);
    let at = BATCH_HEADER_BYTES;
    for (let ordinal = 0; ordinal < count; ordinal++, at = this.#view.end) {
      if (!readMessage(body, at, body.length, this.#view)) return { ordinal, error: BAD_REQUEST };
      const error = this.#checks.checkMember(this.#view, this.#size(), stage);
      if (error !== undefined) return { ordinal, error };
    }
    return at === body.length ? undefined : { ordinal: count, error: BAD_REQUEST };
  }

  /**
   * Applies the placed batch in `entry`: what the stream has already got, or passed by, is left out. A mirror refuses what
   * its own limits are against, and everything behind that, so that it can go on from there; nothing else is checked.
   * Returns the stream's last sequence then.
   */
  applyPlaced(entry: Entry): Seq {
    const { store, digest, config, deadEntries } = this.#state;
    const { body } = entry;
    const layout = placedBatchLayout(body);
    invariant(layout !== undefined, `the placed batch of entry ${entry.index} is malformed`);
    // Found by a random run: it was on its way when the mirror became a stream of its own, whose sequences are its own.
    if (config.mirror === undefined && config.restoring !== true) {
      deadEntries.push(entry.index);
      digest.mix(layout.firstSeq);
      return store.lastSeq as Seq;
    }
    const first = Math.max(layout.firstSeq, store.lastSeq + 1);
    this.#headTrimmed = false;
    store.beginPlacedBatch(entry.index, first, layout.count);
    let at = BATCH_HEADER_BYTES;
    let isRefused = false;
    for (let ordinal = 0; ordinal < layout.count; ordinal++) {
      const whole = readMessage(body, at, layout.messagesEnd, this.#view);
      invariant(whole, `the placed batch of entry ${entry.index} is malformed`);
      at = this.#view.end;
      const isPassed = layout.firstSeq + ordinal < first;
      if (!isPassed && !isRefused) isRefused = !this.#place(placedTimeUs(body, layout, ordinal));
      if (isPassed || isRefused) store.reject(ordinal);
    }
    this.#end(entry, first);
    digest.mix(layout.firstSeq);
    digest.mix(store.lastTimestampUs);
    return store.lastSeq as Seq;
  }

  /** Applies the produced batch in `entry`: each of its messages, where its basis still holds. */
  applyProduced(entry: Entry, timestampUs: TimestampUs): void {
    const { store, digest } = this.#state;
    const { body } = entry;
    const layout = producedBatchLayout(body);
    invariant(layout !== undefined, `the produced batch of entry ${entry.index} is malformed`);
    const first = store.lastSeq + 1;
    this.#headTrimmed = false;
    store.beginBatch(entry.index, timestampUs, layout.count);
    let at = BATCH_HEADER_BYTES;
    for (let ordinal = 0; ordinal < layout.count; ordinal++) {
      const whole = readMessage(body, at, layout.messagesEnd, this.#view);
      invariant(whole, `the produced batch of entry ${entry.index} is malformed`);
      at = this.#view.end;
      if (this.#produce(producedReason(body, layout, ordinal), timestampUs)) continue;
      store.reject(ordinal);
      digest.mix(ordinal);
    }
    this.#end(entry, first);
  }

  /** False: the message is not made. */
  #produce({ basis, dueUs }: Omit<ProducedMessage, 'message'>, timestampUs: TimestampUs): boolean {
    const { store, schedules } = this.#state;
    if (!store.isLive(basis)) return false;
    if (dueUs === 0) {
      const { buffer, subjectStart, headersStart } = this.#view;
      const id = store.subjects.find(buffer, subjectStart, headersStart);
      if (id < 0 || store.subjects.countOf(id) !== 1 || store.lastOf(id) !== basis) {
        store.remove(basis, true);
        return false;
      }
    } else if (!schedules.has(basis) || schedules.firedUs(basis) >= dueUs) {
      return false;
    }
    if (dueUs !== 0) schedules.fired(basis, dueUs);
    this.#checks.trustProduced(this.#view);
    this.#keep(this.#size(), timestampUs);
    return true;
  }

  /** False: the message is refused. */
  #place(timestampUs: TimestampUs): boolean {
    const view = this.#view;
    const { store, config } = this.#state;
    const size = this.#size();
    const isMirrored = config.mirror !== undefined && config.restoring !== true;
    if (isMirrored && !isStub(view) && this.#checks.checkMirrored(view, size) !== undefined) return false;
    store.placeAt(timestampUs);
    if (isStub(view)) {
      store.skip();
      return true;
    }
    if (!isMirrored) this.#checks.trust(view);
    this.#keep(size, timestampUs);
    return true;
  }

  #publish(timestampUs: TimestampUs): Verdict {
    const size = this.#size();
    const verdict = this.#checks.check(this.#view, size);
    if (verdict === undefined) this.#keep(size, timestampUs);
    return verdict;
  }

  /** Gives the message its sequence, and stores it unless nobody needs it. */
  #keep(size: number, timestampUs: TimestampUs): void {
    const view = this.#view;
    const { config, store, schedules } = this.#state;
    const needed =
      config.retention !== 'interest' ||
      // The consumers come after the messages then.
      config.restoring === true ||
      this.#extension().needs(view.buffer, view.subjectStart, view.headersStart);
    const watcher = needed && config.restoring !== true ? this.watcher : undefined;
    const previousSeq = watcher === undefined ? 0 : this.#lastOfSubject();
    if (schedules.size > 0) this.#cancelSchedules();
    const { ttl } = this.#checks;
    const seq = needed ? store.add(view.buffer, view.subjectStart, view.headersStart, size, ttl) : store.skip();
    watcher?.stored(view, { seq: seq as Seq, timestampUs, previousSeq: previousSeq as Seq });
    this.#rememberId(seq, timestampUs);
    if (needed && this.#checks.isSchedule) schedules.stored(seq);
    if (this.#checks.headers.has(STREAM_SOURCE)) this.#rememberSource();
    if (this.#checks.rollup !== 'none') this.#rollUp(seq, needed);
    if (needed) this.#enforce();
  }

  #rememberSource(): void {
    const provenance = parseProvenance(this.#checks.headers.text(STREAM_SOURCE));
    if (provenance === undefined) return;
    this.#state.sources.advance(provenance);
    this.#state.digest.mix(provenance.seq);
  }

  /** The last message on the subject of this one; 0: there is none. */
  #lastOfSubject(): number {
    const view = this.#view;
    const { store } = this.#state;
    const id = store.subjects.find(view.buffer, view.subjectStart, view.headersStart);
    return id < 0 ? 0 : store.lastOf(id);
  }

  /** A message takes the place of the schedule on its subject, and may be the last one of another. */
  #cancelSchedules(): void {
    const { store, schedules } = this.#state;
    schedules.cancel(this.#lastOfSubject());
    const ended = this.#checks.endedSchedule;
    if (ended === 0) return;
    schedules.cancel(ended);
    store.remove(ended, true);
  }

  /** What the message counts for. */
  #size(): number {
    const { subjectStart, headersStart, payloadStart, end } = this.#view;
    return this.#state.messageBytes(headersStart - subjectStart, payloadStart - headersStart, end - payloadStart);
  }

  #rememberId(seq: number, timestampUs: TimestampUs): void {
    const { headers } = this.#checks;
    const state = this.#state;
    if (!headers.has(MSG_ID)) {
      state.lastMsgIdBytes = 0;
      return;
    }
    const start = headers.start(MSG_ID);
    const end = headers.end(MSG_ID);
    state.setLastMsgId(headers.buffer, start, end);
    const { duplicateWindowMs, mirror } = state.config;
    const inWindow = timestampUs > state.clockUs - duplicateWindowMs * 1000;
    if (inWindow && mirror === undefined) state.dedupe.add(headers.buffer, start, end, seq, timestampUs);
  }

  /** Everything of the subject, or of the stream, but `seq` itself goes. */
  #rollUp(seq: number, stored: boolean): void {
    const { store } = this.#state;
    if (this.#checks.rollup === 'all') {
      if (store.removeBelow(seq) > 0) this.#headTrimmed = true;
      return;
    }
    const view = this.#view;
    const id = store.subjects.find(view.buffer, view.subjectStart, view.headersStart);
    if (id >= 0) this.#trimSubject(id, stored ? 1 : 0);
  }

  #enforce(): void {
    const { config, store } = this.#state;
    if (config.maxMsgsPerSubject > 0) this.#trimSubject(store.lastSubject, config.maxMsgsPerSubject);
    if (this.#trimHead()) this.#headTrimmed = true;
  }

  #trimSubject(id: number, keep: number): void {
    const { store } = this.#state;
    let excess = store.subjects.countOf(id) - keep;
    if (excess <= 0) return;
    for (; excess > 0; excess--) store.remove(store.firstOf(id), true);
    // The next one to be trimmed is known without a search.
    if (keep === 1) store.subjects.setFirst(id, store.lastOf(id));
  }

  /** Removes from the head what is above the limits, without telling of each message. True: there was something. */
  #trimHead(): boolean {
    const { config, store, sweep } = this.#state;
    if (config.discard !== 'old') return false;
    const before = store.messages;
    // What a sweep is about to remove anyway need not hold up a publish.
    const least = sweep === undefined ? 0 : before - MAX_TRIMMED_BESIDE_SWEEP;
    while (config.maxMsgs > 0 && store.messages > Math.max(config.maxMsgs, least)) store.remove(store.firstSeq, false);
    while (config.maxBytes > 0 && store.bytes > config.maxBytes && store.messages > Math.max(0, least)) {
      store.remove(store.firstSeq, false);
    }
    return store.messages < before;
  }

  /** The batch whose first message would have taken `first` is through. */
  #end(entry: Entry, first: number): void {
    const { store, deadEntries, expiries } = this.#state;
    if (store.endBatch()) expiries.blockStored(store.lastSeq);
    else deadEntries.push(entry.index);
    this.#view.buffer = NO_BUFFER;
    this.#checks.headers.clear();
    this.#announce(first, store.lastSeq);
  }

  #announce(first: number, last: number): void {
    const extension = this.#extension();
    const { store } = this.#state;
    if (this.#headTrimmed) extension.messagesRemovedBelow(store.firstSeq as Seq);
    if (last < first) return;
    store.announceLive(first, last, (runFirst, runLast) => {
      extension.messagesStored(runFirst as Seq, runLast as Seq);
    });
  }

  #reply(verdict: Exclude<Verdict, undefined>): string {
    return typeof verdict === 'number' ? this.#replies.duplicate(verdict) : this.#replies.error(verdict);
  }
}
