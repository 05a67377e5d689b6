/** Owns the few headers of API requests: looking one up in a raw block. */

/** Value of the first header of this name (case matters), without leading spaces; undefined if there is nothing. */
export function headerValue(block: Buffer, name: string): string | undefined {
  if (block.length === 0) return undefined;
  const text = block.toString('utf8');
  const at = text.indexOf(`\r\n${name}:`);
  if (at < 0) return undefined;
  const start = at + name.length + 3;
  const end = text.indexOf('\r\n', start);
  return text.slice(start, end < 0 ? text.length : end).trimStart() || undefined;
}
