/** Owns the branded types of the project: numbers and strings that must not be mixed up. */

declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A server's configured name, unique in its cluster and stable across restarts. */
export type NodeId = Brand<string, 'NodeId'>;

/** A stream sequence: 1 is the first message, 0 means "none". Always a safe integer. */
export type Seq = Brand<number, 'Seq'>;

/** A consumer's delivery count: every delivery attempt takes the next one. */
export type ConsumerSeq = Brand<number, 'ConsumerSeq'>;

/** Microseconds since 1970. Exact as a number until the year 2255; nanoseconds exist only in JSON and reply subjects. */
export type TimestampUs = Brand<number, 'TimestampUs'>;
