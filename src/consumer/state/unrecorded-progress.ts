/** Owns the progress of consumers that no log knows of: it is forgotten as it is made. */
import type { ProgressSink, Recorded } from './progress-recorder.ts';

export class UnrecordedProgress implements ProgressSink {
  readonly #answer: (reply: string) => void;

  constructor(answer: (reply: string) => void) {
    this.#answer = answer;
  }

  note(consumer: Recorded): void {
    consumer.log.clear();
  }

  noteUnacked(consumer: Recorded): void {
    consumer.log.clear();
  }

  noteLazily(consumer: Recorded): void {
    consumer.log.clear();
  }

  noteUrgently(consumer: Recorded): void {
    consumer.log.clear();
  }

  answerWhenRecorded(consumer: Recorded, reply: string): void {
    consumer.log.clear();
    this.#answer(reply);
  }

  forget(): void {
    // Nothing is kept.
  }
}
