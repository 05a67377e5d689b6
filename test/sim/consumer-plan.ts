/** Owns which consumers a stream of a simulation has, drawn by chance: what its retention allows, of all kinds. */
import type { ConsumerConfig } from '../../src/consumer/index.ts';
import type { StreamConfig } from '../../src/stream/index.ts';
import { consumerConfig } from '../consumer/configs.ts';
import type { Random } from './random.ts';

const HEARTBEAT_MS = 200;
/** Few enough that limits are met all the time. */
const FEW = 5;

type Draw = (random: Random) => Partial<ConsumerConfig>;

export function drawConsumers({ name, retention }: StreamConfig, random: Random): ConsumerConfig[] {
  const make = (kind: string, config: Partial<ConsumerConfig>): ConsumerConfig =>
    consumerConfig({ name: `${name}-${kind}`, durableName: `${name}-${kind}`, ...config });
  if (retention === 'workqueue') {
    const pull = make('pull', { ...drawPull(random), ackPolicy: 'explicit' });
    if (random.chance(0.5)) return [pull];
    // Each message is for one of them.
    return [
      { ...pull, filterSubjects: ['k.*'] },
      make('push', { ...drawPush(random), ackPolicy: 'explicit', filterSubjects: ['a', 'b'] }),
    ];
  }
  const filterSubjects = random.pick([[], ['k.*'], ['a', 'k.2']]);
  const pair = [make('pull', drawPull(random)), make('push', { ...drawPush(random), filterSubjects })];
  const third = random.pick([undefined, ...OTHERS])?.(random);
  return third === undefined ? pair : [...pair, make('other', third)];
}

const drawPull: Draw = (random) => ({
  ackPolicy: random.chance(0.8) ? 'explicit' : 'all',
  maxAckPending: random.pick([FEW, 1000]),
  ...drawAttempts(random),
  ...drawPriority(random),
});

const drawAttempts: Draw = (random) => {
  const maxDeliver = random.pick([-1, -1, 1, 3]);
  if (maxDeliver === 1 || random.chance(0.7)) return { ackWaitMs: random.pick([200, 600]), maxDeliver };
  return { ackWaitMs: 100, backoffMs: [100, 400], maxDeliver };
};

const drawPriority: Draw = (random) => {
  const priorityPolicy = random.pick(['none', 'none', 'pinned_client', 'overflow', 'prioritized'] as const);
  if (priorityPolicy === 'none') return {};
  const priorityTimeoutMs = priorityPolicy === 'pinned_client' ? random.pick([1500, 4000]) : 0;
  return { priorityPolicy, priorityGroups: ['g'], priorityTimeoutMs };
};

const drawPush: Draw = (random) => ({
  deliverSubject: 'deliver.here',
  ackPolicy: random.pick(['explicit', 'all']),
  ackWaitMs: 400,
  maxAckPending: random.pick([FEW, 1000]),
  ...(random.chance(0.3) && { flowControl: true, idleHeartbeatMs: HEARTBEAT_MS }),
});

const OTHERS: readonly Draw[] = [
  () => ({ ackPolicy: 'none', maxAckPending: 0, deliverPolicy: 'new' }),
  () => ({
    deliverSubject: 'deliver.here',
    ackPolicy: 'flow_control',
    ackWaitMs: 0,
    maxAckPending: FEW,
    flowControl: true,
    idleHeartbeatMs: HEARTBEAT_MS,
  }),
  () => ({ durableName: '', inactiveThresholdMs: 400, ackWaitMs: 200 }),
  (random) => ({ ...drawAttempts(random), deliverPolicy: 'last_per_subject' }),
];
