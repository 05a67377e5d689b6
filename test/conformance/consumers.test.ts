/** Asks a server alone about consumers. */
import { conformanceOf, CONSUMERS, target } from './run-scenarios.ts';

if (target === undefined) conformanceOf('conformance of the consumers of a single server', 1, CONSUMERS);
