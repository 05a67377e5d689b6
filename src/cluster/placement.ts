/** Owns where a stream's replicas go: nodes that fit, those online first, the least loaded of them. */
import type { NodeId } from '../base/brand.ts';

export interface Candidate {
  readonly node: NodeId;
  readonly online: boolean;
  readonly jetstream: boolean;
  readonly tags: readonly string[];
  /** Streams it holds a replica of, and those it was to lead first. */
  readonly held: number;
  readonly led: number;
}

export interface PlacementRequest {
  readonly replicas: number;
  readonly tags: readonly string[];
}

export type Placement =
  | { readonly kind: 'placed'; readonly members: readonly NodeId[]; readonly firstLeader: NodeId }
  | { readonly kind: 'noPeers'; readonly reason: string };

/** A node that carries this tag takes nothing. */
const NO_JETSTREAM_TAG = '!jetstream';

/**
 * Deterministic: ties are broken by name. Offline nodes are taken only to fill up a group that has a quorum without
 * them, so a new group can always elect its leader.
 */
export function place(request: PlacementRequest, candidates: readonly Candidate[]): Placement {
  const fitting = candidates.filter((candidate) => isFitting(candidate, request.tags));
  const online = fitting.filter((candidate) => candidate.online).sort(byHeld);
  const offline = fitting.filter((candidate) => !candidate.online).sort(byHeld);
  const chosen = [...online, ...offline].slice(0, request.replicas);
  const quorum = Math.floor(request.replicas / 2) + 1;
  if (chosen.length < request.replicas || online.length < quorum) {
    return { kind: 'noPeers', reason: explain(request, candidates) };
  }
  const leader = chosen.filter((candidate) => candidate.online).sort(byLed)[0]!;
  return { kind: 'placed', members: chosen.map(({ node }) => node).sort(), firstLeader: leader.node };
}

function isFitting(candidate: Candidate, tags: readonly string[]): boolean {
  if (!candidate.jetstream || candidate.tags.includes(NO_JETSTREAM_TAG)) return false;
  return tags.every((tag) => hasTag(candidate, tag));
}

/** A tag that starts with `!` must be absent. Case does not count. */
function hasTag(candidate: Candidate, tag: string): boolean {
  const negative = tag.startsWith('!');
  const wanted = (negative ? tag.slice(1) : tag).toLowerCase();
  return candidate.tags.some((own) => own.toLowerCase() === wanted) !== negative;
}

function byHeld(a: Candidate, b: Candidate): number {
  return a.held - b.held || byName(a, b);
}

function byLed(a: Candidate, b: Candidate): number {
  return a.led - b.led || a.held - b.held || byName(a, b);
}

function byName(a: Candidate, b: Candidate): number {
  return a.node < b.node ? -1 : 1;
}

/** The text that the reference server's clients know, with each cause that ruled a node out. */
function explain(request: PlacementRequest, candidates: readonly Candidate[]): string {
  let reason = 'no suitable peers for placement';
  if (candidates.some(({ online }) => !online)) reason += ', peer offline';
  if (candidates.some(({ tags }) => tags.includes(NO_JETSTREAM_TAG))) reason += ', exclude tag set';
  if (candidates.some(({ jetstream }) => !jetstream)) reason += ', jetstream not enabled in cluster';
  const missing = request.tags.filter((tag) => candidates.some((candidate) => !hasTag(candidate, tag)));
  const unmatched = missing.filter((tag) => !tag.startsWith('!'));
  const excluded = missing.filter((tag) => tag.startsWith('!')).map((tag) => tag.slice(1));
  if (unmatched.length > 0) reason += `, tags not matched [${unmatched.map((tag) => `'${tag}'`).join(', ')}]`;
  if (excluded.length > 0) reason += `, tags excluded [${excluded.map((tag) => `'${tag}'`).join(', ')}]`;
  return reason;
}
