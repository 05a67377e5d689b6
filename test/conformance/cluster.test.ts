/** Asks a cluster: what TARGET names is asked by the other file. */
import { conformanceOf, target } from './run-scenarios.ts';

if (target === undefined) conformanceOf('conformance of a cluster', 3);
