/**
 * Owns the frames in which submissions travel to a stream's leader on another node, and their outcomes back.
 *
 * submission: `u32 group | u32 id | u32 count | u32 replies | (u32 ordinal | u32 length | reply)… | messages`, with the reply
 *             subjects that belong to fast batches
 * outcome:    `u32 group | u32 id | u8 kind | f64 appliedIndex | …`, for `applied`: `f64 firstSeq | u32 exceptions | (u32 ordinal | u8 flags |
 *             u32 length | reply)…` with the flags 1 for stored and 2 for not answered, for `refused`: `u8 reason`. All big-endian.
 */
import type { Seq } from '../../base/brand.ts';
import type { GroupId, LogIndex } from '../../raft/index.ts';
import type { BatchReply, SubmissionException, SubmissionOutcome } from '../../stream/index.ts';

const SUBMISSION_HEADER_BYTES = 16;
const BATCH_REPLY_HEADER_BYTES = 8;
const KIND_AT = 8;
const APPLIED_INDEX_AT = 9;
const OUTCOME_HEADER_BYTES = 17;
const APPLIED_HEADER_BYTES = 12;
const EXCEPTION_HEADER_BYTES = 9;
const STORED = 1;
const UNANSWERED = 2;
const KINDS = ['applied', 'refused', 'unknown'] as const;
const REASONS = ['notLeader', 'overloaded'] as const;

export interface SubmissionFrame {
  readonly group: GroupId;
  readonly id: number;
  readonly count: number;
  readonly batchReplies: readonly BatchReply[];
  /** View into the frame. */
  readonly messages: Buffer;
}

export interface OutcomeFrame {
  readonly group: GroupId;
  readonly id: number;
  readonly outcome: SubmissionOutcome;
  /** How far the leader had applied the log when it knew the outcome. */
  readonly appliedIndex: LogIndex;
}

export function encodeSubmission({ group, id, count, batchReplies, messages }: SubmissionFrame): Buffer {
  const replies = batchReplies.map(({ reply }) => Buffer.from(reply));
  const replyBytes = replies.reduce((sum, reply) => sum + BATCH_REPLY_HEADER_BYTES + reply.length, 0);
  const frame = Buffer.allocUnsafeSlow(SUBMISSION_HEADER_BYTES + replyBytes + messages.length);
  frame.writeUInt32BE(group, 0);
  frame.writeUInt32BE(id, 4);
  frame.writeUInt32BE(count, 8);
  let at = frame.writeUInt32BE(replies.length, 12);
  batchReplies.forEach(({ ordinal }, i) => {
    at = frame.writeUInt32BE(ordinal, at);
    at = frame.writeUInt32BE(replies[i]!.length, at);
    at += replies[i]!.copy(frame, at);
  });
  messages.copy(frame, at);
  return frame;
}

/** Undefined: not a submission. The messages themselves are checked where they are read. */
export function decodeSubmission(frame: Buffer): SubmissionFrame | undefined {
  if (frame.length < SUBMISSION_HEADER_BYTES) return undefined;
  const batchReplies: BatchReply[] = [];
  let at = SUBMISSION_HEADER_BYTES;
  for (let left = frame.readUInt32BE(12); left > 0; left--) {
    if (at + BATCH_REPLY_HEADER_BYTES > frame.length) return undefined;
    const end = at + BATCH_REPLY_HEADER_BYTES + frame.readUInt32BE(at + 4);
    if (end > frame.length) return undefined;
    const reply = frame.toString('utf8', at + BATCH_REPLY_HEADER_BYTES, end);
    batchReplies.push({ ordinal: frame.readUInt32BE(at), reply });
    at = end;
  }
  return {
    group: frame.readUInt32BE(0) as GroupId,
    id: frame.readUInt32BE(4),
    count: frame.readUInt32BE(8),
    batchReplies,
    messages: frame.subarray(at),
  };
}

export function encodeOutcome({ group, id, outcome, appliedIndex }: OutcomeFrame): Buffer {
  const exceptions = outcome.kind === 'applied' ? outcome.exceptions : [];
  const replies = exceptions.map((exception) => Buffer.from(exception.reply ?? ''));
  const replyBytes = replies.reduce((sum, reply) => sum + EXCEPTION_HEADER_BYTES + reply.length, 0);
  const frame = Buffer.alloc(OUTCOME_HEADER_BYTES + APPLIED_HEADER_BYTES + replyBytes);
  frame.writeUInt32BE(group, 0);
  frame.writeUInt32BE(id, 4);
  frame.writeUInt8(KINDS.indexOf(outcome.kind), KIND_AT);
  frame.writeDoubleBE(appliedIndex, APPLIED_INDEX_AT);
  if (outcome.kind === 'refused') frame.writeUInt8(REASONS.indexOf(outcome.reason), OUTCOME_HEADER_BYTES);
  if (outcome.kind !== 'applied') return frame;
  let at = frame.writeDoubleBE(outcome.firstSeq, OUTCOME_HEADER_BYTES);
  at = frame.writeUInt32BE(exceptions.length, at);
  exceptions.forEach((exception, i) => {
    at = frame.writeUInt32BE(exception.ordinal, at);
    at = frame.writeUInt8((exception.stored ? STORED : 0) | (exception.reply === undefined ? UNANSWERED : 0), at);
    at = frame.writeUInt32BE(replies[i]!.length, at);
    at += replies[i]!.copy(frame, at);
  });
  return frame;
}

/** Undefined: not an outcome. */
export function decodeOutcome(frame: Buffer): OutcomeFrame | undefined {
  if (frame.length < OUTCOME_HEADER_BYTES + APPLIED_HEADER_BYTES) return undefined;
  const header = {
    group: frame.readUInt32BE(0) as GroupId,
    id: frame.readUInt32BE(4),
    appliedIndex: frame.readDoubleBE(APPLIED_INDEX_AT) as LogIndex,
  };
  const kind = KINDS[frame.readUInt8(KIND_AT)];
  if (kind === undefined) return undefined;
  switch (kind) {
    case 'unknown':
      return { ...header, outcome: { kind: 'unknown' } };
    case 'refused': {
      const reason = REASONS[frame.readUInt8(OUTCOME_HEADER_BYTES)];
      return reason === undefined ? undefined : { ...header, outcome: { kind: 'refused', reason } };
    }
    case 'applied': {
      const firstSeq = frame.readDoubleBE(OUTCOME_HEADER_BYTES) as Seq;
      const exceptions = decodeExceptions(frame, OUTCOME_HEADER_BYTES + 8);
      return exceptions && { ...header, outcome: { kind: 'applied', firstSeq, exceptions } };
    }
  }
}

function decodeExceptions(frame: Buffer, start: number): SubmissionException[] | undefined {
  const count = frame.readUInt32BE(start);
  const exceptions: SubmissionException[] = [];
  let at = start + 4;
  for (let i = 0; i < count; i++) {
    if (at + EXCEPTION_HEADER_BYTES > frame.length) return undefined;
    const end = at + EXCEPTION_HEADER_BYTES + frame.readUInt32BE(at + 5);
    if (end > frame.length) return undefined;
    const flags = frame.readUInt8(at + 4);
    const text = frame.toString('utf8', at + EXCEPTION_HEADER_BYTES, end);
    const reply = (flags & UNANSWERED) === 0 ? text : undefined;
    exceptions.push({ ordinal: frame.readUInt32BE(at), stored: (flags & STORED) !== 0, reply });
    at = end;
  }
  return exceptions;
}
