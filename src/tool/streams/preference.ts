/** Owns where a leader that steps down should go: of streams, of consumers, and of the cluster. */
import { list, text } from '../parameters/index.ts';

export const PREFERENCE = {
  preferred: text('Server that should lead instead', { placeholder: 'NAME' }),
  placementTags: list('Tags that the server must have', { placeholder: 'TAG' }),
} as const;

export function stepDownBody(preferred: string | undefined, tags: readonly string[] | undefined): object | undefined {
  if (preferred === undefined && tags === undefined) return undefined;
  return { placement: { ...(preferred !== undefined && { preferred }), ...(tags !== undefined && { tags }) } };
}
