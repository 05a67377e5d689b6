/** Owns progress bars: on stderr, on a terminal only, redrawn a few times a second, and out of the way of what is printed. */
import { formatAge, formatBytes, formatCount } from '../units.ts';
import { cut } from './width.ts';

const REDRAW_MS = 100;
const BAR_WIDTH = 20;
const ERASE_LINE = '\r\u001b[K';

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
  #shown = false;
  #ended = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#visible = options.destination.isTTY;
  }

  add(amount: number): void {
    this.#done += amount;
    if (!this.#visible || this.#ended) return;
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#draw(now);
  }

  /** Clears the line, for what is printed next. The bar comes again when there is progress. */
  hide(): void {
    if (!this.#shown) return;
    this.#shown = false;
    this.#options.destination.write(ERASE_LINE);
  }

  end(): void {
    this.#ended = true;
    this.hide();
  }

  #draw(now: number): void {
    const { destination } = this.#options;
    const seconds = Math.max(now - this.#begin, 1) / 1000;
    const line = progressLine(this.#options, this.#done, seconds);
    // A line that wraps can't be drawn over.
    destination.write(`${ERASE_LINE}${cut(line, (destination.columns || Infinity) - 1)}`);
    this.#shown = true;
  }
}

/** The bar, how far it is, how fast, and how long it will take yet. */
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
  const left = done === 0 || done >= total ? '' : `  ${formatAge(((total - done) / done) * seconds * 1000)} left`;
  return `${label} ${bar} ${Math.floor(share * 100)}%  ${format(done)} of ${format(total)}  ${rate}${left}`;
}
