/** Owns knowing which tests have begun and not ended: what a file was doing when it ran out of time. */
import { relative } from 'node:path';
import type { TestsStream } from 'node:test';

/** A test as the events of a run name it. */
interface TestEvent {
  readonly file?: string | undefined;
  readonly name: string;
  /** How many suites and tests it is within. */
  readonly nesting: number;
}

export class RunningTests {
  /** Of each file, the suites and tests that have begun, those within others after them. */
  readonly #begun = new Map<string, TestEvent[]>();
  readonly #timedOut = new Set<string>();

  constructor(events: Pick<TestsStream, 'on'>) {
    events.on('test:dequeue', (event) => {
      this.#began(event);
    });
    events.on('test:complete', (event) => {
      this.#ended(event);
    });
    events.on('test:fail', ({ file, name, details }) => {
      const { failureType } = details.error as Error & { readonly failureType?: string };
      if (file === name && failureType === 'testTimeoutFailure') this.#timedOut.add(file);
    });
  }

  /** For each file that timed out a line that says in which test. */
  unfinished(root: string): string[] {
    return [...this.#timedOut].map((file) => {
      const names = (this.#begun.get(file) ?? []).map(({ name }) => `"${name}"`);
      const where = names.length === 0 ? 'with no test under way' : `in ${names.join(' > ')}`;
      return `${relative(root, file)} timed out ${where}`;
    });
  }

  /** A file is a test as well, around all others. */
  #began(event: TestEvent): void {
    const { file, name } = event;
    if (file === undefined || file === name) return;
    const begun = this.#begun.get(file);
    if (begun === undefined) this.#begun.set(file, [event]);
    else begun.push(event);
  }

  /** What was within it is over with it, though a suite that is broken off does not say so of its tests. */
  #ended({ file, name, nesting }: TestEvent): void {
    const begun = this.#begun.get(file ?? '');
    const at = begun?.findLastIndex((test) => test.name === name && test.nesting === nesting) ?? -1;
    if (at !== -1) begun!.splice(at, 1);
  }
}
