/** Owns how what happens in a group is written down, one line each, for the scripts. */
import type { Effects } from '../../src/raft/core/effects.ts';
import { decodeMembership } from '../../src/raft/core/membership.ts';
import type { PeerMessage } from '../../src/raft/messages.ts';
import type { Entry } from '../../src/raft/types.ts';

function flagged(flags: { readonly [name: string]: boolean }): string {
  return Object.entries(flags)
    .filter(([, set]) => set)
    .map(([name]) => ` ${name}`)
    .join('');
}

function entryText(entry: Entry): string {
  const position = `${entry.index}@${entry.term}`;
  if (entry.kind === 'normal') return `${position}:${entry.body.toString('latin1')}`;
  if (entry.kind === 'empty') return `${position}:-`;
  const { voters, outgoing, learners } = decodeMembership(entry.body)!;
  const from = outgoing.length > 0 ? `<${outgoing.join('+')}` : '';
  return `${position}:[${voters.join('+')}${from}${learners.length > 0 ? `|${learners.join('+')}` : ''}]`;
}

export function messageText(message: PeerMessage): string {
  const head = `${message.kind} term=${message.term}`;
  switch (message.kind) {
    case 'requestVote': {
      const { preVote, leadershipTransfer } = message;
      return `${head} last=${message.lastLogIndex}@${message.lastLogTerm}${flagged({ preVote, leadershipTransfer })}`;
    }
    case 'requestVoteReply':
      return `${head} ${message.voteGranted ? 'granted' : 'refused'}${flagged({ preVote: message.preVote })}`;
    case 'appendEntries': {
      const { hibernate, repaired } = message;
      const entries = message.entries.map((entry) => ` ${entryText(entry)}`).join('');
      const position = `prev=${message.prevLogIndex}@${message.prevLogTerm} commit=${message.leaderCommit}`;
      return `${head} ${position}${entries}${flagged({ hibernate, repaired: repaired !== 0 })}`;
    }
    case 'appendEntriesReply': {
      const result = message.success
        ? `match=${message.matchIndex}`
        : `refused=${message.prevLogIndex} conflict=${message.conflictIndex}@${message.conflictTerm}`;
      return `${head} ${result}${flagged({ repairing: message.repairing !== 0 })}`;
    }
    case 'timeoutNow':
    case 'installSnapshot':
    case 'installSnapshotReply':
      return head;
  }
}

/** What a node wants done, but for messages: those are told when they leave. */
export function effectLines(node: string, effects: Effects): string[] {
  const lines: string[] = [];
  const { hardState } = effects;
  if (hardState !== undefined) {
    lines.push(`${node} persist term=${hardState.term} votedFor=${hardState.votedFor ?? '-'}`);
  }
  if (effects.append.length > 0) lines.push(`${node} persist ${effects.append.map(entryText).join(' ')}`);
  if (effects.repaired) lines.push(`${node} repaired`);
  if (effects.apply.length > 0) lines.push(`${node} apply ${effects.apply.map(entryText).join(' ')}`);
  if (effects.membershipOutcome !== undefined) lines.push(`${node} change ${effects.membershipOutcome}`);
  return lines;
}
