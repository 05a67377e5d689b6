/** Owns what is refused of priority groups (consumers.md 1.4). */
import {
  EMPTY_PRIORITY_GROUP,
  GROUPS_WITHOUT_POLICY,
  INVALID_PRIORITY_GROUP,
  PINNED_TTL_WITHOUT_POLICY,
  PRIORITY_GROUPS_REQUIRED,
  PRIORITY_GROUPS_WITH_PUSH,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import { isPush } from './request.ts';
import type { ConsumerConfigRequest } from './request.ts';

export function checkPriority(request: ConsumerConfigRequest): ApiError | undefined {
  const { priorityPolicy, priorityGroups, priorityTimeoutMs } = request;
  if (priorityPolicy === 'none') {
    if (priorityGroups.length > 0) return GROUPS_WITHOUT_POLICY;
    return priorityTimeoutMs > 0 ? PINNED_TTL_WITHOUT_POLICY : undefined;
  }
  if (isPush(request)) return PRIORITY_GROUPS_WITH_PUSH;
  if (priorityGroups.length === 0) return PRIORITY_GROUPS_REQUIRED;
  if (priorityGroups.includes('')) return EMPTY_PRIORITY_GROUP;
  return priorityGroups.every(isPriorityGroup) ? undefined : INVALID_PRIORITY_GROUP;
}

export function isPriorityGroup(name: string): boolean {
  return /^[a-zA-Z0-9/_=-]{1,16}$/.test(name);
}
