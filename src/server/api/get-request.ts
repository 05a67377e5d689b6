/** Owns the members of requests for messages, which STREAM.MSG.GET and DIRECT.GET share. */
import type { MessageSelector } from '../../kv/index.ts';
import { flag, int, list, text, time, uint64 } from './decoder.ts';
import type { Decoded } from './decoder.ts';

export const GET_FIELDS = {
  seq: uint64,
  last_by_subj: text,
  next_by_subj: text,
  batch: int,
  max_bytes: int,
  start_time: time,
  multi_last: list(text),
  up_to_seq: uint64,
  up_to_time: time,
  no_hdr: flag,
} as const;

export function selectorOf(json: Decoded<typeof GET_FIELDS>): MessageSelector {
  return {
    seq: json.seq ?? 0,
    lastBySubject: json.last_by_subj ?? '',
    nextBySubject: json.next_by_subj ?? '',
    startTimeUs: json.start_time,
  };
}
