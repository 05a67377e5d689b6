/** Asks a cluster: what TARGET names is asked by another file. */
import { conformanceOf, STREAMS, target } from './run-scenarios.ts';

if (target === undefined) conformanceOf('conformance of a cluster', 3, STREAMS);
