/** Owns the options that make up a stream's configuration: one for every member that people set. */
import {
  bytes,
  choice,
  duration,
  count,
  flag,
  limit,
  list,
  pairs,
  text,
  time,
  toggle,
  type Input,
} from '../parameters/index.ts';

const subject = { placeholder: 'SUBJECT' } as const;

/** The `nats` tool asks for what is not given, unless told so. */
export const UNASKED = flag('Ask nothing, as it is in any case');

/** Also of buckets, and of what is restored. */
export const PLACEMENT_OPTIONS = {
  placementCluster: text('Cluster to place it in', { placeholder: 'NAME', also: ['cluster'] }),
  placementTags: list('Tags that its servers must have', { placeholder: 'TAG', also: ['tag', 'tags'] }),
} as const;

export const STREAM_CONFIG_OPTIONS = {
  config: text('Begin with the configuration in this JSON file; other options win over it', { placeholder: 'FILE' }),
  subjects: list('Subjects whose messages are stored (the name of the stream, unless given)', subject),
  description: text('What it is for'),
  storage: choice('Where messages are kept', ['file', 'memory']),
  replicas: count('How many servers keep a copy', { short: 'r' }),
  retention: choice('What ends the life of a message: limits, no more interest, or being acknowledged', [
    'limits',
    'interest',
    'workqueue',
  ]),
  discard: choice('At a limit, remove old messages or refuse new ones', ['old', 'new']),
  discardPerSubject: toggle('Refuse new messages at the limit of a subject as well'),
  maxMsgs: limit('Most messages to keep; -1 for no limit'),
  maxMsgsPerSubject: limit('Most messages to keep of a subject; -1 for no limit'),
  maxBytes: bytes('Most bytes to keep, such as 10GiB; -1 for no limit'),
  maxAge: duration('How long to keep messages, such as 30d; 0 for ever'),
  maxMsgSize: bytes('Largest message to accept; -1 for no limit'),
  maxConsumers: limit('Most consumers to allow; -1 for no limit'),
  dupeWindow: duration('How long a Nats-Msg-Id is remembered'),
  compression: choice('How files are compressed', ['none', 's2']),
  firstSeq: count('Sequence of the first message', { also: ['first-sequence'] }),
  ack: toggle('Acknowledge what is stored'),
  allowDirect: toggle('Let every replica answer direct gets'),
  mirrorDirect: toggle("Let a mirror answer its origin's direct gets", { also: ['allow-mirror-direct'] }),
  allowRollup: toggle('Allow messages that replace all before them'),
  denyDelete: toggle('Refuse to delete messages, for ever'),
  denyPurge: toggle('Refuse to purge, for ever'),
  allowMsgTtl: toggle('Allow messages with a life of their own (Nats-TTL)'),
  subjectDeleteMarkerTtl: duration('Leave a marker for this long where the last message of a subject has expired', {
    also: ['subject-del-markers-ttl', 'limit-marker-ttl'],
  }),
  allowCounter: toggle('Make each subject a counter'),
  allowAtomic: toggle('Allow batches that are stored as a whole or not at all', { also: ['allow-batch'] }),
  allowBatched: toggle('Allow batches for speed'),
  allowSchedules: toggle('Allow messages that are published later'),
  persistMode: choice('Acknowledge after the write, or before', ['default', 'async']),
  ...PLACEMENT_OPTIONS,
  mirror: text('Be a copy of this stream', { placeholder: 'STREAM' }),
  mirrorFilter: text('Copy only these subjects', subject),
  mirrorStartSeq: count('Copy from this sequence'),
  mirrorStartTime: time('Copy from this time'),
  mirrorDomain: text('Domain of the stream to copy', { placeholder: 'NAME' }),
  source: list('Take in the messages of this stream, or of some subjects of it: NAME or NAME:SUBJECT', {
    placeholder: 'STREAM',
  }),
  transformSource: text('Rename subjects as they are stored: those that match this', subject),
  transformDestination: text('... become this, such as orders.{{wildcard(1)}}', subject),
  republishSource: text('Publish again what is stored: what matches this', subject),
  republishDestination: text('... as this', subject),
  republishHeadersOnly: toggle('... without content', { also: ['republish-headers'] }),
  limitConsumerInactive: duration('Longest time that a consumer may be inactive'),
  limitConsumerAckPending: limit('Most unacknowledged messages that a consumer may allow', {
    also: ['limit-consumer-max-pending'],
  }),
  metadata: pairs('Facts of your own to keep with it', '='),
  pedantic: flag('Have the server refuse what it would otherwise adapt'),
  defaults: UNASKED,
} as const;

export type StreamConfigInput = Input<typeof STREAM_CONFIG_OPTIONS>;
