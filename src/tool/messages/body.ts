/** Owns where the content of messages comes from: the command line, a file, or stdin. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { MsgHdrs } from '@nats-io/transport-node';
import type { Context } from '../context.ts';
import { UsageError } from '../failure.ts';
import { checkSubject } from '../parameters/index.ts';
import { fill, type TemplateValues } from './template.ts';

/** What is the same for all messages of a command, or nearly so. */
export interface MessageSource {
  readonly subject: string;
  readonly body: string | Uint8Array;
  readonly headers: readonly (readonly [string, string])[];
  readonly templates: boolean;
}

/** The body as given; `-` and none at all mean stdin. @throws {UsageError} when that is a terminal nobody asked for. */
export async function readBody(
  context: Context,
  body: string | undefined,
  file?: string,
): Promise<string | Uint8Array> {
  if (file !== undefined) {
    if (body !== undefined) throw new UsageError('a body and --file exclude each other');
    return readFile(file);
  }
  if (body !== undefined && body !== '-') return body;
  const { stdin } = context.surroundings;
  if (stdin.isTTY && body === undefined) throw new UsageError('BODY is missing; "-" reads it from the terminal');
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

export function stdinLines(context: Context): AsyncIterable<string> {
  return createInterface({ input: context.surroundings.stdin, crlfDelay: Infinity });
}

/** @throws {UsageError} when that is no subject to publish to. */
export function fillSubject({ subject, templates }: MessageSource, values: TemplateValues): string {
  const filled = templates ? fill(subject, values) : subject;
  checkSubject(filled);
  if (/(^|\.)[*>](\.|$)/.test(filled)) throw new UsageError(`"${filled}" has wildcards, which are for listening`);
  return filled;
}

/** What is not text holds no templates. */
export function fillBody({ body, templates }: MessageSource, values: TemplateValues): string | Uint8Array {
  return templates && typeof body === 'string' ? fill(body, values) : body;
}

/** Undefined without headers. */
export async function fillHeaders(
  { headers: pairs, templates }: MessageSource,
  values: TemplateValues,
): Promise<MsgHdrs | undefined> {
  if (pairs.length === 0) return undefined;
  const { headers } = await import('@nats-io/transport-node');
  const filled = headers();
  for (const [name, value] of pairs) filled.append(name, templates ? fill(value, values) : value);
  return filled;
}
