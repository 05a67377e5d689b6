/** Owns the count of messages after which a command stops. */

export interface Quota {
  /** The number of the message, from 1; undefined when it is one too many. */
  take(): number | undefined;
}

/** Calls `stop` when the last message is taken. Without a limit it never does. */
export function stopAfter(limit: number | undefined, stop: () => void): Quota {
  let taken = 0;
  return {
    take: () => {
      if (limit !== undefined && taken >= limit) return undefined;
      taken += 1;
      if (taken === limit) stop();
      return taken;
    },
  };
}
