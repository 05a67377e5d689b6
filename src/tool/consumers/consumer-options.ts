/** Owns the options that make up a consumer's configuration: one for every member that people set. */
import { UNASKED } from '../streams/config-options.ts';
import {
  bytes,
  choice,
  duration,
  count,
  flag,
  integer,
  limit,
  list,
  pairs,
  text,
  toggle,
  type Input,
} from '../parameters/index.ts';

export const CONSUMER_CONFIG_OPTIONS = {
  config: text('Begin with the configuration in this JSON file; other options win over it', { placeholder: 'FILE' }),
  description: text('What it is for'),
  deliver: text('Where to begin: all, last, new, last-per-subject, a sequence, a time, or how long ago', {
    placeholder: 'START',
  }),
  filter: list('Only messages of these subjects', { placeholder: 'SUBJECT' }),
  ack: choice('How messages are acknowledged (explicit, unless given)', ['explicit', 'all', 'none', 'flow_control']),
  ackWait: duration('How long an acknowledgement may take before the message comes again', { also: ['wait'] }),
  maxDeliver: limit('How often a message is delivered at most; -1 for no limit'),
  backoff: list('How long to wait before each further delivery, such as 1s,10s,1m', { placeholder: 'DURATION' }),
  maxAckPending: limit('Most unacknowledged messages; -1 for no limit', { also: ['max-pending'] }),
  replay: choice('As fast as possible, or as once published', ['instant', 'original']),
  headersOnly: toggle('Deliver no content'),
  sample: text('Share of acknowledgements to report, such as 30%', { placeholder: 'PERCENT' }),
  maxWaiting: limit('Most pull requests that may wait'),
  maxBatch: limit('Most messages that a pull request may ask for', { also: ['max-pull-batch'] }),
  maxExpires: duration('Longest time that a pull request may wait', { also: ['max-pull-expire'] }),
  maxBytes: bytes('Most bytes that a pull request may ask for', { also: ['max-pull-bytes'] }),
  target: text('Push messages to this subject, instead of having them pulled', { placeholder: 'SUBJECT' }),
  targetGroup: text('Queue group of those who listen on the target', { placeholder: 'GROUP', also: ['deliver-group'] }),
  flowControl: toggle('Push no faster than the receiver confirms'),
  heartbeat: duration('Push a sign of life when there is nothing else'),
  rateLimit: count('Push no more than this many bits a second', { also: ['bps'] }),
  inactiveThreshold: duration('Delete it when nobody has used it for so long'),
  replicas: integer("How many servers keep its state; 0 as many as the stream's", { short: 'r' }),
  memory: toggle('Keep its state in memory'),
  pauseUntil: text('Deliver nothing until then: a time, or how long from now', {
    placeholder: 'TIME',
    also: ['pause'],
  }),
  priorityGroups: list('Groups of pulling clients', { placeholder: 'GROUP' }),
  priorityPolicy: choice('Which of them gets messages', ['none', 'overflow', 'pinned_client', 'prioritized']),
  priorityTimeout: duration('How long a client may be silent before another is pinned'),
  metadata: pairs('Facts of your own to keep with it', '='),
  pedantic: flag('Have the server refuse what it would otherwise adapt'),
  pull: flag('Have messages pulled, as they are unless --target is given'),
  defaults: UNASKED,
} as const;

export type ConsumerConfigInput = Input<typeof CONSUMER_CONFIG_OPTIONS>;
