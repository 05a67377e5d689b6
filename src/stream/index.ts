/** The door of stream/. */
export type * from './types.ts';
export * from './message-format.ts';
