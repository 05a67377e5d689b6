/** Owns the layout of tables and of lists of facts. */
import type { Style } from './style.ts';
import { cut, harmlessLine, visibleWidth } from './width.ts';

export interface Column<R> {
  readonly title: string;
  readonly cell: (row: R) => string;
  /** Numbers stand right. */
  readonly align?: 'right';
}

const GAP = '  ';

/** Columns are not made narrower than this, so that times stay whole. */
const NARROWEST = 20;

/**
 * Header and rows, each column as wide as its widest cell. Lines end without blanks. Where they would be longer than
 * `room`, the widest columns of text are cut.
 */
export function table<R>(columns: readonly Column<R>[], rows: readonly R[], style: Style, room = Infinity): string {
  const cells = rows.map((row) => columns.map((column) => harmlessLine(column.cell(row))));
  const widths = columns.map(({ title }, i) => {
    return cells.reduce((widest, row) => Math.max(widest, visibleWidth(row[i]!)), title.length);
  });
  narrow(columns, widths, room);
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => pad(cut(text, widths[i]!), widths[i]!, columns[i]!.align))
      .join(GAP)
      .trimEnd();
  const header = style.bold(line(columns.map(({ title }) => title)));
  return [header, ...cells.map(line)].map((text) => `${text}\n`).join('');
}

/** Takes from the widest column of text, again and again, until all fit or none can give any more. */
function narrow<R>(columns: readonly Column<R>[], widths: number[], room: number): void {
  const least = columns.map(({ title, align }, i) =>
    align === 'right' ? widths[i]! : Math.max(NARROWEST, title.length),
  );
  let surplus = widths.reduce((sum, width) => sum + width, (widths.length - 1) * GAP.length) - room;
  while (surplus > 0) {
    const spare = widths.map((width, i) => width - least[i]!);
    const giving = spare.reduce(
      (best, amount, i) => (amount > 0 && (best < 0 || widths[i]! > widths[best]!) ? i : best),
      -1,
    );
    if (giving < 0) return;
    widths[giving]! -= 1;
    surplus -= 1;
  }
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  const blanks = ' '.repeat(width - visibleWidth(text));
  return align === 'right' ? blanks + text : text + blanks;
}

/** A name and its value; rows without a value are left out. */
export type Fact = readonly [name: string, value: string | undefined];

export interface Section {
  readonly title: string;
  readonly facts: readonly Fact[];
}

/** Sections of `name: value`, the values below one another throughout. Sections without facts are left out. */
export function facts(sections: readonly Section[], style: Style): string {
  const filled = sections
    .map(({ title, facts }) => ({ title, facts: facts.filter(([, value]) => value !== undefined) }))
    .filter((section) => section.facts.length > 0);
  const width = Math.max(...filled.flatMap((section) => section.facts.map(([name]) => name.length)));
  return filled
    .map(({ title, facts: rows }) => {
      const lines = rows.map(([name, value]) => {
        const label = style.dim(`${harmlessLine(name)}:`);
        return `  ${label}${' '.repeat(width - name.length)} ${harmlessLine(value!)}\n`;
      });
      return `${style.bold(title)}\n${lines.join('')}`;
    })
    .join('\n');
}
