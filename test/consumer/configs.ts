/** Owns consumer configurations for tests. */
import type { ConsumerConfig } from '../../src/consumer/index.ts';

/** An explicit, durable pull consumer named C, as the server fills in its defaults. */
export function consumerConfig(changes: Partial<ConsumerConfig> = {}): ConsumerConfig {
  return {
    name: 'C',
    durableName: 'C',
    description: '',
    deliverPolicy: 'all',
    optStartSeq: 0,
    optStartTimeUs: undefined,
    ackPolicy: 'explicit',
    ackWaitMs: 30_000,
    maxDeliver: -1,
    backoffMs: [],
    filterSubjects: [],
    singleFilter: false,
    replayPolicy: 'instant',
    rateLimitBps: 0,
    sampleFreq: '',
    maxWaiting: 512,
    maxAckPending: 1000,
    flowControl: false,
    headersOnly: false,
    maxRequestBatch: 0,
    maxRequestExpiresMs: 0,
    maxRequestMaxBytes: 0,
    deliverSubject: '',
    deliverGroup: '',
    idleHeartbeatMs: 0,
    inactiveThresholdMs: 0,
    numReplicas: 0,
    memStorage: false,
    direct: false,
    sourcing: false,
    priorityPolicy: 'none',
    priorityGroups: [],
    priorityTimeoutMs: 0,
    metadata: {},
    ...changes,
  };
}
