/** Owns progress bars: on stderr, on a terminal only, redrawn a few times a second. */
import { formatBytes, formatCount } from '../units.ts';

const REDRAW_MS = 100;
const BAR_WIDTH = 30;

export interface ProgressOptions {
  readonly label: string;
  /** How much there is to do; undefined when nobody knows. */
  readonly total: number | undefined;
  readonly unit: 'bytes' | 'messages';
  readonly destination: NodeJS.WriteStream;
}

export class Progress {
  readonly #options: ProgressOptions;
  readonly #begin = performance.now();
  readonly #visible: boolean;
  #done = 0;
  #drawnAt = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#visible = options.destination.isTTY;
  }

  add(amount: number): void {
    this.#done += amount;
    if (!this.#visible) return;
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#draw(now);
  }

  /** Clears the line, for what is printed next. */
  end(): void {
    if (this.#visible) this.#options.destination.write('\r\u001b[K');
  }

  #draw(now: number): void {
    const seconds = Math.max(now - this.#begin, 1) / 1000;
    this.#options.destination.write(`\r${progressLine(this.#options, this.#done, seconds)}\u001b[K`);
  }
}

/** The bar, how far it is, and how fast. */
export function progressLine(
  { label, total, unit }: Pick<ProgressOptions, 'label' | 'total' | 'unit'>,
  done: number,
  seconds: number,
): string {
  const format = unit === 'bytes' ? formatBytes : formatCount;
  const rate = `${format(Math.round(done / seconds))}/s`;
  if (total === undefined || total === 0) return `${label} ${format(done)}  ${rate}`;
  const share = Math.min(done / total, 1);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return `${label} ${bar} ${Math.floor(share * 100)}%  ${format(done)} of ${format(total)}  ${rate}`;
}
