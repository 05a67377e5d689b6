/** The door of consumer/. */
export type * from './types.ts';
export type * from './state/archived-state.ts';
export * from './config/index.ts';
export { createConsumers, type ConsumerSetOptions } from './consumer-set.ts';
export { ackKind } from './acks/ack-payload.ts';
export { LEADERSHIP_CHANGE } from './pull/status-messages.ts';
