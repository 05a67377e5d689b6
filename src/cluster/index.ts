/** The door of cluster/. */
export * from './types.ts';
