/** Owns what `npm run bench` measures of consumers: pulling, replays, many consumers of one stream, watchers, creating them. */
import { RetentionPolicy } from 'nats';
import type { BenchCase, ConsumerRequest } from './cases.ts';

/** What clients set for a key-value bucket. */
export const BUCKET = { max_msgs_per_subject: 1, allow_direct: true };
const KEYS = '1000';
/** Consumers, where one stream has many. */
const MANY = 100;

const ONE = { name: 'C', durable_name: 'C', ack_policy: 'explicit', max_ack_pending: 50_000 };
const WITHOUT_ACKS = { name: 'C', durable_name: 'C', ack_policy: 'none' };
const PUSHED = { ...WITHOUT_ACKS, deliver_subject: '_PUSH.0' };

function many(config: (number: number) => ConsumerRequest): readonly ConsumerRequest[] {
  return Array.from({ length: MANY }, (_, number) => config(number));
}

/** Each has a filter of its own, so that each message is for one of them. */
function filtered(tail: string): readonly ConsumerRequest[] {
  return many((number) => ({
    ...ONE,
    name: `C${number}`,
    durable_name: `C${number}`,
    filter_subject: `bench.${number}${tail}`,
  }));
}

function pushed(consumers: readonly ConsumerRequest[]): readonly ConsumerRequest[] {
  return consumers.map((config, number) => ({
    ...PUSHED,
    name: config.name,
    durable_name: config.name,
    filter_subject: config['filter_subject'],
    deliver_subject: `_PUSH.${number}`,
  }));
}

/** What clients make to watch a whole bucket. */
const WATCHERS = many((number) => ({
  name: `W${number}`,
  deliver_subject: `_PUSH.${number}`,
  deliver_policy: 'last_per_subject',
  ack_policy: 'none',
  max_deliver: 1,
  filter_subject: 'bench.>',
  replay_policy: 'instant',
  flow_control: true,
  idle_heartbeat: 5_000_000_000,
  inactive_threshold: 300_000_000_000,
  mem_storage: true,
  num_replicas: 1,
}));

function pull(acks: 'acks' | 'no acks'): BenchCase['commands'] {
  return (count) => [
    ['js', 'bench', count, '128', '1000'],
    ['pull', 'BENCH', 'C', count, '500', acks === 'acks' ? '1' : '0'],
  ];
}

const push: BenchCase['commands'] = (count) => [
  ['js', 'bench', count, '128', '1000'],
  ['push', count, '1', '1'],
];

const workQueue: BenchCase['commands'] = (count) => [['queue', 'bench', 'BENCH', 'C', count, '128', '1000', '500']];

function publishToPulls(subject: string): BenchCase['commands'] {
  return (count) => [['pulls', subject, 'BENCH', count, '128', '1000', `${MANY}`, `${MANY}`, '100']];
}

function publishToPushes(subject: string): BenchCase['commands'] {
  return (count) => [['fan', subject, count, '128', '1000', `${MANY}`, '1', `${MANY}`, '1']];
}

function publishToWatchers(connections: number): BenchCase['commands'] {
  return (count) => [['fan', 'bench.#', count, '128', '1000', '0', `${MANY}`, `${MANY}`, `${connections}`]];
}

/** The number of each takes the place of #. */
function create(inFlight: number, option: string): BenchCase['commands'] {
  const body = `{"stream_name":"BENCH","config":{"name":"C#","ack_policy":"explicit",${option}}}`;
  return (count) => [['req', '$JS.API.CONSUMER.CREATE.BENCH.C#', count, `${inFlight}`, body]];
}

const DURABLE = '"durable_name":"C#"';
const EPHEMERAL = '"inactive_threshold":300000000000';

const waitingPull: BenchCase['commands'] = (count) => [['wait', 'bench', 'BENCH', 'C', count, '128']];

const directGets: BenchCase['commands'] = (count) => [
  ['js', 'bench.#', KEYS, '128', '1000', KEYS],
  ['req', '$JS.API.DIRECT.GET.BENCH.bench.#', count, '100', '', KEYS],
];

const R1 = { nodes: 1, stream: {} } as const;
const R3 = { nodes: 3, stream: {} } as const;

export const CONSUMER_CASES: readonly BenchCase[] = [
  { ...R1, name: 'R1 pull, ack explicit, 500 a batch', count: 300_000, consumers: [ONE], commands: pull('acks') },
  {
    ...R1,
    name: 'R1 work queue: publish, pull, ack',
    count: 200_000,
    stream: { retention: RetentionPolicy.Workqueue },
    consumers: [ONE],
    commands: workQueue,
  },
  { ...R1, name: 'R1 replay by pull, no acks', count: 500_000, consumers: [WITHOUT_ACKS], commands: pull('no acks') },
  { ...R1, name: 'R1 replay by push, no acks', count: 500_000, consumers: [PUSHED], commands: push },
  { ...R1, name: 'R1 100 filters, pull', count: 100_000, consumers: filtered(''), commands: publishToPulls('bench.#') },
  {
    ...R1,
    name: 'R1 100 wildcard filters, pull',
    count: 100_000,
    consumers: filtered('.*'),
    commands: publishToPulls('bench.#.x'),
  },
  {
    ...R1,
    name: 'R1 100 filters, push',
    count: 200_000,
    consumers: pushed(filtered('')),
    commands: publishToPushes('bench.#'),
  },
  {
    ...R1,
    name: 'R1 100 wildcard filters, push',
    count: 200_000,
    consumers: pushed(filtered('.*')),
    commands: publishToPushes('bench.#.x'),
  },
  {
    ...R1,
    name: 'R1 100 watchers',
    count: 20_000,
    stream: BUCKET,
    consumers: WATCHERS,
    commands: publishToWatchers(1),
  },
  {
    ...R1,
    name: 'R1 100 watchers, a connection each',
    count: 20_000,
    stream: BUCKET,
    consumers: WATCHERS,
    commands: publishToWatchers(MANY),
  },
  { ...R3, name: 'R3 pull, ack explicit, 500 a batch', count: 200_000, consumers: [ONE], commands: pull('acks') },
  { ...R3, name: 'R3 direct get, 1 k keys, leader', count: 200_000, stream: BUCKET, commands: directGets },
  {
    ...R3,
    name: 'R3 direct get, 1 k keys, follower',
    count: 200_000,
    stream: BUCKET,
    at: 'follower',
    commands: directGets,
  },
  {
    ...R3,
    name: 'R3 100 watchers',
    count: 10_000,
    stream: BUCKET,
    consumers: WATCHERS,
    commands: publishToWatchers(1),
  },
  { ...R3, name: 'R3 100 filters, pull', count: 100_000, consumers: filtered(''), commands: publishToPulls('bench.#') },
  {
    ...R3,
    name: 'R3 100 filters, push',
    count: 100_000,
    consumers: pushed(filtered('')),
    commands: publishToPushes('bench.#'),
  },
  { ...R3, name: 'R3 create durable, one by one', count: 500, commands: create(1, DURABLE) },
  { ...R3, name: 'R3 create durable, 16 in flight', count: 1_000, commands: create(16, DURABLE) },
  { ...R3, name: 'R3 create ephemeral, one by one', count: 500, commands: create(1, EPHEMERAL) },
  { ...R3, name: 'R3 create ephemeral, 16 in flight', count: 1_000, commands: create(16, EPHEMERAL) },
  {
    ...R3,
    name: 'R3 publish to a waiting pull',
    count: 20_000,
    consumers: [ONE],
    shows: 'latency',
    commands: waitingPull,
  },
];
