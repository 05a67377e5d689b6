/** Owns the list of what `npm run bench` measures: the stream it needs, and how the load generator is called. */
import { type StreamConfig } from 'nats';
import { BUCKET, CONSUMER_CASES } from './consumer-cases.ts';

/** A consumer's configuration, as clients send it. */
export type ConsumerRequest = Readonly<Record<string, unknown>> & { readonly name: string };

export interface BenchCase {
  readonly name: string;
  readonly nodes: 1 | 3;
  /** Messages at SCALE=1. */
  readonly count: number;
  /** Undefined: core messages only. */
  readonly stream?: Partial<StreamConfig>;
  readonly consumers?: readonly ConsumerRequest[];
  readonly at?: 'leader' | 'follower';
  /** What the table shows; rates by default. */
  readonly shows?: 'latency';
  /** Arguments of the load generator without the port; the last command's figures count. */
  commands(count: string): string[][];
}

function publish(size: number, window: number): BenchCase['commands'] {
  return (count) => [['js', 'bench', count, String(size), String(window)]];
}

const KEYS = '100000';
const SOME_KEYS = '1000';

const putsOf =
  (keys: string): BenchCase['commands'] =>
  (count) => [['js', 'bench.#', count, '128', '1000', keys]];

const getsOf =
  (keys: string): BenchCase['commands'] =>
  (count) => [
    ['js', 'bench.#', keys, '128', '1000', keys],
    ['req', '$JS.API.DIRECT.GET.BENCH.bench.#', count, '100', '', keys],
  ];

const getBatches: BenchCase['commands'] = (count) => [
  ['js', 'bench', count, '128', '1000'],
  ['batch', 'BENCH', count, '500'],
];

const getLastOfMany: BenchCase['commands'] = (count) => [
  ['js', 'bench.#', KEYS, '128', '1000', KEYS],
  ['multi', 'BENCH', 'bench', count, '500', KEYS],
];

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
  { name: 'R1 KV put, 1 key', nodes: 1, count: 300_000, stream: BUCKET, commands: putsOf('1') },
  { name: 'R1 KV put, 100 k keys', nodes: 1, count: 300_000, stream: BUCKET, commands: putsOf(KEYS) },
  { name: 'R1 direct get, 1 k keys', nodes: 1, count: 300_000, stream: BUCKET, commands: getsOf(SOME_KEYS) },
  { name: 'R1 direct get, 100 k keys', nodes: 1, count: 300_000, stream: BUCKET, commands: getsOf(KEYS) },
  {
    name: 'R1 direct get, 500 a batch',
    nodes: 1,
    count: 300_000,
    stream: { allow_direct: true },
    commands: getBatches,
  },
  { name: 'R1 direct get, last of 500 keys', nodes: 1, count: 200_000, stream: BUCKET, commands: getLastOfMany },
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
  ...CONSUMER_CASES,
];
