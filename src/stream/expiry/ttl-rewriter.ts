/** Owns raising times to live to that of the stream's delete markers: a marker must not outlive what it is left for. */
import { MessageHeaders } from '../messages/message-headers.ts';
import type { MessageDraft } from '../messages/message-draft.ts';
import { messageTtl, NEVER_EXPIRES, parseMessageTtl } from './message-ttl.ts';
import { TTL } from '../messages/publish-headers.ts';
import type { MessageRewriter } from '../publish/rewriters.ts';
import type { StreamConfig } from '../types.ts';

const TTL_HEADER = 'Nats-TTL';

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
    message.removeHeader(TTL_HEADER);
    message.setHeader(TTL_HEADER, String(this.#least));
  }
}

/** The same for a header block of its own: the very block if nothing changes. */
export function raisedTtl(block: Buffer, least: number): Buffer {
  if (least === 0 || !block.includes(TTL_HEADER)) return block;
  const headers = MessageHeaders.parse(block);
  const ttl = parseMessageTtl(headers.get(TTL_HEADER) ?? '');
  if (ttl === undefined || ttl === NEVER_EXPIRES || ttl >= least) return block;
  headers.remove((name) => name === TTL_HEADER);
  headers.add(TTL_HEADER, String(least));
  return headers.encode();
}
