/** Owns the table of API calls, and finding the one that a subject names. */
import { ACCOUNT_INFO } from './account-info.ts';
import { ACCOUNT_PURGE } from './account-purge.ts';
import type { Endpoint } from './call.ts';
import {
  CONSUMER_CREATE,
  CONSUMER_CREATE_FILTERED,
  CONSUMER_CREATE_NAMED,
  CONSUMER_DURABLE_CREATE,
} from './consumer-create.ts';
import { CONSUMER_DELETE } from './consumer-delete.ts';
import { CONSUMER_INFO } from './consumer-info.ts';
import { CONSUMER_PAUSE } from './consumer-pause.ts';
import { CONSUMER_LIST } from './consumer-list.ts';
import { CONSUMER_NAMES } from './consumer-names.ts';
import { CONSUMER_UNPIN } from './consumer-unpin.ts';
import { CONSUMER_RESET } from './consumer-reset.ts';
import { DIRECT_GET, DIRECT_GET_LAST } from './direct-get.ts';
import { MESSAGE_DELETE } from './message-delete.ts';
import { MESSAGE_GET } from './message-get.ts';
import { META_RESCUE, SERVER_EVACUATE, SERVER_REMOVE } from './server-members.ts';
import { CONSUMER_LEADER_STEPDOWN, META_LEADER_STEPDOWN, STREAM_LEADER_STEPDOWN } from './stepdown.ts';
import { STREAM_CREATE } from './stream-create.ts';
import { STREAM_DELETE } from './stream-delete.ts';
import { STREAM_INFO } from './stream-info.ts';
import { STREAM_LIST } from './stream-list.ts';
import { ACCOUNT_STREAM_CANCEL_MOVE, ACCOUNT_STREAM_MOVE, STREAM_CANCEL_MOVE } from './stream-move.ts';
import { STREAM_NAMES } from './stream-names.ts';
import {
  CONSUMER_PEER_EVACUATE,
  CONSUMER_PEER_REMOVE,
  STREAM_PEER_EVACUATE,
  STREAM_PEER_REMOVE,
} from './stream-peers.ts';
import { STREAM_PURGE } from './stream-purge.ts';
import { STREAM_RESTORE } from './stream-restore.ts';
import { STREAM_SNAPSHOT } from './stream-snapshot.ts';
import { STREAM_UPDATE } from './stream-update.ts';

const API_PREFIX = '$JS.API.';

const ENDPOINTS: readonly Endpoint[] = [
  ACCOUNT_INFO,
  ACCOUNT_PURGE,
  STREAM_CREATE,
  STREAM_UPDATE,
  STREAM_INFO,
  STREAM_NAMES,
  STREAM_LIST,
  STREAM_DELETE,
  STREAM_PURGE,
  STREAM_SNAPSHOT,
  STREAM_RESTORE,
  MESSAGE_GET,
  MESSAGE_DELETE,
  DIRECT_GET,
  DIRECT_GET_LAST,
  STREAM_LEADER_STEPDOWN,
  META_LEADER_STEPDOWN,
  CONSUMER_CREATE,
  CONSUMER_CREATE_NAMED,
  CONSUMER_CREATE_FILTERED,
  CONSUMER_DURABLE_CREATE,
  CONSUMER_INFO,
  CONSUMER_PAUSE,
  CONSUMER_NAMES,
  CONSUMER_LIST,
  CONSUMER_DELETE,
  CONSUMER_RESET,
  CONSUMER_UNPIN,
  CONSUMER_LEADER_STEPDOWN,
  STREAM_PEER_REMOVE,
  STREAM_PEER_EVACUATE,
  CONSUMER_PEER_REMOVE,
  CONSUMER_PEER_EVACUATE,
  STREAM_CANCEL_MOVE,
  ACCOUNT_STREAM_MOVE,
  ACCOUNT_STREAM_CANCEL_MOVE,
  SERVER_REMOVE,
  SERVER_EVACUATE,
  META_RESCUE,
];

const PATTERNS = ENDPOINTS.map((endpoint) => ({ endpoint, tokens: endpoint.subject.split('.') }));

export interface FoundEndpoint {
  readonly endpoint: Endpoint;
  readonly args: readonly string[];
}

/** Undefined: there is no such call. */
export function findEndpoint(subject: string): FoundEndpoint | undefined {
  if (!subject.startsWith(API_PREFIX)) return undefined;
  const tokens = subject.slice(API_PREFIX.length).split('.');
  for (const pattern of PATTERNS) {
    const args = matchTokens(pattern.tokens, tokens);
    if (args !== undefined) return { endpoint: pattern.endpoint, args };
  }
  return undefined;
}

function matchTokens(pattern: readonly string[], tokens: readonly string[]): string[] | undefined {
  const args: string[] = [];
  for (const [index, expected] of pattern.entries()) {
    const token = tokens[index];
    if (token === undefined || token === '') return undefined;
    if (expected === '>') return [...args, tokens.slice(index).join('.')];
    if (expected === '*') args.push(token);
    else if (expected !== token) return undefined;
  }
  return tokens.length === pattern.length ? args : undefined;
}
