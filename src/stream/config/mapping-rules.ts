/** Owns the rules for a stream's subject mappings: its transform, and where it republishes (streams.md 2.2, 2.6, 6). */
import {
  invalidStreamConfig,
  streamTransformInvalid,
  streamTransformSourceInvalid,
  type ApiError,
} from '../../base/api-errors.ts';
import { compileSubjectTransform } from '../../base/subject-transform.ts';
import { isValidSubject, subjectsCollide } from '../../base/subjects.ts';
import type { StreamConfig, SubjectMapping } from '../types.ts';

/** Nothing is drawn while a mapping is only looked at. */
const NO_CHANCE = (): number => 0;

/** Why the mapping can't work, in the words of the reference server. One without destination changes nothing. */
export function mappingError({ src, dest }: SubjectMapping): string | undefined {
  if (dest === '') return undefined;
  const result = compileSubjectTransform(src, dest, NO_CHANCE);
  return result.ok ? undefined : result.reason;
}

export function checkTransform({ subjectTransform }: Pick<StreamConfig, 'subjectTransform'>): ApiError | undefined {
  if (subjectTransform === undefined) return undefined;
  const { src } = subjectTransform;
  if (src !== '' && !isValidSubject(src)) return streamTransformSourceInvalid(`invalid subject ${src}`);
  const reason = mappingError(subjectTransform);
  return reason === undefined ? undefined : streamTransformInvalid(reason);
}

export function checkRepublish({
  republish,
  subjects,
}: Pick<StreamConfig, 'republish' | 'subjects'>): ApiError | undefined {
  if (republish === undefined) return undefined;
  const { src, dest } = republish;
  if (subjects.some((subject) => subjectsCollide(subject, dest))) {
    return invalidStreamConfig('stream configuration for republish destination forms a cycle');
  }
  return mappingError(republish) === undefined
    ? undefined
    : invalidStreamConfig(
        `stream configuration for republish with transform from '${src || '>'}' to '${dest}' not valid`,
      );
}
