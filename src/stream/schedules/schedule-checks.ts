/** Owns the checks of messages that are schedules, or come from one (streams.md 7.8), in the reference server's order. */
import {
  INVALID_SCHEDULE,
  INVALID_SCHEDULE_ROLLUP,
  INVALID_SCHEDULE_SOURCE,
  INVALID_SCHEDULE_TARGET,
  INVALID_SCHEDULE_TIME_ZONE,
  INVALID_SCHEDULE_TTL,
  INVALID_SCHEDULER,
  MESSAGE_TTL_DISABLED,
  SCHEDULES_DISABLED,
  type ApiError,
} from '../../base/api-errors.ts';
import { isLiteralSubject, subjectsCollide } from '../../base/subjects.ts';
import { messageTtl } from '../expiry/message-ttl.ts';
import {
  ROLLUP,
  SCHEDULE,
  SCHEDULE_NEXT,
  SCHEDULE_ROLLUP,
  SCHEDULE_SOURCE,
  SCHEDULE_TARGET,
  SCHEDULE_TIME_ZONE,
  SCHEDULE_TTL,
  SCHEDULER,
  type PublishHeaders,
} from '../messages/publish-headers.ts';
import type { ReplicatedState } from '../replicated-state.ts';
import { parseSchedule } from './schedule-pattern.ts';
import { isZoneName } from './time-zones.ts';
import type { StreamConfig } from '../types.ts';

/** What `Nats-Schedule-Next` says when the schedule is to go with the message it produced. */
export const PURGE_SCHEDULE = 'purge';
const ROLLUP_OF_SUBJECT = 'sub';

/** Where the message's subject is. */
export interface SubjectSlice {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Whether a message that says it is a schedule may be one. That its zone is known is for the leader to say. */
export function checkSchedule(
  headers: PublishHeaders,
  subject: SubjectSlice,
  config: StreamConfig,
): ApiError | undefined {
  if (!headers.has(SCHEDULE) && !headers.hasEmptyTimeZone) return undefined;
  if (!config.allowMsgSchedules) return SCHEDULES_DISABLED;
  if (headers.hasEmptyTimeZone) return INVALID_SCHEDULE_TIME_ZONE;
  const hasZone = headers.has(SCHEDULE_TIME_ZONE);
  if (hasZone && !isZoneName(headers.text(SCHEDULE_TIME_ZONE))) return INVALID_SCHEDULE_TIME_ZONE;
  const pattern = parseSchedule(headers.text(SCHEDULE));
  if (pattern === undefined || (hasZone && pattern.kind !== 'cron')) return INVALID_SCHEDULE;
  return checkProduct(headers, config) ?? checkPlaces(headers, subject, config) ?? checkOwnRollup(headers);
}

function checkProduct(headers: PublishHeaders, config: StreamConfig): ApiError | undefined {
  const hasTtl = headers.has(SCHEDULE_TTL);
  if (hasTtl && messageTtl(headers, SCHEDULE_TTL) === undefined) return INVALID_SCHEDULE_TTL;
  const rollup = headers.text(SCHEDULE_ROLLUP);
  if (rollup !== '' && rollup !== ROLLUP_OF_SUBJECT) return INVALID_SCHEDULE_ROLLUP;
  return hasTtl && !config.allowMsgTtl ? MESSAGE_TTL_DISABLED : undefined;
}

function checkPlaces(headers: PublishHeaders, subject: SubjectSlice, config: StreamConfig): ApiError | undefined {
  const own = subject.buffer.toString('utf8', subject.start, subject.end);
  const target = headers.text(SCHEDULE_TARGET);
  const source = headers.text(SCHEDULE_SOURCE);
  const isPlace = (place: string): boolean =>
    place !== own && isLiteralSubject(place) && config.subjects.some((each) => subjectsCollide(each, place));
  if (source !== '' && (source === target || !isPlace(source))) return INVALID_SCHEDULE_SOURCE;
  return isPlace(target) ? undefined : INVALID_SCHEDULE_TARGET;
}

function checkOwnRollup(headers: PublishHeaders): ApiError | undefined {
  const rollup = headers.text(ROLLUP).toLowerCase();
  return rollup === '' || rollup === ROLLUP_OF_SUBJECT ? undefined : INVALID_SCHEDULE_ROLLUP;
}

/** Whether a message may say that it comes from a schedule, and ends it. */
export function checkScheduler(
  headers: PublishHeaders,
  subject: SubjectSlice,
  state: ReplicatedState,
): ApiError | undefined {
  if (!headers.has(SCHEDULER) && !headers.has(SCHEDULE_NEXT)) return undefined;
  const scheduler = headers.text(SCHEDULER);
  const own = subject.buffer.toString('utf8', subject.start, subject.end);
  if (headers.text(SCHEDULE_NEXT) !== PURGE_SCHEDULE) return INVALID_SCHEDULER;
  if (scheduler === own || !isLiteralSubject(scheduler)) return INVALID_SCHEDULER;
  if (!state.config.allowMsgSchedules) return SCHEDULES_DISABLED;
  const bytes = Buffer.from(scheduler);
  const isUsed = state.store.subjects.find(bytes, 0, bytes.length) >= 0;
  return isUsed && lastSchedule(scheduler, state) === 0 ? INVALID_SCHEDULER : undefined;
}

/** The last message of the subject, if that is a schedule; 0 otherwise. */
export function lastSchedule(subject: string, { store, schedules }: ReplicatedState): number {
  const bytes = Buffer.from(subject);
  const id = store.subjects.find(bytes, 0, bytes.length);
  const last = id < 0 ? 0 : store.lastOf(id);
  return schedules.has(last) ? last : 0;
}
