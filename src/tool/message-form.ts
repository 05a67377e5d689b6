/** Owns the options that say how much of messages is printed. */
import { UsageError } from './failure.ts';
import type { MessageForm } from './output/index.ts';
import { flag, type Input } from './parameters/index.ts';

export const MESSAGE_FORM = {
  raw: flag('Print nothing but the content', { short: 'r' }),
  headersOnly: flag('Print no content'),
  subjectsOnly: flag('Print nothing but the subjects'),
} as const;

/** @throws {UsageError} when more than one is chosen. */
export function formOf({ raw, headersOnly, subjectsOnly }: Input<typeof MESSAGE_FORM>): MessageForm {
  if ([raw, headersOnly, subjectsOnly].filter(Boolean).length > 1) {
    throw new UsageError('--raw, --headers-only and --subjects-only exclude each other');
  }
  if (raw) return 'raw';
  if (subjectsOnly) return 'subject';
  return headersOnly ? 'headers' : 'full';
}
