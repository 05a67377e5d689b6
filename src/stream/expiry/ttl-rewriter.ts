/** Owns raising times to live to that of the stream's delete markers: a marker must not outlive what it is left for. */
import type { MessageDraft } from '../messages/message-draft.ts';
import { messageTtl, NEVER_EXPIRES } from './message-ttl.ts';
import { TTL } from '../messages/publish-headers.ts';
import type { MessageRewriter } from '../publish/rewriters.ts';
import type { StreamConfig } from '../types.ts';

/** The least time to live of a message in whole seconds; 0: any will do. */
export function leastTtl({ subjectDeleteMarkerTtlMs, maxMsgsPerSubject }: StreamConfig): number {
  return maxMsgsPerSubject === 1 ? 0 : Math.floor(subjectDeleteMarkerTtlMs / 1000);
}

export class TtlRewriter implements MessageRewriter {
  readonly #least: number;

  constructor(least: number) {
    this.#least = least;
  }

  rewrite(message: MessageDraft): undefined {
    if (!message.honoured.has(TTL)) return;
    const ttl = messageTtl(message.honoured, TTL);
    if (ttl === undefined || ttl === NEVER_EXPIRES || ttl >= this.#least) return;
    message.removeHeader('Nats-TTL');
    message.setHeader('Nats-TTL', String(this.#least));
  }
}
