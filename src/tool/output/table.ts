/** Owns the layout of tables and of lists of facts. */
import { visibleWidth, type Style } from './style.ts';

export interface Column<R> {
  readonly title: string;
  readonly cell: (row: R) => string;
  /** Numbers stand right. */
  readonly align?: 'right';
}

const GAP = '  ';

/** Header and rows, each column as wide as its widest cell. Lines end without blanks. */
export function table<R>(columns: readonly Column<R>[], rows: readonly R[], style: Style): string {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...cells.map((row) => visibleWidth(row[i]!))));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => pad(text, widths[i]!, columns[i]!.align))
      .join(GAP)
      .trimEnd();
  const header = style.bold(line(columns.map(({ title }) => title)));
  return [header, ...cells.map(line)].map((text) => `${text}\n`).join('');
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
      const lines = rows.map(
        ([name, value]) => `  ${style.dim(`${name}:`)}${' '.repeat(width - name.length)} ${value!}\n`,
      );
      return `${style.bold(title)}\n${lines.join('')}`;
    })
    .join('\n');
}
