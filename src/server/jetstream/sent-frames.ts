/** Owns what was sent to each node just now: if the link to it breaks, nobody can say how much of that has arrived. */
import type { NodeId } from '../../base/brand.ts';
import type { Runtime } from '../../base/runtime.ts';

/** What is older was dealt with, or the link would have been given up by now. */
const MAX_AGE_MS = 2_000;
/** For each node: of more than that, the oldest are taken for dealt with. */
const MAX_BYTES = 1024 * 1024;

interface SentFrame {
  readonly frame: Buffer;
  readonly atMs: number;
}

class Sent {
  frames: SentFrame[] = [];
  /** So many of them count no more. */
  passed = 0;
  bytes = 0;
}

export class SentFrames {
  readonly #runtime: Runtime;
  readonly #sent = new Map<NodeId, Sent>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  note(node: NodeId, frame: Buffer): void {
    let sent = this.#sent.get(node);
    if (sent === undefined) this.#sent.set(node, (sent = new Sent()));
    sent.frames.push({ frame, atMs: this.#runtime.monotonicMs() });
    sent.bytes += frame.length;
    this.#forgetOld(sent);
  }

  /** Those that may not have arrived, oldest first; from here on they are nobody's. */
  take(node: NodeId): Buffer[] {
    const sent = this.#sent.get(node);
    if (sent === undefined) return [];
    this.#sent.delete(node);
    this.#forgetOld(sent);
    return sent.frames.slice(sent.passed).map(({ frame }) => frame);
  }

  #forgetOld(sent: Sent): void {
    const oldestMs = this.#runtime.monotonicMs() - MAX_AGE_MS;
    const { frames } = sent;
    while (sent.passed < frames.length) {
      const { frame, atMs } = frames[sent.passed]!;
      if (sent.bytes <= MAX_BYTES && atMs >= oldestMs) break;
      sent.bytes -= frame.length;
      sent.passed++;
    }
    if (sent.passed * 2 < frames.length) return;
    sent.frames = frames.slice(sent.passed);
    sent.passed = 0;
  }
}
