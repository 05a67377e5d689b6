/** The door of consumer/. */
export type * from './types.ts';
export * from './config.ts';
export { createConsumers, type ConsumerSetOptions } from './consumer-set.ts';
