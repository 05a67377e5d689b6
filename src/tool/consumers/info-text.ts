/** Owns how a consumer is described to people. */
import type { ConsumerConfig, ConsumerInfo } from '@nats-io/jetstream';
import type { Fact, Output } from '../output/index.ts';
import { clusterFacts, metadataFacts } from '../streams/info-text.ts';
import { formatAge, formatBytes, formatCount, formatDuration, formatLimit, formatTime, fromNanos } from '../units.ts';

export function consumerText(info: ConsumerInfo, output: Output): string {
  const { config } = info;
  return output.facts([
    { title: `Consumer ${info.name} of ${info.stream_name}`, facts: identity(info) },
    { title: 'Delivery', facts: delivery(config) },
    { title: config.deliver_subject === undefined ? 'Pull' : 'Push', facts: mode(info) },
    { title: 'Cluster', facts: clusterFacts(info.cluster) },
    { title: 'State', facts: state(info) },
    { title: 'Metadata', facts: metadataFacts(config.metadata) },
  ]);
}

const duration = (nanos: number | undefined): string | undefined =>
  nanos === undefined || nanos === 0 ? undefined : formatDuration(fromNanos(nanos));

const count = (value: number | undefined): string | undefined => (value === undefined ? undefined : formatLimit(value));

function identity({ config, created }: ConsumerInfo): readonly Fact[] {
  return [
    ['Description', config.description],
    ['Durable', config.durable_name === undefined ? 'no' : 'yes'],
    [
      'Replicas',
      config.num_replicas === undefined || config.num_replicas === 0 ? undefined : String(config.num_replicas),
    ],
    ['State kept', config.mem_storage === true ? 'in memory' : undefined],
    ['Deleted after inactivity', duration(config.inactive_threshold)],
    ['Created', formatTime(created)],
  ];
}

function delivery(config: ConsumerConfig): readonly Fact[] {
  return [
    ['Begins', startText(config)],
    ['Filter', config.filter_subject ?? config.filter_subjects?.join(', ')],
    ['Acknowledgement', config.ack_policy],
    ['Acknowledged within', duration(config.ack_wait)],
    ['Deliveries', count(config.max_deliver)],
    ['Backoff', config.backoff?.map((nanos) => formatDuration(fromNanos(nanos))).join(', ')],
    ['Unacknowledged', count(config.max_ack_pending)],
    ['Replay', config.replay_policy],
    ['Content', config.headers_only === true ? 'left out' : undefined],
    ['Sampling', config.sample_freq],
  ];
}

function startText(config: ConsumerConfig): string {
  switch (config.deliver_policy) {
    case 'by_start_sequence':
      return `at sequence ${formatCount(config.opt_start_seq ?? 0)}`;
    case 'by_start_time':
      return `at ${formatTime(config.opt_start_time)}`;
    case 'all':
    case 'last':
    case 'new':
    case 'last_per_subject':
      return config.deliver_policy.replaceAll('_', ' ');
  }
}

function mode({ config, push_bound: bound }: ConsumerInfo): readonly Fact[] {
  return [
    ['Target', config.deliver_subject],
    ['Group', config.deliver_group],
    [
      'Somebody listens',
      config.deliver_subject === undefined ? undefined : (bound as boolean | undefined) === true ? 'yes' : 'no',
    ],
    ['Flow control', config.flow_control === true ? 'yes' : undefined],
    ['Heartbeat', duration(config.idle_heartbeat)],
    ['Rate limit', config.rate_limit_bps === undefined ? undefined : `${formatCount(config.rate_limit_bps)} bit/s`],
    ['Waiting requests', count(config.max_waiting)],
    ['Batch', count(config.max_batch)],
    ['Batch bytes', config.max_bytes === undefined ? undefined : formatBytes(config.max_bytes)],
    ['Request expires within', duration(config.max_expires)],
    ['Priority', config.priority_policy === 'none' ? undefined : config.priority_policy],
    ['Priority groups', config.priority_groups?.join(', ')],
    ['Pinned for', duration(config.priority_timeout)],
  ];
}

function state(info: ConsumerInfo): readonly Fact[] {
  const { delivered, ack_floor: floor } = info;
  const position = ({
    stream_seq: seq,
    consumer_seq: number,
    last_active: active,
  }: ConsumerInfo['delivered']): string => {
    const last = active as unknown as string | undefined;
    const age = last === undefined ? '' : `, ${formatAge(Date.now() - Date.parse(last))} ago`;
    return `sequence ${formatCount(seq)}, delivery ${formatCount(number)}${age}`;
  };
  return [
    ['Delivered', position(delivered)],
    ['Acknowledged', position(floor)],
    ['Unacknowledged', formatCount(info.num_ack_pending)],
    ['Delivered again', formatCount(info.num_redelivered)],
    ['Waiting requests', formatCount(info.num_waiting)],
    ['Still to come', formatCount(info.num_pending)],
    ['Paused', info.paused === true ? `for another ${formatDuration(fromNanos(info.pause_remaining))}` : undefined],
  ];
}
