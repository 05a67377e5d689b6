/** Owns the patience of stock clients in tests, whose own is too short for a machine that is busy. */

/** For calls that must succeed: nothing waits for it to pass unless something is wrong. */
export const PATIENT: { readonly timeout: number } = { timeout: 30_000 };
