/** Owns the times by which a host notices that somebody is gone. */

export interface Timing {
  /**
   * Shortest silence after which a follower campaigns; each draw lies in [min, 2 * min). Room for an fsync, a GC pause
   * and a late timer; a leader that was killed is replaced within about twice as long.
   */
  readonly electionTimeoutMinMs: number;
  /** How often a leader speaks, and nodes tell each other that they live: at most a third of the above. */
  readonly heartbeatMs: number;
  /** Quiet heartbeats after which a group falls silent. */
  readonly hibernateAfterBeats: number;
}

export const DEFAULT_TIMING: Timing = { electionTimeoutMinMs: 350, heartbeatMs: 100, hibernateAfterBeats: 5 };

export const TICKS_PER_HEARTBEAT = 2;

/** A timer that comes later than this many intervals means that the loop stood still, and counts as one. */
export const STALL_INTERVALS = 1.5;
