/** Owns what a seed stands for: how many nodes, which streams with which rules, and which faults, all drawn by chance. */
import type { NodeId } from '../../src/base/brand.ts';
import type { CheckpointPolicy, GroupId } from '../../src/raft/index.ts';
import type { StreamConfig } from '../../src/stream/index.ts';
import { plainStreamConfig } from '../harness/stream-config.ts';
import type { DiskPace } from './process-disk.ts';
import type { Random } from './random.ts';
import { CLIENT_SUBJECTS, drawTakers } from './taker-plan.ts';
import type { StreamSpec } from './simulated-node.ts';

export const FAULTS = [
  'crash',
  'powerCut',
  'damage',
  'failedWrite',
  'slowDisk',
  'clock',
  'badNetwork',
  'partition',
  'oneWayCut',
  'transfer',
] as const;
export type Fault = (typeof FAULTS)[number] | 'stall';

export interface Plan {
  readonly nodes: readonly NodeId[];
  readonly streams: readonly StreamSpec[];
  readonly faults: readonly Fault[];
  /** Half of what a write takes as long as nothing is wrong with the disk. */
  readonly diskPace: DiskPace;
  /** Between two of them. */
  readonly faultPauseMs: { readonly min: number; readonly max: number };
  readonly checkpoints: Partial<CheckpointPolicy>;
  /** Streams are scaled and moved, and nodes removed, while things break. */
  readonly isMoving: boolean;
  /** The monotonic clock of each node runs at a rate of its own, that is at most so far from the true one. */
  readonly clockDrift: number;
  /** Virtual time with faults, before everything heals. */
  readonly durationMs: number;
}

/** `moving`: streams are scaled and moved, and nodes removed, all the while. `taking`: streams take from others. `drifting`: clocks run at different rates. */
export type PlanKind = 'plain' | 'moving' | 'taking' | 'takingMoving' | 'drifting';

const FIRST_GROUP = 10;
/**
 * How far from the true rate clocks may run, so that leases hold: they last 4/5 of the time for which nobody helps to elect
 * another leader, and (1 - d) / (1 + d) is 4/5 where d is 1/9.
 */
const LEASE_CLOCK_DRIFT = 1 / 9;
/** What leaves a leader behind that does not know that it is none any more. */
const ISOLATING: readonly Fault[] = ['partition', 'oneWayCut', 'badNetwork', 'crash', 'transfer', 'clock'];

export function drawPlanOf(kind: PlanKind, random: Random, durationMs: number): Plan {
  switch (kind) {
    case 'plain':
      return drawPlan(random, durationMs);
    case 'moving':
      return onTheMove(drawPlan(random, durationMs), random);
    case 'taking':
      return withTakers(drawPlan(random, durationMs), random);
    case 'drifting':
      return { ...drawPlan(random, durationMs), clockDrift: LEASE_CLOCK_DRIFT, faults: ISOLATING };
    case 'takingMoving':
      return onTheMove(withTakers(drawPlan(random, durationMs), random), random);
  }
}

function drawPlan(random: Random, durationMs: number): Plan {
  const count = random.chance(0.85) ? 3 : 5;
  const nodes = Array.from({ length: count }, (_, at) => `n${at + 1}` as NodeId);
  const streams = Array.from({ length: random.chance(0.7) ? 1 : 2 }, (_, at) => ({
    group: (FIRST_GROUP + at) as GroupId,
    config: drawConfig(random, `S${at}`, count),
    firstLeader: random.pick(nodes),
  }));
  const checkpoints = random.pick([
    { afterEntries: 10, trailingEntries: 2 },
    { afterEntries: 60, trailingEntries: 10 },
    {},
  ]);
  const faults = FAULTS.filter(() => random.chance(0.5));
  const faultPauseMs = random.pick([
    { min: 20, max: 300 },
    { min: 300, max: 900 },
  ]);
  const diskPace = random.pick([
    { minMs: 0.2, maxMs: 1 },
    { minMs: 2, maxMs: 10 },
  ]);
  return { nodes, streams, faults, diskPace, faultPauseMs, checkpoints, isMoving: false, clockDrift: 0, durationMs };
}

/** Five nodes, and streams on some of them. Nothing is kept in memory: that may be lost with its only replica. */
function onTheMove(plan: Plan, random: Random): Plan {
  const nodes = Array.from({ length: 5 }, (_, at) => `n${at + 1}` as NodeId);
  const streams = plan.streams.map(({ config, ...spec }) => ({
    ...spec,
    config: { ...config, storage: 'file' as const, numReplicas: random.pick([1, 3]) },
  }));
  const faults = random.chance(0.5) ? [...plan.faults, 'stall' as const] : plan.faults;
  return { ...plan, nodes, streams, faults, isMoving: true };
}

/** The first streams are kept as long as limits say; others take from them, and from each other. */
function withTakers(plan: Plan, random: Random): Plan {
  const origins = plan.streams.map((spec) => ({
    ...spec,
    config: { ...spec.config, subjects: CLIENT_SUBJECTS, retention: 'limits' as const },
  }));
  const takers = drawTakers(
    random,
    origins.map(({ config }) => config.name),
  );
  const more = takers.map((config, at) => ({
    group: (FIRST_GROUP + origins.length + at) as GroupId,
    config: { ...config, numReplicas: plan.nodes.length, storage: random.chance(0.8) ? 'file' : 'memory' } as const,
    firstLeader: random.pick(plan.nodes),
  }));
  return { ...plan, streams: [...origins, ...more] };
}

function drawConfig(random: Random, name: string, numReplicas: number): StreamConfig {
  const base = plainStreamConfig({
    name,
    numReplicas,
    storage: random.chance(0.8) ? 'file' : 'memory',
    duplicateWindowMs: random.pick([1000, 120_000]),
  });
  // What acks remove, only acks and purges remove: then it is known who removed what.
  if (random.chance(0.3)) return { ...base, retention: random.pick(['workqueue', 'interest']) };
  const timed = { ...drawLimits(random), ...drawTimed(random) };
  return { ...base, ...timed, allowAtomic: timed.discard === 'old' };
}

function drawLimits(random: Random): Partial<StreamConfig> {
  return {
    allowRollupHdrs: random.chance(0.5),
    maxMsgs: random.pick([-1, -1, 20]),
    maxMsgsPerSubject: random.pick([-1, -1, 1, 3]),
    maxBytes: random.pick([-1, -1, 8000]),
    maxAgeMs: random.pick([0, 0, 0, 1500]),
  };
}

/** What happens by time. Those who left markers or fire schedules need rollups; schedules do without `discard: new`. */
function drawTimed(random: Random): Partial<StreamConfig> {
  const discard = random.pick(['old', 'old', 'new'] as const);
  if (random.chance(0.5)) return { discard };
  const subjectDeleteMarkerTtlMs = random.pick([0, 1000]);
  const allowMsgSchedules = discard === 'old' && random.chance(0.6);
  const needsRollups = subjectDeleteMarkerTtlMs > 0 || allowMsgSchedules;
  return {
    discard,
    allowMsgTtl: true,
    subjectDeleteMarkerTtlMs,
    allowMsgSchedules,
    ...(needsRollups && { allowRollupHdrs: true }),
  };
}
