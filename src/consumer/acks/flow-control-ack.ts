/** Owns what the answer to a flow-control request acknowledges, by its headers. */

const LAST_STREAM = 'Nats-Last-Stream';
const LAST_CONSUMER = 'Nats-Last-Consumer';

/** Undefined: it acknowledges nothing. */
export function flowControlAck(headers: Buffer): { readonly consumerSeq: number; readonly seq: number } | undefined {
  if (headers.length === 0) return undefined;
  const lines = headers.toString('latin1').split('\r\n');
  const seq = numberIn(lines, LAST_STREAM);
  const consumerSeq = numberIn(lines, LAST_CONSUMER);
  return seq > 0 && consumerSeq > 0 ? { seq, consumerSeq } : undefined;
}

/** 0 if the header is missing or is no sequence. */
function numberIn(lines: readonly string[], name: string): number {
  const line = lines.find((one) => one.startsWith(`${name}:`));
  const value = line?.slice(name.length + 1).trim() ?? '';
  return /^\d{1,15}$/.test(value) ? Number(value) : 0;
}
