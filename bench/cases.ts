/** Owns the list of what `npm run bench` measures: the stream it needs, and how the load generator is called. */
import { RetentionPolicy, type StreamConfig } from 'nats';

export interface BenchCase {
  readonly name: string;
  readonly nodes: 1 | 3;
  /** Messages at SCALE=1. */
  readonly count: number;
  /** Undefined: core messages only. */
  readonly stream?: Partial<StreamConfig>;
  readonly consumer?: boolean;
  readonly at?: 'leader' | 'follower';
  /** Arguments of the load generator without the port; the last command's figures count. */
  commands(count: string): string[][];
}

function publish(size: number, window: number): BenchCase['commands'] {
  return (count) => [['js', 'bench', count, String(size), String(window)]];
}

const pull: BenchCase['commands'] = (count) => [
  ['js', 'bench', count, '128', '1000'],
  ['pull', 'BENCH', 'C', count, '500', '1'],
];

/** What clients set for a key-value bucket. */
const bucket: Partial<StreamConfig> = { max_msgs_per_subject: 1, allow_direct: true };
const KEYS = '100000';
const SOME_KEYS = '1000';

const putsOf =
  (keys: string): BenchCase['commands'] =>
  (count) => [['js', 'bench', count, '128', '1000', keys]];

const getsOf =
  (keys: string): BenchCase['commands'] =>
  (count) => [
    ['js', 'bench', keys, '128', '1000', keys],
    ['req', '$JS.API.DIRECT.GET.BENCH.bench', count, '100', '', keys],
  ];

const getBatches: BenchCase['commands'] = (count) => [
  ['js', 'bench', count, '128', '1000'],
  ['batch', 'BENCH', count, '500'],
];

const workQueue: BenchCase['commands'] = (count) => [['queue', 'bench', 'BENCH', 'C', count, '128', '1000', '500']];

export const CASES: readonly BenchCase[] = [
  { name: 'core publish 16 B', nodes: 1, count: 8_000_000, commands: (count) => [['pub', 'foo', count, '16']] },
  {
    name: 'core publish, subscribe 16 B',
    nodes: 1,
    count: 3_000_000,
    commands: (count) => [['pubsub', 'foo', count, '16']],
  },
  { name: 'R1 file 128 B, 1000 in flight', nodes: 1, count: 500_000, stream: {}, commands: publish(128, 1000) },
  { name: 'R1 file 1 KiB, 1000 in flight', nodes: 1, count: 200_000, stream: {}, commands: publish(1024, 1000) },
  { name: 'R1 pull, ack explicit, 500 a batch', nodes: 1, count: 300_000, stream: {}, consumer: true, commands: pull },
  { name: 'R1 KV put, 1 key', nodes: 1, count: 300_000, stream: bucket, commands: putsOf('1') },
  { name: 'R1 KV put, 100 k keys', nodes: 1, count: 300_000, stream: bucket, commands: putsOf(KEYS) },
  { name: 'R1 direct get, 1 k keys', nodes: 1, count: 300_000, stream: bucket, commands: getsOf(SOME_KEYS) },
  { name: 'R1 direct get, 100 k keys', nodes: 1, count: 300_000, stream: bucket, commands: getsOf(KEYS) },
  {
    name: 'R1 direct get, 500 a batch',
    nodes: 1,
    count: 300_000,
    stream: { allow_direct: true },
    commands: getBatches,
  },
  {
    name: 'R1 work queue: publish, pull, ack',
    nodes: 1,
    count: 200_000,
    stream: { retention: RetentionPolicy.Workqueue },
    consumer: true,
    commands: workQueue,
  },
  { name: 'R3 file 128 B, 1000 in flight, leader', nodes: 3, count: 300_000, stream: {}, commands: publish(128, 1000) },
  {
    name: 'R3 file 128 B, 1000 in flight, follower',
    nodes: 3,
    count: 300_000,
    stream: {},
    at: 'follower',
    commands: publish(128, 1000),
  },
  {
    name: 'R3 file 1 KiB, 1000 in flight, leader',
    nodes: 3,
    count: 100_000,
    stream: {},
    commands: publish(1024, 1000),
  },
  {
    name: 'R3 file 1 KiB, 1000 in flight, follower',
    nodes: 3,
    count: 100_000,
    stream: {},
    at: 'follower',
    commands: publish(1024, 1000),
  },
  { name: 'R3 file 128 B, 1 in flight', nodes: 3, count: 2_000, stream: {}, commands: publish(128, 1) },
  { name: 'R3 pull, ack explicit, 500 a batch', nodes: 3, count: 200_000, stream: {}, consumer: true, commands: pull },
];
