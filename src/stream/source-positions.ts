/**
 * Owns how far a stream has taken each of its sources: part of what its replicas agree on, moved by the messages that they
 * store. So no message is taken twice, whoever leads, and none is looked for again.
 *
 * Every message of a source says in its header `Nats-Stream-Source` where it is from: `<origin> <sequence> <filters>
 * <destinations> <subject> [<identity of the stream upstream>]`.
 */

/** Sources that a stream has not got any more are remembered, in case they come back. */
const MAX_POSITIONS = 4096;
const DIGITS = /^[0-9]{1,15}$/;

export interface SourcePosition {
  /** The upstream sequence taken last. */
  readonly seq: number;
  /** Of the stream upstream: another one begins anew. Empty: unknown. */
  readonly identity: string;
}

/** Where one message is from. */
export interface Provenance {
  /** The source's name among all sources (see sourcing/origin.ts). */
  readonly index: string;
  readonly seq: number;
  readonly identity: string;
  /** The stream upstream, as the message names it, and the message's subject there. */
  readonly origin: string;
  readonly subject: string;
}

/** Reads the header's value; undefined if it is in no form that is known. */
export function parseProvenance(value: string): Provenance | undefined {
  const [origin, seq, filters, destinations, subject = '', identity = ''] = value.split(' ');
  if (destinations === undefined || !DIGITS.test(seq!)) return undefined;
  const index = `${origin!} ${filters!} ${destinations}`;
  return { index, seq: Number(seq), identity, origin: origin!, subject };
}

export class SourcePositions {
  /** In order of their first message. */
  readonly #positions = new Map<string, SourcePosition>();

  get(index: string): SourcePosition | undefined {
    return this.#positions.get(index);
  }

  /** The stream has this message already, or passed it by. */
  isKnown({ index, seq, identity }: Provenance): boolean {
    const position = this.#positions.get(index);
    if (position === undefined) return false;
    const isOther = identity !== '' && position.identity !== '' && identity !== position.identity;
    return !isOther && seq <= position.seq;
  }

  advance(provenance: Provenance): void {
    const { index, seq, identity } = provenance;
    if (this.isKnown(provenance)) return;
    this.#positions.set(index, { seq, identity });
    if (this.#positions.size <= MAX_POSITIONS) return;
    const [oldest] = this.#positions.keys();
    this.#positions.delete(oldest!);
  }

  /** As it is kept in checkpoints. */
  entries(): readonly (readonly [index: string, seq: number, identity: string])[] {
    return [...this.#positions].map(([index, { seq, identity }]) => [index, seq, identity]);
  }

  restore(entries: ReturnType<SourcePositions['entries']>): void {
    for (const [index, seq, identity] of entries) this.#positions.set(index, { seq, identity });
  }
}
