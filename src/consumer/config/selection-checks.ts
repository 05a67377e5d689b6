/** Owns what is refused of the choice of messages: filters, and where a consumer begins (consumers.md 1.4). */
import {
  BOTH_FILTER_FORMS,
  EMPTY_FILTER,
  FILTERS_OVERLAP,
  invalidDeliverPolicy,
  invalidStreamConfig,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import { SubjectOverlap } from '../../base/subject-overlap.ts';
import { isSubjectSubset, isValidSubject } from '../../base/subjects.ts';
import type { ConsumerConfigRequest } from './request.ts';

export function checkFilters({ filterSubject, filterSubjects }: ConsumerConfigRequest): ApiError | undefined {
  if (filterSubject !== '' && filterSubjects.length > 0) return BOTH_FILTER_FORMS;
  if (filterSubject !== '' && !isValidSubject(filterSubject)) return invalidStreamConfig('invalid subject');
  for (const filter of filterSubjects) {
    if (filter === '') return EMPTY_FILTER;
    if (!isValidSubject(filter)) return invalidStreamConfig('invalid subject');
  }
  return filtersOverlap(filterSubjects) ? FILTERS_OVERLAP : undefined;
}

const MAX_COMPARED_FILTERS = 1000;

/** One covers another. Among very many it is enough that they collide: comparing each with each would take too long. */
function filtersOverlap(filters: readonly string[]): boolean {
  const earlier = new SubjectOverlap();
  const collide = filters.some((filter) => {
    const found = earlier.find(filter) !== undefined || earlier.exhausted;
    earlier.add(filter);
    return found;
  });
  if (!collide || filters.length > MAX_COMPARED_FILTERS) return collide;
  return filters.some((filter, index) => filters.some((other, at) => at !== index && isSubjectSubset(filter, other)));
}

const POLICY_NAMES = {
  all: 'all',
  last: 'last',
  new: 'new',
  last_per_subject: 'last per subject',
  by_start_sequence: 'by start sequence',
  by_start_time: 'by start time',
} as const;

export function checkStart(request: ConsumerConfigRequest): ApiError | undefined {
  const { deliverPolicy } = request;
  const hasSeq = request.optStartSeq > 0;
  const hasTime = request.optStartTimeUs !== undefined;
  const but = (text: string): ApiError =>
    invalidDeliverPolicy(`consumer delivery policy is deliver ${POLICY_NAMES[deliverPolicy]}, but optional ${text}`);
  switch (deliverPolicy) {
    case 'by_start_sequence':
      if (!hasSeq) return but('start sequence is not set');
      return hasTime ? but('start time is also set') : undefined;
    case 'by_start_time':
      if (!hasTime) return but('start time is not set');
      // The doubled word is the reference server's.
      return hasSeq ? but('start start sequence is also set') : undefined;
    case 'all':
    case 'last':
    case 'new':
    case 'last_per_subject': {
      if (hasSeq) return but('start sequence is also set');
      if (hasTime) return but('start time is also set');
      const filtered = request.filterSubject !== '' || request.filterSubjects.length > 0;
      return deliverPolicy === 'last_per_subject' && !filtered ? but('filter subject is not set') : undefined;
    }
  }
}
