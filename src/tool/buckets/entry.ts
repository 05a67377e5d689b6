/** Owns how the entry of a key is shown. */
import type { KvEntry } from '@nats-io/kv';
import { asText, harmlessLine, type Output } from '../output/index.ts';
import { formatTime } from '../units.ts';

/** `value` when it is text, `value_base64` when it is not. */
export function entryDocument({ bucket, key, value, revision, created, operation }: KvEntry): object {
  const text = asText(value);
  return {
    bucket,
    key,
    revision,
    created: created.toISOString(),
    operation,
    ...(text === undefined ? { value_base64: Buffer.from(value).toString('base64') } : { value: text }),
  };
}

/** One line: when, what happened, to which key. */
export function entryLine(entry: KvEntry, { style }: Output): string {
  const { key, value, revision, created, operation } = entry;
  const content = operation === 'PUT' ? (asText(value) ?? Buffer.from(value).toString('base64')) : '';
  const head = `${formatTime(created)}  #${revision}  ${operation.padEnd(5)}`;
  return `${style.dim(head)}  ${style.bold(key)}${content === '' ? '' : `  ${harmlessLine(content)}`}\n`;
}
