/** Owns the status messages of consumers, byte for byte: clients compare their texts. */
import { goDurationText } from '../../base/duration-text.ts';

function status(line: string, ...headers: string[]): Buffer {
  return Buffer.from(`NATS/1.0 ${[line, ...headers].join('\r\n')}\r\n\r\n`);
}

export const NO_MESSAGES = status('404 No Messages');
export const REQUESTS_PENDING = status('408 Requests Pending');
export const EXCEEDED_MAX_WAITING = status('409 Exceeded MaxWaiting');
export const CONSUMER_IS_PUSH_BASED = status('409 Consumer is push based');
export const CONSUMER_DELETED = status('409 Consumer Deleted');
export const LEADERSHIP_CHANGE = status('409 Leadership Change');
export const PIN_ID_MISMATCH = status('423 Nats-Pin-Id mismatch');
export const REQUIRED_API_LEVEL = status('412 Required Api Level');
export const FLOW_CONTROL_REQUEST = status('100 FlowControl Request');

export const badRequest = (problem: string): Buffer => status(`400 Bad Request - ${problem}`);
export const exceededBatch = (limit: number): Buffer => status(`409 Exceeded MaxRequestBatch of ${limit}`);
export const exceededExpires = (limitMs: number): Buffer =>
  status(`409 Exceeded MaxRequestExpires of ${goDurationText(limitMs)}`);
export const exceededMaxBytes = (limit: number): Buffer => status(`409 Exceeded MaxRequestMaxBytes of ${limit}`);

/** What a pull request leaves open when it ends. */
export interface Unfilled {
  readonly messages: number;
  /** 0 if the request had no budget of bytes. */
  readonly bytes: number;
}

function ended(line: string, unfilled: Unfilled): Buffer {
  return status(line, `Nats-Pending-Messages: ${unfilled.messages}`, `Nats-Pending-Bytes: ${unfilled.bytes}`);
}

export const requestTimeout = (unfilled: Unfilled): Buffer => ended('408 Request Timeout', unfilled);
export const messageSizeExceeds = (unfilled: Unfilled): Buffer => ended('409 Message Size Exceeds MaxBytes', unfilled);
export const wrongPinId = (unfilled: Unfilled): Buffer => ended('423 Nats-Wrong-Pin-Id', unfilled);
export const serverShutdown = (unfilled: Unfilled): Buffer => ended('409 Server Shutdown', unfilled);
export const batchCompleted = (unfilled: Unfilled): Buffer => ended('409 Batch Completed', unfilled);

export function idleHeartbeat(lastConsumerSeq: number, lastStreamSeq: number, stalledOn: string | undefined): Buffer {
  const headers = [`Nats-Last-Consumer: ${lastConsumerSeq}`, `Nats-Last-Stream: ${lastStreamSeq}`];
  if (stalledOn !== undefined) headers.push(`Nats-Consumer-Stalled: ${stalledOn}`);
  return status('100 Idle Heartbeat', ...headers);
}
