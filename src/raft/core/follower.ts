/** Owns how a member takes in what a leader sends: the receiver's half of AppendEntries (§5.3). */
import type { NodeId } from '../../base/brand.ts';
import type { AppendEntries, AppendEntriesReply } from '../messages.ts';
import { chainChecksum, chains } from '../record.ts';
import type { Entry, LogIndex, Term } from '../types.ts';
import type { Effects } from './effects.ts';
import { decodeMembership } from './membership.ts';
import type { Replica } from './replica.ts';

const NONE = 0 as LogIndex;

export type AppendOutcome = 'matched' | 'refused' | 'broken';

/**
 * Handles an AppendEntries of the current term, from its leader.
 * `broken`: the log contradicts ours in what no two honest logs can differ; it gets no answer.
 */
export function takeAppend(replica: Replica, message: AppendEntries, effects: Effects): AppendOutcome {
  const { log } = replica;
  const prevTerm = log.termAt(message.prevLogIndex);
  // In front of our snapshot everything is committed, and so the same in every leader's log.
  if (message.prevLogIndex >= log.snapshotIndex && prevTerm !== message.prevLogTerm) {
    refuseAppend(replica, message, effects);
    return 'refused';
  }
  const news = firstDifference(replica, message.entries);
  const broken = news < 0 ? message.entries[-news - 1] : findBreak(replica, message.entries, news);
  if (broken !== undefined) {
    effects.brokenChain = { peer: message.from, index: broken.index };
    return 'broken';
  }
  if (news < message.entries.length) {
    const entries = news === 0 ? message.entries : message.entries.slice(news);
    if (entries[0]!.index <= log.lastIndex) replica.truncateFrom(entries[0]!.index, effects);
    replica.append(entries, effects);
  }
  const lastNew = message.prevLogIndex + message.entries.length;
  replica.commitTo(Math.min(message.leaderCommit, Math.max(lastNew, replica.commitIndex)) as LogIndex, effects);
  // The word of an earlier repair may come late.
  if (replica.repairing && message.repaired === replica.repair) replica.endRepair(effects);
  acknowledge(replica, message, Math.max(lastNew, replica.commitIndex) as LogIndex, effects);
  return 'matched';
}

/**
 * The position of the first entry that our log does not hold (the number of them if it holds all); minus the position
 * minus one of an entry that it holds under the same index and term with another checksum.
 */
function firstDifference(replica: Replica, entries: readonly Entry[]): number {
  const { log } = replica;
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at]!;
    if (entry.index < log.snapshotIndex) continue;
    if (log.termAt(entry.index) !== entry.term) return at;
    if (log.checksumAt(entry.index) !== chainChecksum(entry.record)) return -at - 1;
  }
  return entries.length;
}

/** The first of the new entries that can't be ours: it does not chain, is unreadable, or replaces what is committed. */
function findBreak(replica: Replica, entries: readonly Entry[], news: number): Entry | undefined {
  const first = entries[news];
  if (first === undefined) return undefined;
  if (first.index <= replica.commitIndex) return first;
  let previous = replica.log.checksumAt((first.index - 1) as LogIndex);
  for (let at = news; at < entries.length; at++) {
    const entry = entries[at]!;
    if (previous === undefined || !chains(entry.record, previous)) return entry;
    if (entry.kind === 'membership' && decodeMembership(entry.body) === undefined) return entry;
    previous = chainChecksum(entry.record);
  }
  return undefined;
}

/** Says how far we match. At once if all of that is on disk: a slow disk must not make us look dead. */
function acknowledge(replica: Replica, message: AppendEntries, matchIndex: LogIndex, effects: Effects): void {
  if (message.entries.length === 0 && replica.termIsDurable) {
    const durable = Math.min(matchIndex, replica.log.durableIndex) as LogIndex;
    effects.send.push(appendReply(replica, message, matched(durable)));
    if (durable === matchIndex) return;
  }
  effects.sendOncePersisted.push(appendReply(replica, message, matched(matchIndex)));
}

/** Says where our log can match at best: the last entry whose term is not beyond the leader's there. */
export function refuseAppend(replica: Replica, message: AppendEntries, effects: Effects): void {
  const { log } = replica;
  const last = Math.min(message.prevLogIndex, log.lastIndex) as LogIndex;
  const conflictIndex = log.lastIndexOfTermAtMost(last, message.prevLogTerm);
  const conflictTerm = log.termAt(conflictIndex) ?? (0 as Term);
  const result = { success: false, matchIndex: NONE, conflictIndex, conflictTerm };
  replica.say(appendReply(replica, message, result), effects);
}

/** Tells the leader that the state up to our commit index came by a checkpoint, in force once this leaves. */
export function acknowledgeSnapshot(replica: Replica, leader: NodeId, effects: Effects): void {
  const request = { from: leader, prevLogIndex: NONE, readContext: 0 };
  effects.sendOncePersisted.push(appendReply(replica, request, matched(replica.commitIndex)));
}

type Result = Pick<AppendEntriesReply, 'success' | 'matchIndex' | 'conflictIndex' | 'conflictTerm'>;

function matched(matchIndex: LogIndex): Result {
  return { success: true, matchIndex, conflictIndex: NONE, conflictTerm: 0 as Term };
}

function appendReply(
  replica: Replica,
  request: Pick<AppendEntries, 'from' | 'prevLogIndex' | 'readContext'>,
  result: Result,
): AppendEntriesReply {
  return {
    kind: 'appendEntriesReply',
    from: replica.node,
    to: request.from,
    term: replica.currentTerm,
    success: result.success,
    prevLogIndex: request.prevLogIndex,
    matchIndex: result.matchIndex,
    conflictIndex: result.conflictIndex,
    conflictTerm: result.conflictTerm,
    commitIndex: replica.commitIndex,
    readContext: request.readContext,
    repairing: replica.repair,
    journal: 0,
  };
}
