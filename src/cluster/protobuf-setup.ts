/**
 * Owns how protobufjs represents 64 bit integers: as numbers, never as `Long` objects. Must be evaluated before any
 * generated code, which copies the setting into its prototypes.
 */
import protobuf from 'protobufjs/minimal.js';

// The typings insist on a constructor; protobufjs itself treats a missing Long as "use numbers".
(protobuf.util as { Long: unknown }).Long = null;
protobuf.configure();
