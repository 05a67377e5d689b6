/** Owns waiting in tests: for a named condition, with a bound, never for a fixed time. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;
/** Long, because a test machine may be busy: nothing waits for it to pass unless something is wrong. */
const PATIENCE_MS = 60_000;

/** So much longer a probe that is under way may take: one that never comes back is to be known by its condition, too. */
const LAST_PROBE_MS = 60_000;

/** Resolves with the first value that is neither undefined nor false; throws, naming the condition, when time is up. */
export async function waitFor<T>(
  condition: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  let timer: NodeJS.Timeout | undefined;
  const lost = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('the last probe has not come back'));
    }, patienceMs + LAST_PROBE_MS);
  });
  try {
    let lastError: unknown;
    for (;;) {
      try {
        const value = await Promise.race([probe(), lost]);
        if (value !== undefined && value !== false) return value;
        lastError = undefined;
      } catch (error) {
        lastError = error;
      }
      if (performance.now() > deadline) throw new Error(`waited in vain for: ${condition}`, { cause: lastError });
      await delay(POLL_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}
