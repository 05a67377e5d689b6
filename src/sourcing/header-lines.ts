/** Owns what a message's header block loses and gains on its way from one stream to another. */

const LF = 0x0a;
const LINE_END_BYTES = 2;
const VERSION_LINE = Buffer.from('NATS/1.0\r\n');
const LINE_END = Buffer.from('\r\n');
const NO_HEADERS = Buffer.alloc(0);
/** What the message asked of the stream that it was published to. */
const CONSUMED = ['Nats-Expected-', 'Nats-Batch-'].map((prefix) => Buffer.from(prefix));
const SOURCE = Buffer.from('Nats-Stream-Source:');

/** The block in `buffer[start, end)` as a mirror keeps it: a view if nothing changes. */
export function mirroredHeaders(buffer: Buffer, start: number, end: number): Buffer {
  const block = buffer.subarray(start, end);
  if (!mentions(block, CONSUMED)) return block;
  const kept = keptLines(block, CONSUMED);
  return kept.length === 0 ? NO_HEADERS : Buffer.concat([VERSION_LINE, ...kept, LINE_END]);
}

/** The same as a source keeps it, with `line` (its end included) saying where the message is from. */
export function sourcedHeaders(buffer: Buffer, start: number, end: number, line: Buffer): Buffer {
  if (start === end) return Buffer.concat([VERSION_LINE, line, LINE_END]);
  const block = buffer.subarray(start, end);
  const dropped = [...CONSUMED, SOURCE];
  if (!mentions(block, dropped)) return Buffer.concat([block.subarray(0, -LINE_END_BYTES), line, LINE_END]);
  return Buffer.concat([VERSION_LINE, ...keptLines(block, dropped), line, LINE_END]);
}

function mentions(block: Buffer, prefixes: readonly Buffer[]): boolean {
  return block.length > 0 && prefixes.some((prefix) => block.includes(prefix));
}

/** The lines between the version and the blank one that begin with none of `prefixes`, their ends included. */
function keptLines(block: Buffer, prefixes: readonly Buffer[]): Buffer[] {
  const lines: Buffer[] = [];
  let start = block.indexOf(LF) + 1;
  while (start > 0 && start < block.length - LINE_END_BYTES) {
    const end = block.indexOf(LF, start);
    const line = block.subarray(start, end < 0 ? block.length : end + 1);
    if (!prefixes.some((prefix) => line.subarray(0, prefix.length).equals(prefix))) lines.push(line);
    start += line.length;
  }
  return lines;
}

/** The value of a header of a status or an answer; undefined if it is not there. */
export function headerText(headers: Buffer, name: string): string | undefined {
  const text = headers.toString('latin1');
  const at = text.indexOf(`\n${name}:`);
  if (at < 0) return undefined;
  const end = text.indexOf('\r\n', at);
  return text.slice(at + name.length + 2, end < 0 ? undefined : end).trim();
}
