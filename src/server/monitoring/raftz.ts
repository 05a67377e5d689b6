/** Owns `/raftz`: the Raft groups of this server, by the account that owns what they replicate. */
import { formatRtt, unlessEmpty, ZERO_TIME } from './format.ts';
import type { Query } from './query.ts';
import type { MonitoringSources, RaftGroupFacts } from './sources.ts';

/** Undefined: this server has no groups at all. */
export function raftz(sources: MonitoringSources, query: Query): object | undefined {
  const groups = sources.raftGroups();
  if (groups.length === 0) return undefined;
  const { systemAccount } = sources.options().security;
  const account = query.text('acc') === '' ? systemAccount : query.text('acc');
  const name = query.text('group');
  const nowUs = sources.nowUs();
  const shown = groups
    .filter((group) => group.account === account && (name === '' || group.name === name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (shown.length === 0) return {};
  return { [account]: Object.fromEntries(shown.map((group) => [group.name, describe(group, systemAccount, nowUs)])) };
}

function describe(group: RaftGroupFacts, systemAccount: string, nowUs: number) {
  return {
    id: group.ownPeer,
    state: group.role,
    size: group.members.length,
    quorum_needed: Math.floor(group.members.length / 2) + 1,
    ...unlessEmpty('observer', group.learner),
    committed: group.committed,
    applied: group.applied,
    ...unlessEmpty('catching_up', group.catchingUp),
    ...unlessEmpty('leader', group.leaderPeer),
    ever_had_leader: group.term > 0,
    term: group.term,
    pterm: group.term,
    pindex: group.lastIndex,
    system_account: group.account === systemAccount,
    traffic_account: systemAccount,
    ipq_proposal_len: 0,
    ipq_entry_len: 0,
    ipq_resp_len: 0,
    ipq_apply_len: 0,
    wal: log(group),
    peers: peers(group, nowUs),
  };
}

/** The log in the words of a stream's state, as the reference server stores it. */
function log(group: RaftGroupFacts) {
  return {
    messages: group.lastIndex,
    bytes: 0,
    first_seq: Math.min(1, group.lastIndex),
    first_ts: ZERO_TIME,
    last_seq: group.lastIndex,
    last_ts: ZERO_TIME,
    consumer_count: 0,
  };
}

function peers(group: RaftGroupFacts, nowUs: number) {
  const others = group.members.filter(({ peer }) => peer !== group.ownPeer);
  return Object.fromEntries(
    others.map(({ peer, name, lastReplicatedIndex, lastSeenUs }) => [
      peer,
      {
        name,
        known: true,
        ...unlessEmpty('last_replicated_index', lastReplicatedIndex),
        ...(lastSeenUs === undefined ? {} : { last_seen: formatRtt(nowUs - lastSeenUs) }),
      },
    ]),
  );
}
