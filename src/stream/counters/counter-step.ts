/**
 * Owns what one message makes of a counter: a publish adds to it, a message of a source brings what that source's own
 * counter has come to (streams.md 7.7).
 */
import {
  addCounts,
  COUNTER_SOURCES_HEADER,
  counterPayload,
  parseCount,
  readCounter,
  sourcesText,
  shareOf,
  subtractCounts,
  withShare,
  type Count,
  type Counter,
} from './counter-value.ts';
import type { MessageDraft } from '../messages/message-draft.ts';
import { INCREMENT } from '../messages/publish-headers.ts';
import type { Provenance } from '../source-positions.ts';

export interface CounterStep {
  readonly total: Count;
  /** What the counter is then; undefined: nothing can be added to it. */
  readonly counter: Counter | undefined;
}

/** Gives `draft` the value that follows from its increment, which is one. */
export function addIncrement(draft: MessageDraft, last: Counter): CounterStep {
  const { sources } = last;
  const total = addCounts(last.total, parseCount(draft.honoured.text(INCREMENT))!);
  if (sources !== undefined) draft.setHeader(COUNTER_SOURCES_HEADER, sourcesText(sources));
  draft.payload = counterPayload(total);
  // Where no source has a share, a client may claim one, as with the reference server.
  const claimed = sources === undefined ? draft.header(COUNTER_SOURCES_HEADER) : undefined;
  return { total, counter: claimed === undefined ? { total, sources } : readCounter(draft.payload, claimed) };
}

/**
 * Gives `draft` the value that follows from the total upstream, and the increment that leads there: what was passed by in
 * between is made up for. Undefined: there is no such total.
 */
export function takeTotal(
  draft: MessageDraft,
  last: Counter,
  { origin, subject }: Provenance,
): CounterStep | undefined {
  const upstream = readCounter(draft.payload, undefined);
  if (upstream === undefined) return undefined;
  const increment = subtractCounts(upstream.total, shareOf(last, origin, subject));
  const total = addCounts(last.total, increment);
  const sources = withShare(last.sources ?? {}, { origin, subject, total: upstream.total });
  draft.setHeader('Nats-Incr', String(increment));
  draft.setHeader(COUNTER_SOURCES_HEADER, sourcesText(sources));
  draft.payload = counterPayload(total);
  return { total, counter: { total, sources } };
}
