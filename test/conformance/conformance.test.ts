/** Asks a server alone, or the one that TARGET names. The cluster has a file of its own, for they run side by side. */
import { conformanceOf, target } from './run-scenarios.ts';

conformanceOf(target === undefined ? 'conformance of a single server' : `conformance of ${target}`, 1);
