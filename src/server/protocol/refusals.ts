/** Owns the texts of `-ERR` and the reasons for closing a connection, spelled as clients and tools know them. */

/** Clients give up for good on a text that they do not know, so no other may ever be sent. */
export const ERR = {
  unknownOperation: 'Unknown Protocol Operation',
  maxControlLine: 'maximum control line exceeded',
  maxPayload: 'Maximum Payload Violation',
  invalidPublishSubject: 'Invalid Publish Subject',
  invalidSubject: 'Invalid Subject',
  maxSubscriptions: 'maximum subscriptions exceeded',
  maxConnections: 'maximum connections exceeded',
  authorization: 'Authorization Violation',
  authenticationTimeout: 'Authentication Timeout',
  staleConnection: 'Stale Connection',
  invalidClientProtocol: 'invalid client protocol',
  noRespondersNeedsHeaders: 'no responders requires headers support',
} as const;

export const publishViolation = (subject: string): string => `Permissions Violation for Publish to "${subject}"`;
export const replyViolation = (reply: string): string => `Permissions Violation for Publish with Reply of "${reply}"`;
export function subscriptionViolation(subject: string, queue: string | undefined): string {
  const suffix = queue === undefined ? '' : ` using queue "${queue}"`;
  return `Permissions Violation for Subscription to "${subject}"${suffix}`;
}

/** As `/connz` and disconnect events show them. */
export type CloseReason =
  | 'Client Closed'
  | 'Authentication Timeout'
  | 'Authentication Failure'
  | 'Authentication Expired'
  | 'Credentials Revoked'
  | 'TLS Handshake Failure'
  | 'Slow Consumer (Pending Bytes)'
  | 'Slow Consumer (Write Deadline)'
  | 'Write Error'
  | 'Read Error'
  | 'Parse Error'
  | 'Stale Connection'
  | 'Protocol Violation'
  | 'Bad Client Protocol Version'
  | 'Maximum Connections Exceeded'
  | 'Maximum Account Connections Exceeded'
  | 'Maximum Message Payload Exceeded'
  | 'Maximum Control Line Exceeded'
  | 'Maximum Subscriptions Exceeded'
  | 'Message Header Violation'
  | 'No Responders Requires Headers'
  | 'Missing Account'
  | 'Server Shutdown'
  | 'Kicked';

/** Headers of the answer to a request that nobody took. `subject` is a byte string. */
export function noRespondersStatus(subject: string): Buffer {
  return Buffer.from(`NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`, 'latin1');
}
