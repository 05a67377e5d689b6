/**
 * Owns what the messages of an atomic batch that were checked so far will do to the stream. All of a batch is checked
 * against the state before it; what its own messages add is looked up here.
 */
import type { MessageView } from '../messages/message-format.ts';

export class BatchStage {
  readonly #ids = new Set<string>();
  /** How many messages each subject gets. */
  readonly #subjects = new Map<string, number>();
  messages = 0;
  /** As the stream counts them. */
  bytes = 0;

  /** Remembers an id. False: an earlier message has it. */
  addId(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    return true;
  }

  add(view: MessageView, size: number): void {
    const subject = subjectOf(view);
    this.#subjects.set(subject, (this.#subjects.get(subject) ?? 0) + 1);
    this.messages++;
    this.bytes += size;
  }

  /** Messages that the subject of `view` gets, without itself. */
  countOf(view: MessageView): number {
    return this.#subjects.get(subjectOf(view)) ?? 0;
  }

  writes(subject: string): boolean {
    return this.#subjects.has(subject);
  }
}

function subjectOf({ buffer, subjectStart, headersStart }: MessageView): string {
  return buffer.toString('latin1', subjectStart, headersStart);
}
