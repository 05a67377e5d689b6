/**
 * Owns the finding about a group at start: what of its log can be proven, and whether something that it promised may be
 * missing. A log that merely ends is whole as far as this node can tell; peers know better (see ../amnesia.ts).
 */
import type { Logger } from '../../base/logger.ts';
import { StorageError } from '../../base/errors.ts';
import type { HardState, RecoveredState, SnapshotPoint, StoredEntry } from '../core/input.ts';
import { decodeMembership, type Membership } from '../core/membership.ts';
import { chainChecksum, chains, isCompacted, openRecord } from '../record.ts';
import type { GroupOptions, LogIndex, Term } from '../types.ts';
import type { GroupStorage } from './group-storage.ts';
import { INITIAL_HARD_STATE, openHardState } from './hard-state.ts';
import { IndexRanges } from './index-ranges.ts';
import { hardStateKey } from './keys.ts';

export interface RecoveredGroup {
  readonly state: RecoveredState;
  readonly repairing: boolean;
  /** False: its description must be stored anew, or the group would be found damaged at the next start as well. */
  readonly isDescribed: boolean;
  /** The state machine is to be restored from the checkpoint. */
  readonly hasCheckpoint: boolean;
  /** Size of the records behind the checkpoint. */
  readonly logBytes: number;
  /** Positions of Raft's own entries behind the checkpoint. */
  readonly ownEntries: readonly LogIndex[];
  /** Entries of a snapshot whose reception was broken off. */
  readonly staged: IndexRanges;
}

interface LogFinding {
  readonly log: StoredEntry[];
  readonly memberships: { readonly index: LogIndex; readonly membership: Membership }[];
  readonly ownEntries: LogIndex[];
  readonly bytes: number;
  readonly top: LogIndex;
  /** Where the log can't be followed any further although there is more, and why. */
  readonly defect: string | undefined;
}

/**
 * Undefined: nothing is stored of this group. If something promised may be missing, it is durably marked as repairing
 * with the next batch, before anything is said.
 * @throws {StorageError} STORAGE_CORRUPT if the group has no other voter from which it could be repaired.
 */
export async function recoverGroup(
  storage: GroupStorage,
  options: { readonly bootstrap: Membership; readonly others?: GroupOptions['others']; readonly logger: Logger },
): Promise<RecoveredGroup | undefined> {
  if (!storage.hasAnything) return undefined;
  const defects: string[] = [];
  const info = await storage.readInfo();
  if (info === undefined) defects.push('its description is missing or damaged');
  const stored = openHardState(storage.group, await storage.node.disk.get(hardStateKey(storage.group)));
  if (stored === undefined) defects.push('its term and vote are missing or damaged');
  const root = await storage.checkpoints.readRoot();
  if (root === 'damaged') defects.push('its checkpoint is damaged');
  if (storage.storage === 'memory') defects.push('its log was in memory');

  const first = info?.membership ?? options.bootstrap;
  const snapshot = typeof root === 'object' ? root : emptyState(first).snapshot;
  const found = await followLog(storage, snapshot);
  const staged = await storage.readInstalling();
  if (found.defect !== undefined && staged === undefined) defects.push(found.defect);

  const membership = found.memberships.at(-1)?.membership ?? snapshot.membership;
  const seemsAlone = membership.voters.length === 1 && membership.outgoing.length === 0;
  const hasOthers = (options.others?.nodes.length ?? 0) > 0;
  const alone = seemsAlone && !hasOthers;
  if (seemsAlone && hasOthers && options.others?.areMembers === true)
    defects.push('it knows nothing of its other members');
  if (alone && defects.length > 0 && storage.storage === 'file') {
    throw new StorageError('STORAGE_CORRUPT', `group ${storage.group} has no other replica, and ${defects.join(', ')}`);
  }
  if (defects.length > 0) options.logger.error({ group: storage.group, defects }, 'group.damaged');
  const repairing = !alone && (stored?.repairing === true || defects.length > 0);
  const dead = IndexRanges.from(typeof root === 'object' ? root.dead : []);
  const hardState = atLeastTermOfLog(stored?.hardState, found.log.at(-1)?.term ?? snapshot.term);
  storage.restoreState({ hardState, repairing, top: found.top, dead });
  return {
    state: { hardState, snapshot, log: found.log, memberships: found.memberships, commitIndex: snapshot.index },
    repairing,
    isDescribed: info !== undefined,
    hasCheckpoint: typeof root === 'object',
    logBytes: found.bytes,
    ownEntries: found.ownEntries,
    staged: staged ?? new IndexRanges(),
  };
}

/** The stored term may be that of an older write that came back; what the log knows is a lower bound. */
function atLeastTermOfLog(stored: HardState | undefined, term: Term): HardState {
  const known = stored ?? INITIAL_HARD_STATE;
  return known.term < term ? { ...known, term, votedFor: undefined } : known;
}

/** Reads the log behind `snapshot` as far as every record proves the one before it. */
async function followLog(storage: GroupStorage, snapshot: SnapshotPoint): Promise<LogFinding> {
  const log: StoredEntry[] = [];
  const memberships: LogFinding['memberships'] = [];
  const ownEntries: LogIndex[] = [];
  let { index, term, checksum } = snapshot;
  let bytes = 0;
  let top = index;
  let defect: string | undefined;
  for await (const [at, record] of storage.recordsFrom((index + 1) as LogIndex)) {
    top = at;
    if (defect !== undefined) continue;
    const entry = openRecord(record, { group: storage.group, index: at });
    if (at !== index + 1) defect = `entries ${index + 1} to ${at - 1} are missing`;
    else if (typeof entry === 'string') defect = `entry ${at} is damaged (${entry})`;
    else if (!chains(record, checksum)) defect = `entry ${at} does not follow entry ${index}`;
    else if (entry.term < term) defect = `the term falls at entry ${at}`;
    // Its machine had applied it before; what is left of it does not lead to the same state again.
    else if (isCompacted(record)) defect = `entry ${at} was compacted`;
    else {
      index = at;
      term = entry.term;
      checksum = chainChecksum(record);
      bytes += record.length;
      log.push({ index, term, checksum });
      if (entry.kind !== 'normal') ownEntries.push(index);
      const membership = entry.kind === 'membership' ? decodeMembership(entry.body) : undefined;
      if (membership !== undefined) memberships.push({ index, membership });
    }
  }
  return { log, memberships, ownEntries, bytes, top, defect };
}

/** Of a group of which nothing is left. */
export function emptyState(membership: Membership): RecoveredState {
  const snapshot: SnapshotPoint = { index: 0 as LogIndex, term: 0 as Term, checksum: 0, membership };
  return { hardState: INITIAL_HARD_STATE, snapshot, log: [], memberships: [], commitIndex: snapshot.index };
}
