/** Owns what a host measures. Whoever exports metrics implements it; without it nothing is measured. */

export interface HostMetrics {
  /** One batch, its fsync included. */
  wrote(seconds: number, bytes: number): void;
  /** From a proposal here to its commit; sampled, at most one per group at a time. */
  committed(seconds: number): void;
  electionStarted(): void;
  leaderChanged(): void;
  snapshotSent(bytes: number): void;
  snapshotReceived(bytes: number): void;
  recordRepaired(): void;
  digestMismatch(): void;
}

const nothing = (): void => undefined;

export const NO_METRICS: HostMetrics = {
  wrote: nothing,
  committed: nothing,
  electionStarted: nothing,
  leaderChanged: nothing,
  snapshotSent: nothing,
  snapshotReceived: nothing,
  recordRepaired: nothing,
  digestMismatch: nothing,
};
