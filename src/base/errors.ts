/** Owns the classes of our own failures, and `invariant`. API and protocol errors live with the front end. */

export type StorageErrorCode =
  | 'STORAGE_OPEN'
  | 'STORAGE_WRITE'
  | 'STORAGE_READ'
  | 'STORAGE_CORRUPT'
  | 'STORAGE_IDENTITY'
  | 'STORAGE_FULL'
  | 'STORAGE_CLOSED';

/** A failure of this node's disk. Writing after one is forbidden: the node stops. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The node asked is not the leader of the group, or stopped being it before it could know the outcome. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
  /** True when the request was certainly not proposed, so it may be sent again without doubling it. */
  readonly notProposed: boolean;

  constructor(message: string, notProposed: boolean) {
    super(message);
    this.notProposed = notProposed;
  }
}

export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** States what must hold whatever comes from outside; a violation is our bug, and crashing lets Raft recover us. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
