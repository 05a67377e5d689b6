/** Asks a server alone, or the one that TARGET names, which is asked everything here. */
import { conformanceOf, CONSUMERS, STREAMS, target } from './run-scenarios.ts';

if (target === undefined) conformanceOf('conformance of a single server', 1, STREAMS);
else conformanceOf(`conformance of ${target}`, 1, [...STREAMS, ...CONSUMERS]);
