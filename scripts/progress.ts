/** Owns showing how far a long run is: a bar on a terminal, a line now and then elsewhere. */

const BAR_WIDTH = 30;
const REDRAW_MS = 100;
/** Without a terminal: one line for each so many percent. */
const STEP_PERCENT = 10;

export class Progress {
  readonly #title: string;
  readonly #total: number;
  readonly #out: NodeJS.WriteStream;
  #lastDrawnMs = Number.NEGATIVE_INFINITY;
  #lastStep = 0;

  constructor(title: string, total: number, out: NodeJS.WriteStream = process.stdout) {
    this.#title = title;
    this.#total = total;
    this.#out = out;
  }

  update(done: number): void {
    if (this.#out.isTTY) {
      const now = performance.now();
      if (now - this.#lastDrawnMs < REDRAW_MS && done < this.#total) return;
      this.#lastDrawnMs = now;
      this.#out.write(`\r${this.#bar(done)}`);
      return;
    }
    const step = Math.floor((done / this.#total) * (100 / STEP_PERCENT));
    if (step === this.#lastStep) return;
    this.#lastStep = step;
    this.#out.write(`${this.#title}: ${done} of ${this.#total}\n`);
  }

  /** A line of its own, above the bar. */
  note(text: string): void {
    this.#out.write(this.#out.isTTY ? `\r\u001b[K${text}\n` : `${text}\n`);
    this.#lastDrawnMs = Number.NEGATIVE_INFINITY;
  }

  finish(): void {
    if (this.#out.isTTY) this.#out.write('\n');
  }

  #bar(done: number): string {
    const share = Math.min(1, done / this.#total);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = '#'.repeat(filled) + '.'.repeat(BAR_WIDTH - filled);
    return `${this.#title} [${bar}] ${Math.floor(share * 100)} % (${done} of ${this.#total})`;
  }
}
