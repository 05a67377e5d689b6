/** The door of consumer/. */
export type * from './types.ts';
