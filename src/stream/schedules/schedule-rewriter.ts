/**
 * Owns what the leader adds to schedules: that a newer one takes the place of an older one on its subject. It also says
 * whether it knows the time zone, as other nodes may have other tables.
 */
import { INVALID_SCHEDULE_TIME_ZONE, type ApiError } from '../../base/api-errors.ts';
import type { MessageDraft } from '../messages/message-draft.ts';
import { ROLLUP, SCHEDULE, SCHEDULE_TIME_ZONE } from '../messages/publish-headers.ts';
import type { MessageRewriter } from '../publish/rewriters.ts';
import { isKnownZone } from './time-zones.ts';

export class ScheduleRewriter implements MessageRewriter {
  rewrite(message: MessageDraft): ApiError | undefined {
    const { honoured } = message;
    if (!honoured.has(SCHEDULE)) return undefined;
    const zone = honoured.text(SCHEDULE_TIME_ZONE);
    if (zone !== '' && !isKnownZone(zone)) return INVALID_SCHEDULE_TIME_ZONE;
    if (!honoured.has(ROLLUP)) message.setHeader('Nats-Rollup', 'sub');
    return undefined;
  }
}
