/** Owns reading the reply subjects of fast batches, which say all there is to say about a message (streams.md 5.6). */

/** `<prefix>.<id>.<flow>.<gap>.<seq>.<op>.$FI`, from its end. */
export const FAST_REPLY_SUFFIX = '.$FI';
const TOKENS_BEFORE_SUFFIX = 5;
const DEFAULT_FLOW = 10;
const MAX_FLOW = 65_535;

export interface FastMessage {
  readonly id: string;
  /** How many messages the client would like to have acknowledged at a time. */
  readonly flow: number;
  /** Whether the batch goes on behind a message that is missing or was refused. */
  readonly gapOk: boolean;
  readonly seq: number;
  readonly op: 'start' | 'append' | 'commit' | 'end' | 'ping';
}

const OPERATIONS = ['start', 'append', 'commit', 'end', 'ping'] as const;

/** Undefined: it is not of that form, or contradicts itself. */
export function parseFastReply(reply: string): FastMessage | undefined {
  const tokens = reply.slice(0, -FAST_REPLY_SUFFIX.length).split('.');
  if (tokens.length < TOKENS_BEFORE_SUFFIX) return undefined;
  const [id, flow, gap, seqText, opText] = tokens.slice(-TOKENS_BEFORE_SUFFIX) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const seq = parseDecimal(seqText);
  const op = OPERATIONS[parseDecimal(opText)];
  if (id === '' || (gap !== 'ok' && gap !== 'fail') || op === undefined || seq < 1) return undefined;
  if (op === 'start' && seq !== 1) return undefined;
  if ((op === 'append' || op === 'end') && seq === 1) return undefined;
  const wanted = parseDecimal(flow);
  return { id, flow: wanted > 0 ? Math.min(wanted, MAX_FLOW) : DEFAULT_FLOW, gapOk: gap === 'ok', seq, op };
}

/** -1: it is no whole number. */
function parseDecimal(text: string): number {
  const value = /^[0-9]{1,20}$/.test(text) ? Number(text) : -1;
  return Number.isSafeInteger(value) ? value : -1;
}
