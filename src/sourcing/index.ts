/** The door of sourcing/. */
export type * from './types.ts';
export { StreamSourcing, type StreamSourcingOptions } from './stream-sourcing.ts';
