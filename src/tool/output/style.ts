/** Owns colour: a few meanings, and whether they are shown at all. */

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

const plain = (text: string): string => text;

export const NO_STYLE: Style = { bold: plain, dim: plain, good: plain, bad: plain };

const escape =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001b[${on}m${text}\u001b[${off}m`;

const COLOURS: Style = { bold: escape(1, 22), dim: escape(2, 22), good: escape(32, 39), bad: escape(31, 39) };

/** Colours only on a terminal, and not where the environment says otherwise (no-color.org). */
export function styleFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return isTerminal && !refused ? COLOURS : NO_STYLE;
}
