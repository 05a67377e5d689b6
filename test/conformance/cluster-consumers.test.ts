/** Asks a cluster about consumers. */
import { conformanceOf, CONSUMERS, target } from './run-scenarios.ts';

if (target === undefined) conformanceOf('conformance of the consumers of a cluster', 3, CONSUMERS);
