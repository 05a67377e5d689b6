/** The door of protocol/: the client protocol as bytes, without sockets, subscriptions or time. */
export { equalBytes, NO_BYTES } from './bytes.ts';
export { ChunkPool } from './chunk-pool.ts';
export { type ConnectOptions, type Credentials, DEFAULT_OPTIONS, parseConnectOptions } from './connect-options.ts';
export { type ConnectionInfo, formatInfo, type ServerInfo } from './info.ts';
export { Message } from './message.ts';
export { type OperationHandler, type ParseFailure, type ParserTerms, ProtocolParser } from './parser.ts';
export {
  type CloseReason,
  ERR,
  noRespondersStatus,
  publishViolation,
  replyViolation,
  subscriptionViolation,
} from './refusals.ts';
export { classifySubject, isServerReply, isServerSubject, type SubjectKind, subjectMatches } from './subjects.ts';
export { ProtocolWriter } from './writer.ts';
