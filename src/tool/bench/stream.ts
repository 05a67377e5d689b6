/** Owns the stream that measurements fill and read, and the parameters that choose it. */
import type { StreamInfo } from '@nats-io/jetstream';
import type { Context } from '../context.ts';
import { apiCode, STREAM_NOT_FOUND, ToolError } from '../failure.ts';
import { text, withDefault } from '../parameters/index.ts';

export const STREAM = withDefault(text('Stream to use', { placeholder: 'STREAM' }), 'BENCH');

interface StreamOptions {
  readonly stream: string;
  readonly storage: 'file' | 'memory';
  readonly replicas: number;
  readonly purge: boolean;
}

/** Subjects of the stream that measurements publish to. */
export function subjectOf(stream: string, client: number): string {
  return `bench.${stream}.${client}`;
}

/** Creates the stream if there is none. */
export async function prepareStream(
  context: Context,
  { stream, storage, replicas, purge }: StreamOptions,
): Promise<void> {
  const api = await context.api();
  try {
    await api.request<StreamInfo>(`STREAM.INFO.${stream}`);
    if (purge) await api.request<object>(`STREAM.PURGE.${stream}`);
  } catch (error) {
    if (apiCode(error) !== STREAM_NOT_FOUND) throw error;
    await api.request<StreamInfo>(`STREAM.CREATE.${stream}`, {
      name: stream,
      subjects: [`bench.${stream}.*`],
      storage,
      num_replicas: replicas,
      allow_atomic: true,
      allow_direct: true,
    });
  }
}

/** How many messages there are to read: no more than the stream has. @throws {ToolError} when it has none. */
export async function messagesToRead(context: Context, stream: string, wanted: number | undefined): Promise<number> {
  const { state } = await (await context.api()).request<StreamInfo>(`STREAM.INFO.${stream}`);
  if (state.messages === 0) throw new ToolError(`${stream} has no messages; "bench js pub" fills it`);
  return Math.min(wanted ?? state.messages, state.messages);
}
