/**
 * Owns the chance in property tests: the same in each run, so that one that fails does so because of what was changed.
 * PROPERTY_SEED=n looks elsewhere.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 1) });

export default fc;
