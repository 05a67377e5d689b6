/** Owns the stored form of what a group must not forget: `u64 term | u64 voteFloor | u8 flags (1 repairing) | votedFor`. */
import type { NodeId } from '../../base/brand.ts';
import type { HardState } from '../core/input.ts';
import { readSafeInteger, writeSafeInteger } from '../safe-integer.ts';
import type { GroupId, Term } from '../types.ts';
import { hardStateKey } from './keys.ts';
import type { DiskBatch } from './key-value-disk.ts';
import { openValue, sealValue } from './sealed-value.ts';

const VOTE_FLOOR_AT = 8;
const FLAGS_AT = 16;
const VOTE_AT = 17;
const REPAIRING = 1;

export interface StoredHardState {
  readonly hardState: HardState;
  readonly repairing: boolean;
}

export function putHardState(batch: DiskBatch, group: GroupId, state: StoredHardState): void {
  const vote = Buffer.from(state.hardState.votedFor ?? '', 'utf8');
  const content = Buffer.allocUnsafe(VOTE_AT + vote.length);
  writeSafeInteger(content, state.hardState.term, 0);
  writeSafeInteger(content, state.hardState.voteFloor, VOTE_FLOOR_AT);
  content[FLAGS_AT] = state.repairing ? REPAIRING : 0;
  vote.copy(content, VOTE_AT);
  const key = hardStateKey(group);
  batch.put(key, sealValue(key, content));
}

/** Undefined when it is missing or wrong: then nobody knows what this node voted. */
export function openHardState(group: GroupId, value: Buffer | undefined): StoredHardState | undefined {
  const content = value === undefined ? undefined : openValue(hardStateKey(group), value);
  if (content === undefined || content.length < VOTE_AT) return undefined;
  const vote = content.toString('utf8', VOTE_AT);
  return {
    hardState: {
      term: readSafeInteger(content, 0) as Term,
      votedFor: vote === '' ? undefined : (vote as NodeId),
      voteFloor: readSafeInteger(content, VOTE_FLOOR_AT) as Term,
    },
    repairing: (content[FLAGS_AT]! & REPAIRING) !== 0,
  };
}

/** Of a group that has said nothing yet. */
export const INITIAL_HARD_STATE: HardState = { term: 0 as Term, votedFor: undefined, voteFloor: 0 as Term };
