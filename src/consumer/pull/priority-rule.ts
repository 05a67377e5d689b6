/**
 * Owns who may be served under a consumer's priority policy (consumers.md 5.7). The pin of a pinned client is part of the
 * replicated state, and counts once it is on record: so there is never a second one, not even across a change of leaders.
 */
import type { Runtime } from '../../base/runtime.ts';
import type { ConsumerAdvisories } from '../advisories.ts';
import type { Ledger } from '../state/ledger.ts';
import type { PullRequest } from './pull-queue.ts';
import type { PullRequestGroup } from './pull-request.ts';
import { randomToken } from '../random-token.ts';
import { badRequest, PIN_ID_MISMATCH } from './status-messages.ts';
import type { ConsumerConfig, PriorityGroupState } from '../types.ts';

const PIN_ID_LENGTH = 22;
const MAX_PRIORITY = 9;
/** Requests that name no priority at all come last. */
const NO_PRIORITY = MAX_PRIORITY + 1;

/** `pass`: others come first. `wait`: nobody is served now. `stale`: it names a pin that is over. */
export type Verdict = 'serve' | 'pass' | 'wait' | 'stale';

export interface PriorityServices {
  readonly runtime: Runtime;
  readonly advisories: ConsumerAdvisories;
  readonly nowMs: () => number;
  /** The pin changed: it has to be recorded. */
  readonly pinned: () => void;
  /** Messages never delivered yet, the one at hand among them. */
  readonly numPending: () => number;
}

/** Why a request is refused at once; undefined: it is not. */
export function groupRefusal(config: ConsumerConfig, pinId: string, group: PullRequestGroup): Buffer | undefined {
  const { priorityPolicy, priorityGroups } = config;
  if ((group.minPending !== 0 || group.minAckPending !== 0) && priorityPolicy !== 'overflow') {
    return badRequest('Not a Overflow Priority consumer');
  }
  if (group.id !== '' && priorityPolicy !== 'pinned_client') {
    return badRequest('Not a Pinned Client Priority consumer');
  }
  if (group.priority < 0 || group.priority > MAX_PRIORITY) return badRequest('Priority must be between 0 and 9');
  if (priorityPolicy === 'none') return undefined;
  if (group.name === '') return badRequest('Priority Group missing');
  if (!priorityGroups.includes(group.name)) return badRequest('Invalid Priority Group');
  return group.id !== '' && pinId !== '' && group.id !== pinId ? PIN_ID_MISMATCH : undefined;
}

export class PriorityRule {
  readonly #services: PriorityServices;
  readonly #ledger: Ledger;
  /** The pin was noted, and is not on record yet. */
  #unrecorded = false;
  /** It is in the entry on its way. */
  #inEntry = false;
  /** When the pin ends, unless it is renewed. */
  dueMs = Infinity;

  constructor(services: PriorityServices, ledger: Ledger) {
    this.#services = services;
    this.#ledger = ledger;
    // How long it has lasted under another leader is not known here.
    if (this.#pins && this.pinId !== '') this.renew();
  }

  get pinId(): string {
    return this.#ledger.state.pin.id;
  }

  get #config(): ConsumerConfig {
    return this.#ledger.state.config;
  }

  /** The first one: others share its pin. */
  get #group(): string {
    return this.#config.priorityGroups[0] ?? '';
  }

  get #pins(): boolean {
    return this.#config.priorityPolicy === 'pinned_client';
  }

  /** Of the first group, the only one whose state is shown. */
  get state(): PriorityGroupState | undefined {
    if (this.#config.priorityPolicy === 'none') return undefined;
    const { id, sinceUs } = this.#ledger.state.pin;
    return { group: this.#group, pinId: id, pinnedUs: id === '' ? undefined : sinceUs };
  }

  /** Where a request stands in the queue: lower numbers first, equal ones in order of arrival. */
  rankOf(group: PullRequestGroup | undefined): number {
    if (this.#config.priorityPolicy !== 'prioritized') return 0;
    return group?.priority ?? NO_PRIORITY;
  }

  judge(request: PullRequest): Verdict {
    switch (this.#config.priorityPolicy) {
      case 'none':
      case 'prioritized':
        return 'serve';
      case 'overflow':
        return this.#overflows(request.group) ? 'serve' : 'pass';
      case 'pinned_client':
        return this.#judgePinned(request);
    }
  }

  /** A request that was taken; one with the right pin keeps it alive. */
  admitted(group: PullRequestGroup | undefined): void {
    if (this.#pins && this.pinId !== '' && group?.id === this.pinId) this.renew();
  }

  beforeRecord(): void {
    this.#inEntry = this.#unrecorded;
  }

  afterRecord(): void {
    if (!this.#inEntry) return;
    this.#inEntry = false;
    this.#unrecorded = false;
    this.#services.advisories.pinned(this.#ledger.state.name, this.#group, this.pinId);
  }

  /** The client has `priority_timeout` from now on to ask again. */
  renew(): void {
    const { priorityTimeoutMs } = this.#config;
    this.dueMs = priorityTimeoutMs > 0 ? Math.ceil(this.#services.nowMs() + priorityTimeoutMs) : Infinity;
  }

  unpin(reason: 'timeout' | 'admin'): void {
    this.dueMs = Infinity;
    if (this.pinId !== '') this.#pin('');
    this.#services.advisories.unpinned(this.#ledger.state.name, this.#group, reason);
  }

  /** The policy may be another one now. */
  configured(): void {
    if (this.#pins) return;
    this.dueMs = Infinity;
    if (this.pinId !== '') this.#pin('');
  }

  #overflows(group: PullRequestGroup | undefined): boolean {
    if (group === undefined) return true;
    const { minPending, minAckPending } = group;
    if (minPending <= 0 && minAckPending <= 0) return true;
    const manyPending = minPending > 0 && this.#services.numPending() >= minPending;
    return manyPending || (minAckPending > 0 && this.#ledger.state.pending.size >= minAckPending);
  }

  #judgePinned(request: PullRequest): Verdict {
    const { group } = request;
    if (this.pinId === '') {
      // Without a group there is nobody to pin: the reference server serves such requests all the same.
      if (group === undefined) return 'serve';
      if (request.pinId !== '') return 'stale';
      this.renew();
      this.#pin(randomToken(this.#services.runtime, PIN_ID_LENGTH));
      request.pinId = this.pinId;
    }
    if (request.pinId === this.pinId) return this.#unrecorded ? 'wait' : 'serve';
    return request.pinId === '' ? 'pass' : 'stale';
  }

  #pin(id: string): void {
    this.#unrecorded = id !== '';
    this.#inEntry = false;
    this.#ledger.pin(id, this.#services.runtime.wallUs());
    this.#services.pinned();
  }
}
