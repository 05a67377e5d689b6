/** Owns the patience of stock clients in tests, whose own is too short for a machine that is busy. */

/** For calls that must succeed: nothing waits for it to pass unless something is wrong. */
export const PATIENT: { readonly timeout: number } = { timeout: 30_000 };

/** For calls that are repeated until they succeed: those of a connection that breaks are lost, and should not be waited for. */
export const REPEATED: { readonly timeout: number } = { timeout: 5_000 };
