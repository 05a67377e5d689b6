/** Owns how much room texts take on a terminal, and how those of others are made harmless there. */

const ESCAPE = String.raw`\u001b\[\d+m`;
const ESCAPES = new RegExp(ESCAPE, 'g');
const PRINTABLE_ASCII = /^[ -~]*$/;
/** Letters of two columns: those of East Asia, and pictures. */
const WIDE =
  /\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Emoji_Presentation}|[\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const INVISIBLE = /^[\p{M}\p{Cf}]+$/u;

// As a reader sees them: what is combined of several code points is one letter.
const LETTERS = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function letterWidth(letter: string): number {
  if (INVISIBLE.test(letter)) return 0;
  return WIDE.test(letter) ? 2 : 1;
}

/** How many columns a text takes. Colours take none. */
export function visibleWidth(text: string): number {
  const plain = text.replace(ESCAPES, '');
  if (PRINTABLE_ASCII.test(plain)) return plain.length;
  let width = 0;
  for (const { segment } of LETTERS.segment(plain)) width += letterWidth(segment);
  return width;
}

/** A text of at most so many columns, the end of a longer one replaced by an ellipsis. What is cut loses its colours. */
export function cut(text: string, columns: number): string {
  if (visibleWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of LETTERS.segment(text.replace(ESCAPES, ''))) {
    width += letterWidth(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

// eslint-disable-next-line no-control-regex -- these are what it is about
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
const CONTROLS_OF_A_LINE = new RegExp(String.raw`${ESCAPE}|[\u0000-\u001f\u007f-\u009f]`, 'g');
const PICTURES = 0x2400;

/** Of several lines, all that others wrote: what would steer the terminal is shown as pictures such as ␛. */
export function harmless(text: string): string {
  return text.replace(CONTROLS, picture);
}

/** Of one line, such as the cell of a table; colours of our own are left. */
export function harmlessLine(text: string): string {
  return PRINTABLE_ASCII.test(text)
    ? text
    : text.replace(CONTROLS_OF_A_LINE, (found) => (found.length > 1 ? found : picture(found)));
}

function picture(control: string): string {
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(PICTURES + code);
  return code === 0x7f ? '␡' : '\ufffd';
}
