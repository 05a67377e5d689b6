/** Owns STREAM.LIST: the leaders of a page of streams are asked at once (streams.md 3.4). */
import { SERVER_LEVEL_KEY, SERVER_VERSION_KEY } from '../../base/asset.ts';
import { clampOffset, decodeOptionalBody, failure, success } from './call.ts';
import type { Endpoint } from './call.ts';
import { int, text } from './decoder.ts';
import { askForStreamInfo } from './stream-info-json.ts';
import { streamsWithSubject } from './stream-names.ts';

const STREAMS_PER_PAGE = 256;
const GATHER_TIMEOUT_MS = 4000;

const REQUEST = { rootType: 'JSApiStreamListRequest', fields: { offset: int, subject: text } } as const;

export const STREAM_LIST: Endpoint = {
  subject: 'STREAM.LIST',
  responseType: 'stream_list_response',
  place: 'metaLeader',
  failure: { total: 0, offset: 0, limit: 0, streams: [] },

  async handle(call) {
    const body = decodeOptionalBody(call, REQUEST);
    if (!body.ok) return failure(body.error);
    await call.backend.catalogueBarrier();
    const matching = streamsWithSubject(call, body.value.subject);
    const offset = clampOffset(body.value.offset, matching.length);
    const page = matching.slice(offset, offset + STREAMS_PER_PAGE);
    const infos = await Promise.all(page.map((stream) => askForStreamInfo(call.backend, stream, GATHER_TIMEOUT_MS)));
    const missing = page.filter((_, index) => infos[index] === undefined).map(({ name }) => name);
    return success({
      total: matching.length,
      offset,
      limit: STREAMS_PER_PAGE,
      streams: infos.filter((info) => info !== undefined).map((info) => asListed(info, call.backend.clustered)),
      missing: missing.length > 0 ? missing : undefined,
    });
  },
};

/** Listings show the metadata that is stored, not who answered, nor where else to look; one server alone has no cluster. */
function asListed(info: Record<string, unknown>, clustered: boolean): object {
  const config = info['config'] as { readonly metadata: Readonly<Record<string, string>> };
  const cluster = clustered ? info['cluster'] : undefined;
  return { ...info, cluster, alternates: undefined, config: { ...config, metadata: storedPart(config.metadata) } };
}

function storedPart(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const dynamic = [SERVER_LEVEL_KEY, SERVER_VERSION_KEY];
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !dynamic.includes(key)));
}
