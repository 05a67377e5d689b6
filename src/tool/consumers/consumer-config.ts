/** Owns the way from options to a consumer's configuration. */
import type { ConsumerConfig } from '@nats-io/jetstream';
import { given, readConfigFile } from '../config-file.ts';
import { UsageError } from '../failure.ts';
import { parseDuration, parseFutureTime, parseTime, toNanos } from '../units.ts';
import type { ConsumerConfigInput } from './consumer-options.ts';

/** As the API takes and gives it; members that this program doesn't know are passed on. */
export type ConsumerDocument = Partial<ConsumerConfig>;

/** `before`, changed by the file and then by the options. @throws {ToolError | UsageError} */
export async function changedConfig(before: ConsumerDocument, input: ConsumerConfigInput): Promise<ConsumerDocument> {
  if (input.pull && input.target !== undefined) throw new UsageError('--pull and --target exclude each other');
  const file = input.config === undefined ? {} : await readConfigFile<ConsumerDocument>(input.config);
  const config: ConsumerDocument = {
    ...before,
    ...file,
    ...start(input),
    ...delivery(input),
    ...pulling(input),
    ...pushing(input),
  };
  // One filter and several are different members, which exclude each other.
  if (input.filter !== undefined) {
    delete config.filter_subject;
    delete config.filter_subjects;
    if (input.filter.length === 1) config.filter_subject = input.filter[0]!;
    else if (input.filter.length > 1) config.filter_subjects = [...input.filter];
  }
  if (input.metadata !== undefined) config.metadata = { ...config.metadata, ...Object.fromEntries(input.metadata) };
  return config;
}

const nanos = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : toNanos(milliseconds);

const POLICIES: Readonly<Record<string, ConsumerDocument>> = {
  all: { deliver_policy: 'all' },
  last: { deliver_policy: 'last' },
  new: { deliver_policy: 'new' },
  'last-per-subject': { deliver_policy: 'last_per_subject' },
};

function start({ deliver }: ConsumerConfigInput): ConsumerDocument {
  if (deliver === undefined) return {};
  const policy = Object.hasOwn(POLICIES, deliver) ? POLICIES[deliver] : undefined;
  if (policy !== undefined) return policy;
  if (/^\d+$/.test(deliver)) return { deliver_policy: 'by_start_sequence', opt_start_seq: Number(deliver) };
  try {
    return { deliver_policy: 'by_start_time', opt_start_time: parseTime(deliver, Date.now()) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`--deliver: "${deliver}" is none of all, last, new, last-per-subject, a sequence, a time`);
  }
}

function delivery(input: ConsumerConfigInput): ConsumerDocument {
  return given<ConsumerConfig>({
    description: input.description,
    ack_policy: input.ack,
    ack_wait: nanos(input.ackWait),
    max_deliver: input.maxDeliver,
    backoff: input.backoff?.map((text) => toNanos(parseDuration(text))),
    max_ack_pending: input.maxAckPending,
    replay_policy: input.replay,
    headers_only: input.headersOnly,
    sample_freq: input.sample,
    inactive_threshold: nanos(input.inactiveThreshold),
    num_replicas: input.replicas,
    mem_storage: input.memory,
    pause_until: input.pauseUntil === undefined ? undefined : parseFutureTime(input.pauseUntil),
  });
}

function pulling(input: ConsumerConfigInput): ConsumerDocument {
  return given<ConsumerConfig>({
    max_waiting: input.maxWaiting,
    max_batch: input.maxBatch,
    max_expires: nanos(input.maxExpires),
    max_bytes: input.maxBytes,
    priority_groups: input.priorityGroups === undefined ? undefined : [...input.priorityGroups],
    priority_policy: input.priorityPolicy,
    priority_timeout: nanos(input.priorityTimeout),
  });
}

function pushing(input: ConsumerConfigInput): ConsumerDocument {
  return given<ConsumerConfig>({
    deliver_subject: input.target,
    deliver_group: input.targetGroup,
    flow_control: input.flowControl,
    idle_heartbeat: nanos(input.heartbeat),
    rate_limit_bps: input.rateLimit,
  });
}
