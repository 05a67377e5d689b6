/**
 * Owns the decision whether a publish is stored: the checks of streams.md 5.5, in the order of a replicated stream.
 * Differs from the reference server: all of them run when the entry is applied, so nothing is ever "in flight", and an
 * unreplicated stream checks in the same order.
 */
import {
  ATOMIC_DUPLICATE_ID,
  ATOMIC_PUBLISH_DISABLED,
  atomicHeaderUnsupported,
  COUNTERS_DISABLED,
  EXPECTED_STREAM_MISMATCH,
  HEADERS_TOO_LARGE,
  MESSAGE_TOO_LARGE,
  MESSAGE_TTL_DISABLED,
  MISSING_EXPECTED_SEQUENCE,
  rollupFailed,
  SCHEDULES_DISABLED,
  STREAM_SEALED,
  STREAM_SOURCE_FORBIDDEN,
  storeFailed,
  wrongLastMsgId,
  WRONG_LAST_SEQUENCE,
  wrongLastSequence,
  type ApiError,
} from '../base/api-errors.ts';
import type { BatchStage } from './batch-stage.ts';
import type { MessageView } from './message-format.ts';
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
  STREAM_SOURCE,
  TTL,
} from './publish-headers.ts';
import type { ReplicatedState } from './replicated-state.ts';
import { subjectFilter } from './subject-filter.ts';
import { lastSeqOf } from './store-queries.ts';

const MAX_HEADERS_BYTES = 65_535;
const EXPECTED_LAST_MSG_ID_UNSUPPORTED = atomicHeaderUnsupported('Nats-Expected-Last-Msg-Id');

export type Rollup = 'none' | 'subject' | 'all';
/** `undefined`: store it. A number: it is a duplicate of that sequence. */
export type Verdict = ApiError | number | undefined;

export class PublishChecks {
  readonly headers = new PublishHeaders();
  /** What the message just checked asks for. */
  rollup: Rollup = 'none';
  readonly #state: ReplicatedState;
  /** While a message of an atomic batch is checked: those before it. */
  #stage: BatchStage | undefined;

  constructor(state: ReplicatedState) {
    this.#state = state;
  }

  /** Judges the message in `view`, which would count for `size` bytes. */
  check(view: MessageView, size: number): Verdict {
    const { config } = this.#state;
    this.rollup = 'none';
    this.headers.clear();
    if (config.sealed) return STREAM_SEALED;
    const headersBytes = view.payloadStart - view.headersStart;
    if (config.maxMsgSize >= 0 && view.end - view.headersStart > config.maxMsgSize) return MESSAGE_TOO_LARGE;
    if (headersBytes > 0) {
      this.headers.scan(view.buffer, view.headersStart, view.payloadStart);
      if (this.headers.any) {
        const verdict = this.#checkHeaders(view, headersBytes);
        if (verdict !== undefined) return verdict;
      } else if (headersBytes > MAX_HEADERS_BYTES) {
        return HEADERS_TOO_LARGE;
      }
    }
    if (config.discard === 'new') {
      const full = this.#checkDiscardNew(view, size);
      if (full !== undefined) return full;
    }
    return this.headers.has(EXPECTED_LAST_MSG_ID) ? this.#checkLastMsgId() : undefined;
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
  }

  /** Takes in the headers of a message that is stored in any case, and asks for nothing. */
  trust(view: MessageView): void {
    this.rollup = 'none';
    this.headers.clear();
    if (view.payloadStart > view.headersStart) this.headers.scan(view.buffer, view.headersStart, view.payloadStart);
  }

  #checkHeaders(view: MessageView, headersBytes: number): Verdict {
    const { headers } = this;
    const { config, dedupe, store } = this.#state;
    const stage = this.#stage;
    if (stage === undefined && headers.has(BATCH_ID)) return ATOMIC_PUBLISH_DISABLED;
    if (stage !== undefined && headers.has(EXPECTED_LAST_MSG_ID)) return EXPECTED_LAST_MSG_ID_UNSUPPORTED;
    if (headersBytes > MAX_HEADERS_BYTES) return HEADERS_TOO_LARGE;
    if (headers.has(INCREMENT)) return COUNTERS_DISABLED;
    if (headers.has(EXPECTED_STREAM) && headers.text(EXPECTED_STREAM) !== config.name) return EXPECTED_STREAM_MISMATCH;
    if (headers.has(TTL)) return MESSAGE_TTL_DISABLED;
    if (stage !== undefined && headers.has(MSG_ID) && !stage.addId(headers.text(MSG_ID))) return ATOMIC_DUPLICATE_ID;
    if (headers.has(MSG_ID) && config.duplicateWindowMs > 0) {
      const original = dedupe.find(headers.buffer, headers.start(MSG_ID), headers.end(MSG_ID));
      if (original !== 0) return original;
    }
    if (headers.has(STREAM_SOURCE)) return STREAM_SOURCE_FORBIDDEN;
    if (headers.has(EXPECTED_LAST_SEQUENCE)) {
      const lastSeq = store.lastSeq + (stage?.messages ?? 0);
      if (headers.sequence(EXPECTED_LAST_SEQUENCE) !== lastSeq) return wrongLastSequence(lastSeq);
      if (lastSeq > store.lastSeq) return WRONG_LAST_SEQUENCE;
    }
    const verdict = this.#checkSubjectSequence(view);
    if (verdict !== undefined) return verdict;
    if (headers.has(SCHEDULE)) return SCHEDULES_DISABLED;
    return headers.has(ROLLUP) ? this.#checkRollup(view) : undefined;
  }

  #checkSubjectSequence(view: MessageView): Verdict {
    const { headers } = this;
    const { store } = this.#state;
    const other = headers.has(EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT);
    if (!headers.has(EXPECTED_LAST_SUBJECT_SEQUENCE)) return other ? MISSING_EXPECTED_SEQUENCE : undefined;
    if (this.#isStaged(view, other)) return WRONG_LAST_SEQUENCE;
    let last = 0;
    if (other) {
      last = lastSeqOf(store, subjectFilter([headers.text(EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT)]));
    } else {
      const id = store.subjects.find(view.buffer, view.subjectStart, view.headersStart);
      if (id >= 0) last = store.lastOf(id);
    }
    return headers.sequence(EXPECTED_LAST_SUBJECT_SEQUENCE) === last ? undefined : wrongLastSequence(last);
  }

  /** Whether an earlier message of the batch writes to the subject whose last sequence is expected. */
  #isStaged(view: MessageView, other: boolean): boolean {
    if (this.#stage === undefined) return false;
    return other
      ? this.#stage.writes(this.headers.text(EXPECTED_LAST_SUBJECT_SEQUENCE_SUBJECT))
      : this.#stage.countOf(view) > 0;
  }

  #checkRollup(view: MessageView): Verdict {
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

  #checkDiscardNew(view: MessageView, size: number): Verdict {
    const { config, store } = this.#state;
    const messages = store.messages + (this.#stage?.messages ?? 0);
    const bytes = store.bytes + (this.#stage?.bytes ?? 0) + size;
    if (config.maxMsgs > 0 && messages >= config.maxMsgs) return storeFailed('maximum messages exceeded');
    if (config.maxBytes > 0 && bytes > config.maxBytes) return storeFailed('maximum bytes exceeded');
    if (!config.discardNewPerSubject || config.maxMsgsPerSubject <= 0 || this.rollup !== 'none') return undefined;
    const id = store.subjects.find(view.buffer, view.subjectStart, view.headersStart);
    const count = (id >= 0 ? store.subjects.countOf(id) : 0) + (this.#stage?.countOf(view) ?? 0);
    return count >= config.maxMsgsPerSubject ? storeFailed('maximum messages per subject exceeded') : undefined;
  }

  #checkLastMsgId(): Verdict {
    const { headers } = this;
    const { lastMsgId, lastMsgIdBytes } = this.#state;
    const start = headers.start(EXPECTED_LAST_MSG_ID);
    const end = headers.end(EXPECTED_LAST_MSG_ID);
    if (headers.buffer.compare(lastMsgId, 0, lastMsgIdBytes, start, end) === 0) return undefined;
    return wrongLastMsgId(lastMsgId.toString('utf8', 0, lastMsgIdBytes));
  }
}
