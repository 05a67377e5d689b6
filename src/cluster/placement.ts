/**
 * Owns where a stream's replicas go: nodes that fit, those online first, then those with most room and the fewest
 * replicas already. Deterministic: ties are broken by name.
 */
import type { NodeId } from '../base/brand.ts';

export interface Candidate {
  readonly node: NodeId;
  readonly online: boolean;
  readonly jetstream: boolean;
  readonly tags: readonly string[];
  /** Streams it holds a replica of, those of them that have more replicas, and those it was to lead first. */
  readonly held: number;
  readonly replicated: number;
  readonly led: number;
  /** What it may still store of the kind asked for; undefined: it has not told. */
  readonly availableBytes: number | undefined;
}

export interface PlacementRequest {
  readonly replicas: number;
  readonly tags: readonly string[];
  /** What the stream may grow to; 0 or less: no limit is set. */
  readonly maxBytes: number;
  /** Hold it already, and stay as long as they fit; the first of them are kept first. */
  readonly keep: readonly NodeId[];
  /** Are not to hold it any more. */
  readonly without: readonly NodeId[];
}

/** What the node's configuration asks of every placement. */
export interface PlacementRules {
  /** Nodes of one stream must differ in the tag that begins so; empty: none. */
  readonly uniqueTag: string;
  /** Replicas of replicated streams that a node may hold; 0: any number. */
  readonly maxReplicated: number;
}

export type Placement =
  | { readonly kind: 'placed'; readonly members: readonly NodeId[]; readonly firstLeader: NodeId }
  | { readonly kind: 'noPeers'; readonly reason: string };

type Cause = 'offline' | 'exclude' | 'storage' | 'unique' | 'misc' | 'disabled' | 'tags';

/** A node that carries this tag takes nothing. */
const NO_JETSTREAM_TAG = '!jetstream';
/** Differences in room below this part of the largest count for nothing, or one node would get all small streams. */
const ROOM_STEPS = 32;

/**
 * Offline nodes are taken only to fill up a group that has a quorum without them, so that it can elect its leader. With
 * fewer replicas than are kept, those kept are the first.
 */
export function place(
  request: PlacementRequest,
  candidates: readonly Candidate[],
  rules: PlacementRules = { uniqueTag: '', maxReplicated: 0 },
): Placement {
  const usable = candidates.filter(({ node }) => !request.without.includes(node));
  const causes = new Set<Cause>();
  const fitting = usable.filter((candidate) => {
    const cause = obstacle(candidate, request, rules);
    if (cause !== undefined) causes.add(cause);
    return cause === undefined;
  });
  const ordered = inOrder(request, fitting);
  const chosen = pickDistinct(ordered, request, rules, causes);
  const online = chosen.filter((candidate) => candidate.online);
  if (usable.some((candidate) => !candidate.online)) causes.add('offline');
  if (chosen.length < request.replicas || online.length < Math.floor(request.replicas / 2) + 1) {
    return { kind: 'noPeers', reason: explain(request, usable, causes) };
  }
  const kept = chosen.find(({ node }) => request.keep.includes(node));
  const leader = kept ?? [...online].sort(byLed)[0]!;
  return { kind: 'placed', members: chosen.map(({ node }) => node).sort(), firstLeader: leader.node };
}

/** Why a node can't hold the stream, whoever else does. */
function obstacle(candidate: Candidate, request: PlacementRequest, rules: PlacementRules): Cause | undefined {
  if (candidate.tags.includes(NO_JETSTREAM_TAG)) return 'exclude';
  if (!candidate.jetstream) return 'disabled';
  if (!request.tags.every((tag) => hasTag(candidate, tag))) return 'tags';
  // It has the room that it has taken already.
  if (request.keep.includes(candidate.node)) return undefined;
  if (request.maxBytes > (candidate.availableBytes ?? Infinity)) return 'storage';
  const crowded = rules.maxReplicated > 0 && request.replicas > 1 && candidate.replicated >= rules.maxReplicated;
  return crowded ? 'misc' : undefined;
}

function inOrder({ keep, replicas }: PlacementRequest, fitting: readonly Candidate[]): Candidate[] {
  const most = Math.max(1, ...fitting.map(({ availableBytes }) => availableBytes ?? 0));
  const room = ({ availableBytes }: Candidate): number => Math.round(((availableBytes ?? most) / most) * ROOM_STEPS);
  const byLoad = (a: Candidate, b: Candidate): number => {
    if (replicas > 1 && a.replicated !== b.replicated) return a.replicated - b.replicated;
    return room(b) - room(a) || a.held - b.held || byName(a, b);
  };
  const position = ({ node }: Candidate): number => keep.indexOf(node);
  const kept = fitting.filter((one) => position(one) >= 0).sort((a, b) => position(a) - position(b));
  const others = fitting.filter((one) => position(one) < 0);
  const online = others.filter((one) => one.online).sort(byLoad);
  return [...kept, ...online, ...others.filter((one) => !one.online).sort(byLoad)];
}

/** As many as are asked for, in this order, that differ in the tag in which they must. */
function pickDistinct(
  ordered: readonly Candidate[],
  request: PlacementRequest,
  { uniqueTag }: PlacementRules,
  causes: Set<Cause>,
): Candidate[] {
  // Whoever asks for one value of the tag has taken the choice away.
  const isFixed = request.tags.some((tag) => tag.toLowerCase().startsWith(uniqueTag.toLowerCase()));
  if (uniqueTag === '' || isFixed) return ordered.slice(0, request.replicas);
  const taken = new Set<string>();
  const chosen: Candidate[] = [];
  for (const candidate of ordered) {
    if (chosen.length === request.replicas) break;
    const value = candidate.tags.find((tag) => tag.toLowerCase().startsWith(uniqueTag.toLowerCase()));
    if (value === undefined || taken.has(value.toLowerCase())) {
      causes.add('unique');
      continue;
    }
    taken.add(value.toLowerCase());
    chosen.push(candidate);
  }
  return chosen;
}

/** A tag that starts with `!` must be absent. Case does not count. */
export function hasTag(candidate: { readonly tags: readonly string[] }, tag: string): boolean {
  const negative = tag.startsWith('!');
  const wanted = (negative ? tag.slice(1) : tag).toLowerCase();
  return candidate.tags.some((own) => own.toLowerCase() === wanted) !== negative;
}

function byLed(a: Candidate, b: Candidate): number {
  return a.led - b.led || a.held - b.held || byName(a, b);
}

function byName(a: Candidate, b: Candidate): number {
  return a.node < b.node ? -1 : 1;
}

const TEXTS: readonly (readonly [Cause, string])[] = [
  ['offline', ', peer offline'],
  ['exclude', ', exclude tag set'],
  ['storage', ', insufficient storage'],
  ['unique', ', server tag not unique'],
  ['misc', ', miscellaneous issue'],
  ['disabled', ', jetstream not enabled in cluster'],
];

/** The text that the reference server's clients know, with each cause that ruled a node out. */
function explain(request: PlacementRequest, candidates: readonly Candidate[], causes: ReadonlySet<Cause>): string {
  let reason = 'no suitable peers for placement';
  for (const [cause, text] of TEXTS) if (causes.has(cause)) reason += text;
  // Of each node the first one that rules it out.
  const first = candidates.flatMap((candidate) => request.tags.find((tag) => !hasTag(candidate, tag)) ?? []);
  const missing = [...new Set(first)];
  const unmatched = missing.filter((tag) => !tag.startsWith('!'));
  const excluded = missing.filter((tag) => tag.startsWith('!')).map((tag) => tag.slice(1));
  if (unmatched.length > 0) reason += `, tags not matched [${unmatched.map((tag) => `'${tag}'`).join(', ')}]`;
  if (excluded.length > 0) reason += `, tags excluded [${excluded.map((tag) => `'${tag}'`).join(', ')}]`;
  return reason;
}
