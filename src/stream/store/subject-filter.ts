/** Owns what a list of filter subjects means: everything, or what one of them matches. */
import { SubjectMatcher } from '../../base/subjects.ts';
import type { SubjectFilter } from '../types.ts';

/** Undefined when the filter lets everything through: no subjects, or `>` among them. */
export function subjectFilter(subjects: readonly string[]): SubjectFilter | undefined {
  return subjects.length === 0 || subjects.includes('>') ? undefined : new SubjectMatcher(subjects);
}
