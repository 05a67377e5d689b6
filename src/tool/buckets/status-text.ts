/** Owns how a bucket is described to people. */
import type { StreamInfo } from '@nats-io/jetstream';
import type { Context } from '../context.ts';
import { clusterFacts, metadataFacts } from '../streams/info-text.ts';
import { formatBytes, formatCount, formatDuration, formatLimit, formatTime, fromNanos } from '../units.ts';
import { bucketName } from './bucket.ts';

export function statusText(info: StreamInfo, context: Context): string {
  const { config, state } = info;
  const duration = (nanos: number): string => formatDuration(fromNanos(nanos));
  return context.output.facts([
    {
      title: `Bucket ${bucketName(info)}`,
      facts: [
        ['Description', config.description],
        ['Values of a key', formatLimit(config.max_msgs_per_subject)],
        ['Kept for', config.max_age === 0 ? 'ever' : duration(config.max_age)],
        [
          'Expiry markers',
          config.subject_delete_marker_ttl === undefined ? undefined : duration(config.subject_delete_marker_ttl),
        ],
        ['Bytes', formatLimit(config.max_bytes, formatBytes)],
        ['Value size', formatLimit(config.max_msg_size, formatBytes)],
        ['Storage', config.storage + (config.compression === 's2' ? ', compressed' : '')],
        ['Replicas', String(config.num_replicas)],
        ['Mirror of', config.mirror?.name.replace(/^KV_/, '')],
        ['Created', formatTime(info.created)],
      ],
    },
    { title: 'Cluster', facts: clusterFacts(info.cluster) },
    {
      title: 'State',
      facts: [
        ['Values', formatCount(state.messages)],
        ['Bytes', formatBytes(state.bytes)],
        ['Last revision', formatCount(state.last_seq)],
        ['Last change', formatTime(state.last_ts)],
      ],
    },
    { title: 'Metadata', facts: metadataFacts(config.metadata) },
  ]);
}
