/**
 * How many messages a second a replica applies: entries of 500 messages of 128 bytes without headers, on one subject, on
 * many, and with one message kept per subject.
 */
import type { NodeId, TimestampUs } from '../src/base/brand.ts';
import { silentLogger } from '../src/base/logger.ts';
import { SystemRuntime } from '../src/base/runtime.ts';
import type { Entry, GroupHandle, GroupStatus, LogIndex, Term } from '../src/raft/index.ts';
import { RECORD_HEADER_BYTES } from '../src/raft/index.ts';
import { allocateBatch, RECORD_MESSAGES_START } from '../src/stream/entries/entry-format.ts';
import {
  createStream,
  MESSAGE_PREFIX_BYTES,
  storedMessageBytes,
  writeMessagePrefix,
  type StreamConfig,
  type StreamExtension,
} from '../src/stream/index.ts';
import { baseConfig as config } from '../test/stream/stream-fixture.ts';

const BATCH = 500;
const ENTRIES = 4_000;
const PAYLOAD_BYTES = 128;

const nothing = (): void => undefined;
const extension: StreamExtension = {
  applyOperation: nothing,
  applyProgress: nothing,
  messagesStored: nothing,
  messageRemoved: nothing,
  messagesRemovedBelow: nothing,
  needs: () => true,
  statusChanged: nothing,
  beforeHandover: () => Promise.resolve(),
  staysLeader: nothing,
  proposalsWelcome: nothing,
  proposalComes: nothing,
  configChanged: nothing,
  consumerCount: () => 0,
  digest: () => 0,
  beginCheckpoint: nothing,
  writePages: () => true,
  endCheckpoint: nothing,
  restore: nothing,
  close: nothing,
};

const status: GroupStatus = {
  role: 'follower',
  term: 1 as Term,
  leader: 'n1' as NodeId,
  ready: false,
  commitIndex: 0 as LogIndex,
  lastApplied: 0 as LogIndex,
  voters: [],
  learners: [],
  repairing: false,
  peers: [],
};

/** A follower that only applies. */
const group = {
  status,
  canPropose: false,
  cachedRecord: () => undefined,
  readRecord: () => Promise.reject(new Error('nothing is read here')),
} as unknown as GroupHandle;

function batch(index: number, subjectOf: (message: number) => string): Entry {
  const subjects = Array.from({ length: BATCH }, (_, i) => Buffer.from(subjectOf((index - 1) * BATCH + i)));
  const bytes = subjects.reduce((sum, { length }) => sum + storedMessageBytes(length, 0, PAYLOAD_BYTES), 0);
  const record = allocateBatch((1_700_000_000_000_000 + index) as TimestampUs, BATCH, bytes);
  let at = RECORD_MESSAGES_START;
  for (const subject of subjects) {
    writeMessagePrefix(record, at, { subject: subject.length, headers: 0, payload: PAYLOAD_BYTES });
    subject.copy(record, at + MESSAGE_PREFIX_BYTES);
    at += storedMessageBytes(subject.length, 0, PAYLOAD_BYTES);
  }
  const body = record.subarray(RECORD_HEADER_BYTES);
  return { index: index as LogIndex, term: 1 as Term, kind: 'normal', record, body };
}

function measure(
  name: string,
  options: { subjectOf: (message: number) => string; config?: Partial<StreamConfig> },
): void {
  const stream = createStream({
    account: 'A',
    config: { ...config, ...options.config },
    revision: 1,
    createdUs: 0 as TimestampUs,
    group,
    runtime: new SystemRuntime(),
    logger: silentLogger,
    createExtension: () => extension,
  });
  let spentNs = 0n;
  for (let index = 1; index <= ENTRIES; index++) {
    const entry = batch(index, options.subjectOf);
    const begin = process.hrtime.bigint();
    stream.apply([entry]);
    spentNs += process.hrtime.bigint() - begin;
  }
  const rate = (ENTRIES * BATCH) / (Number(spentNs) / 1e9);
  const { messages } = stream.state();
  console.log(`${name.padEnd(44)} ${(rate / 1e6).toFixed(2).padStart(6)} M messages/s   (${messages} held)`);
  stream.close();
}

/** Spread over `count` without a pattern that a cache would like. */
const scattered = (count: number) => (message: number) =>
  `orders.${(Math.imul(message, 0x9e3779b1) >>> 0) % count}.new`;

measure('one subject', { subjectOf: () => 'orders.new' });
measure('100 subjects', { subjectOf: scattered(100) });
measure('100 k subjects', { subjectOf: scattered(100_000) });
measure('100 k subjects, 1 message each', { subjectOf: scattered(100_000), config: { maxMsgsPerSubject: 1 } });
measure('100 k subjects, 5 messages each', { subjectOf: scattered(100_000), config: { maxMsgsPerSubject: 5 } });
measure('one subject, at most 10 k messages', { subjectOf: () => 'orders.new', config: { maxMsgs: 10_000 } });
