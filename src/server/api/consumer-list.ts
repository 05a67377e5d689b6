/** Owns CONSUMER.LIST (consumers.md 2.4). */
import type { StreamAssignment } from '../../cluster/index.ts';
import type { ApiBackend } from './backend.ts';
import { clampOffset, decodeOptionalBody, failure, success } from './call.ts';
import type { Endpoint } from './call.ts';
import { describeConsumer } from './consumer-answers.ts';
import { CONSUMERS_REQUEST, EMPTY_PAGE } from './consumer-names.ts';
import { nanosToMs } from './wire.ts';

const CONSUMERS_PER_PAGE = 256;

export const CONSUMER_LIST: Endpoint = {
  subject: 'CONSUMER.LIST.*',
  responseType: 'consumer_list_response',
  place: 'streamLeader',
  failure: EMPTY_PAGE,

  handle(call) {
    const body = decodeOptionalBody(call, CONSUMERS_REQUEST);
    if (!body.ok) return failure(body.error);
    const names = call.consumers.names();
    const offset = clampOffset(body.value.offset, names.length);
    const infos = names.slice(offset, offset + CONSUMERS_PER_PAGE).map((name) => call.consumers.info(name));
    const consumers = infos.filter((info) => info !== undefined).map((info) => describeConsumer(call, info, true));
    return success({ total: names.length, offset, limit: CONSUMERS_PER_PAGE, consumers });
  },
};

/** What limits of a stream concern. */
export interface LimitedConsumer {
  readonly name: string;
  readonly maxAckPending: number;
  readonly inactiveThresholdMs: number;
}

interface ListAnswer {
  readonly error?: object;
  readonly total: number;
  readonly consumers: readonly {
    readonly name: string;
    readonly config: { readonly max_ack_pending?: number; readonly inactive_threshold?: number };
  }[];
}

/** All consumers of a stream, from its leader. Undefined: no answer in time. */
export async function askForConsumers(
  backend: ApiBackend,
  assignment: StreamAssignment,
  timeoutMs: number,
): Promise<LimitedConsumer[] | undefined> {
  const found: LimitedConsumer[] = [];
  const subject = `$JS.API.CONSUMER.LIST.${assignment.name}`;
  for (;;) {
    const body = Buffer.from(JSON.stringify({ offset: found.length }));
    const request = { account: assignment.account, subject, headers: Buffer.alloc(0), body };
    const answer = await backend.askStreamLeader(assignment, request, timeoutMs);
    if (answer === undefined) return undefined;
    const page = JSON.parse(answer.body.toString()) as ListAnswer;
    if (page.error !== undefined) return undefined;
    for (const { name, config } of page.consumers) {
      const inactiveThresholdMs = nanosToMs(config.inactive_threshold ?? 0);
      found.push({ name, maxAckPending: config.max_ack_pending ?? 0, inactiveThresholdMs });
    }
    if (page.consumers.length === 0 || found.length >= page.total) return found;
  }
}
