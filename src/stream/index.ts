/** The door of stream/. */
export type * from './types.ts';
export * from './config.ts';
export * from './message-format.ts';
