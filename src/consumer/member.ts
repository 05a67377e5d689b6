/** Owns a consumer as this replica has it, and finding those that want a message. */
import type { SubjectFilter } from '../stream/index.ts';
import type { Consumer } from './consumer.ts';
import { FilterIndex } from './filter-index.ts';
import type { ReplicatedConsumer } from './state/replicated-state.ts';

export interface Member {
  /** Of a direct consumer: how it began. Its state is with `leader` alone. */
  replicated: ReplicatedConsumer;
  filter: SubjectFilter | undefined;
  /** On the leader only. */
  leader: Consumer | undefined;
}

export class MemberIndex {
  readonly #filtered = new FilterIndex<Member>();
  readonly #unfiltered = new Set<Member>();

  /** Those that want everything. */
  get unfiltered(): ReadonlySet<Member> {
    return this.#unfiltered;
  }

  get hasFilters(): boolean {
    return !this.#filtered.empty;
  }

  /** Those with a filter that lets the subject in `buffer[start, end)` through. */
  filteredFor(buffer: Buffer, start: number, end: number): readonly Member[] {
    return this.#filtered.match(buffer, start, end);
  }

  /** Whether anybody wants the subject in `buffer[start, end)`. */
  wants(buffer: Buffer, start: number, end: number): boolean {
    if (this.#unfiltered.size > 0) return true;
    return !this.#filtered.empty && this.#filtered.match(buffer, start, end).length > 0;
  }

  add(member: Member): void {
    if (member.filter === undefined) this.#unfiltered.add(member);
    else for (const subject of member.filter.subjects) this.#filtered.add(subject, member);
  }

  /** Its filter must be the one that it was added with. */
  remove(member: Member): void {
    if (member.filter === undefined) this.#unfiltered.delete(member);
    else for (const subject of member.filter.subjects) this.#filtered.remove(subject, member);
  }
}

/** Whether a message got through a filter; undefined: its subject in subject[start, end) is not at hand. */
export function matchOf(
  filter: SubjectFilter | undefined,
  subject: Buffer | undefined,
  start = 0,
  end = 0,
): boolean | undefined {
  return filter === undefined || (subject === undefined ? undefined : filter.matches(subject, start, end));
}
