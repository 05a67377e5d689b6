/** Owns deciding by subject id whether a filter matches, remembering recent answers: streams repeat their subjects. */
import type { SubjectIndex } from './subject-index.ts';
import type { SubjectFilter } from '../types.ts';

const CACHE_BITS = 8;
const CACHE_SIZE = 1 << CACHE_BITS;

export class SubjectMatcher {
  readonly #subjects: SubjectIndex;
  readonly #filter: SubjectFilter;
  readonly #ids = new Uint32Array(CACHE_SIZE);
  /** Birth of the subject that had the id when it was asked for: ids are given out again. 0: nothing remembered. */
  readonly #births = new Uint32Array(CACHE_SIZE);
  readonly #answers = new Uint8Array(CACHE_SIZE);

  constructor(subjects: SubjectIndex, filter: SubjectFilter) {
    this.#subjects = subjects;
    this.#filter = filter;
  }

  /** `id` must be that of a live message's subject. */
  matches(id: number): boolean {
    const slot = id & (CACHE_SIZE - 1);
    const birth = this.#subjects.birthOf(id);
    if (this.#ids[slot] === id && this.#births[slot] === birth) return this.#answers[slot] === 1;
    const answer = this.#subjects.matches(id, this.#filter);
    this.#ids[slot] = id;
    this.#births[slot] = birth;
    this.#answers[slot] = answer ? 1 : 0;
    return answer;
  }
}
