/** The door of kv/. */
export { directGet, NOT_FOUND } from './direct-get.ts';
export type { DirectGetRequest } from './direct-get.ts';
export { ReplyWriter, statusReply } from './direct-reply.ts';
export { lookUpMessage } from './message-lookup.ts';
export type { Lookup, MessageSelector } from './message-lookup.ts';
