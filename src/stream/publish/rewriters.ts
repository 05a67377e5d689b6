/** Owns what the leader changes in publishes before they are proposed, by what the stream's configuration asks for. */
import type { ApiError } from '../../base/api-errors.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { MessageDraft } from '../messages/message-draft.ts';
import { ScheduleRewriter } from '../schedules/schedule-rewriter.ts';
import { SubjectRewriter, transformOf } from './subject-rewriter.ts';
import { leastTtl, TtlRewriter } from '../expiry/ttl-rewriter.ts';
import type { StreamConfig } from '../types.ts';

/**
 * One kind of change. What is stored is what is in the log, so whatever a message is to become it must be before it is
 * proposed; every check that can be made when the entry is applied belongs there instead.
 */
export interface MessageRewriter {
  /** Changes `message` as it is to be stored, or leaves it alone. An error is its publisher's answer. */
  rewrite(message: MessageDraft): ApiError | undefined;
}

/** In the order in which a message passes them: its subject becomes what it will be before anybody looks at it. */
export function rewritersFor(config: StreamConfig, runtime: Runtime): readonly MessageRewriter[] {
  const transform = transformOf(config.subjectTransform, () => runtime.random());
  const least = leastTtl(config);
  return [
    ...(transform === undefined ? [] : [new SubjectRewriter(transform)]),
    ...(least > 0 ? [new TtlRewriter(least)] : []),
    ...(config.allowMsgSchedules ? [new ScheduleRewriter()] : []),
  ];
}
