/** Owns finding and reading single messages of a stream: what STREAM.MSG.GET and the direct gets have in common. */
import type { Seq, TimestampUs } from '../base/brand.ts';
import { SubjectMatcher } from '../base/subjects.ts';
import { emptyStoredMessage, type StoredMessage, type StreamReader } from '../stream/index.ts';

/** Between finding a message and reading it, it may go: then the next one is looked for, so often at most. */
const MAX_ATTEMPTS = 8;
const NO_SEQ = 0 as Seq;

/** Which message is wanted. Members that are 0, empty or undefined don't count. */
export interface MessageSelector {
  readonly seq: number;
  readonly lastBySubject: string;
  /** With `seq` or `startTimeUs` as inclusive lower bound. */
  readonly nextBySubject: string;
  readonly startTimeUs: TimestampUs | undefined;
}

export type Lookup =
  | { readonly kind: 'found'; readonly message: StoredMessage }
  | { readonly kind: 'notFound' }
  /** It was there, but its block can't be proven on this replica. */
  | { readonly kind: 'lost' };

const NOT_FOUND: Lookup = { kind: 'notFound' };

/** Finds and reads one message. Its view stays valid as long as the caller needs it. */
export async function lookUpMessage(stream: StreamReader, selector: MessageSelector): Promise<Lookup> {
  const exact = selector.lastBySubject === '' && selector.nextBySubject === '' && selector.startTimeUs === undefined;
  for (let attempt = 0; attempt < (exact ? 1 : MAX_ATTEMPTS); attempt++) {
    const seq = await findSeq(stream, selector);
    if (seq === NO_SEQ) return NOT_FOUND;
    const message = emptyStoredMessage();
    const step = await readMessage(stream, seq, message);
    if (step === 'message') return { kind: 'found', message };
    if (step === 'lost') return { kind: 'lost' };
  }
  return NOT_FOUND;
}

async function findSeq(stream: StreamReader, selector: MessageSelector): Promise<Seq> {
  const { lastBySubject, nextBySubject } = selector;
  if (lastBySubject !== '') return stream.lastSeqOf(new SubjectMatcher([lastBySubject]));
  const from = lowerBound(stream, selector);
  if (nextBySubject !== '') return stream.nextSeqOf(new SubjectMatcher([nextBySubject]), from);
  return from > stream.state().lastSeq ? NO_SEQ : from;
}

/** The least sequence that a selector with a lower bound allows. */
export function lowerBound(stream: StreamReader, selector: MessageSelector): Seq {
  if (selector.startTimeUs !== undefined) return stream.seqAtTime(selector.startTimeUs);
  return Math.max(selector.seq, 1) as Seq;
}

/** Reads the message at `seq`, from disk if need be. */
export function readMessage(stream: StreamReader, seq: Seq, into: StoredMessage): Promise<'message' | 'gone' | 'lost'> {
  return new Promise((resolve) => {
    const attempt = (): void => {
      const step = stream.read(seq, into, attempt);
      if (step !== 'wait') resolve(step);
    };
    attempt();
  });
}
