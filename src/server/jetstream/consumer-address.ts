/** Owns what the subjects say on which clients answer and ask consumers: which consumer of which stream is meant. */
import { shortHash } from '../../base/short-hash.ts';

const DOT = 0x2e;
/** `$JS.ACK.<stream>.<consumer>.<5 numbers>`; with domain and account hash in front of the stream there are two more. */
const DOTS_IN_ACK = 8;
/** In the place of a domain. */
const NO_DOMAIN = '_';

/** What a subject of ours leads to. */
export type Address =
  | {
      readonly kind: 'ack' | 'flowControl';
      readonly stream: string;
      readonly consumer: string;
      readonly prefix: Buffer;
      /** Named in the longer layout: what others call by that prefix is none of ours. */
      readonly account: string | undefined;
    }
  | { readonly kind: 'next'; readonly stream: string; readonly consumer: string };

export type ReplyAddress = Address & { readonly kind: 'ack' | 'flowControl' };

/** `$JS.ACK.…` and `$JS.FC.…` in both layouts (consumers.md 4.5, 6.1). */
export function parseReplySubject(subject: string, account: string, domain: string): ReplyAddress | undefined {
  const tokens = subject.split('.');
  const isAck = tokens[1] === 'ACK';
  const longLayout = isAck ? tokens.length - 1 > DOTS_IN_ACK : tokens.length > 5;
  const first = longLayout ? 4 : 2;
  const stream = tokens[first];
  const consumer = tokens[first + 1];
  if (!stream || !consumer) return undefined;
  const named = longLayout ? account : undefined;
  const foreign = tokens[2] !== (domain || NO_DOMAIN) || tokens[3] !== shortHash(account);
  if (longLayout && foreign) return undefined;
  const prefix = Buffer.from(`${tokens.slice(0, first + 2).join('.')}.`);
  return { kind: isAck ? 'ack' : 'flowControl', stream, consumer, prefix, account: named };
}

export function startsWith(buffer: Buffer, start: number, end: number, prefix: Buffer): boolean {
  const length = prefix.length;
  if (end - start < length || prefix[length - 1] !== DOT) return false;
  for (let i = length - 1; i >= 0; i--) if (buffer[start + i] !== prefix[i]) return false;
  return true;
}
