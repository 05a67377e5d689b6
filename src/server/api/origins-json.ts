/** Owns what STREAM.INFO says of where a stream's messages come from (streams.md 4.3). */
import type { OriginInfo } from '../../sourcing/index.ts';
import type { LocalStream } from './backend.ts';
import { sourceJson } from './stream-wire.ts';
import { msToNanos } from './wire.ts';

const NEVER_ACTIVE = -1;

/** `mirror` and `sources`: known to the leader alone. */
export function originsJson({ stream, origins }: LocalStream): object {
  const infos = origins();
  if (infos.length === 0) return {};
  return stream.config.mirror === undefined ? { sources: infos.map(originJson) } : { mirror: originJson(infos[0]!) };
}

function originJson({ source, lag, activeMs, seq, error }: OriginInfo): object {
  const { name, external, filter_subject, subject_transforms } = sourceJson(source);
  return {
    name,
    external,
    lag,
    seq: seq || undefined,
    active: activeMs === undefined ? NEVER_ACTIVE : msToNanos(activeMs),
    error: error && { code: error.code, err_code: error.errCode, description: error.description },
    filter_subject,
    subject_transforms,
  };
}
