/** The door of raft/. */
export * from './types.ts';
