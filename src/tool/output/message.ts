/** Owns how a message is shown: for people, raw, or as a JSON document on one line. */
import type { MsgHdrs } from '@nats-io/transport-node';
import { formatTime } from '../units.ts';
import type { Output } from './output.ts';
import { harmless, harmlessLine } from './width.ts';

/** What a stream knows about a message besides its content. */
export interface StreamPosition {
  readonly stream: string;
  readonly seq: number;
  readonly time: string;
  readonly consumer?: string;
  readonly deliveries?: number;
  readonly pending?: number;
}

export interface ShownMessage {
  readonly subject: string;
  readonly reply?: string | undefined;
  readonly headers?: MsgHdrs | undefined;
  readonly data: Uint8Array;
  readonly position?: StreamPosition;
  /** When it came, if that is of interest. */
  readonly arrived?: Date;
}

export type MessageForm = 'full' | 'raw' | 'headers' | 'subject';

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const NEWLINE = Buffer.from('\n');

export async function printMessage(
  output: Output,
  message: ShownMessage,
  form: MessageForm,
  count?: number,
): Promise<void> {
  if (output.json) await output.item(messageDocument(message), String);
  else if (form === 'raw') await output.write(Buffer.concat([message.data, NEWLINE]));
  else if (form === 'subject') await output.write(`${harmlessLine(message.subject)}\n`);
  else await output.write(fullText(output, message, form, count));
}

/** `data` when it is text, `data_base64` when it is not. */
function messageDocument({ subject, reply, headers, data, position, arrived }: ShownMessage): unknown {
  const text = asText(data);
  return {
    subject,
    ...(reply !== undefined && reply !== '' && { reply }),
    ...(headers !== undefined && { headers: headersDocument(headers) }),
    ...(text === undefined ? { data_base64: Buffer.from(data).toString('base64') } : { data: text }),
    ...position,
    ...(arrived !== undefined && { arrived: arrived.toISOString() }),
  };
}

function headersDocument(headers: MsgHdrs): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries([...headers].map(([name, values]) => [name, values]));
}

/** Undefined when it is not UTF-8. */
export function asText(data: Uint8Array): string | undefined {
  try {
    return UTF8.decode(data);
  } catch {
    return undefined; // a decoder that is told to be strict throws
  }
}

function fullText(output: Output, message: ShownMessage, form: MessageForm, count: number | undefined): string {
  const { subject, reply, headers, data, position, arrived } = message;
  const number = count === undefined ? '' : `[#${count}] `;
  const answer = reply === undefined || reply === '' ? '' : ` reply to ${harmlessLine(reply)}`;
  const where = position === undefined ? '' : ` ${positionText(position)}`;
  const when = arrived === undefined ? '' : ` at ${formatTime(arrived)}${arrived.toISOString().slice(19, 23)}`;
  const lines = [output.style.bold(harmlessLine(`${number}${subject}`)) + output.style.dim(`${where}${when}${answer}`)];
  if (headers !== undefined) {
    for (const [name, values] of headers) for (const value of values) lines.push(harmlessLine(`${name}: ${value}`));
  }
  if (form === 'full') {
    if (headers !== undefined && lines.length > 1) lines.push('');
    const content = asText(data);
    lines.push(content === undefined ? Buffer.from(data).toString('base64') : harmless(content));
  }
  return `${lines.join('\n')}\n\n`;
}

function positionText({ stream, seq, time, deliveries, pending }: StreamPosition): string {
  const again = deliveries === undefined || deliveries < 2 ? '' : `, delivery ${deliveries}`;
  const rest = pending === undefined ? '' : `, ${pending} pending`;
  return `${stream} #${seq} at ${formatTime(time)}${again}${rest}`;
}
