import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Seq } from '../../src/base/brand.ts';
import type { GroupId, LogIndex } from '../../src/raft/index.ts';
import {
  decodeApiRequest,
  decodeApiResponse,
  encodeApiRequest,
  encodeApiResponse,
} from '../../src/server/jetstream/api-frames.ts';
import { decodeOutcome, encodeOutcome } from '../../src/server/jetstream/submission-frames.ts';
import { ToldProgress } from '../../src/server/jetstream/told-progress.ts';

const GROUP = 7 as GroupId;
const index = (value: number): LogIndex => value as LogIndex;

test('what clients were told of a stream only grows, until the stream is gone', () => {
  const told = new ToldProgress();
  assert.equal(told.of(GROUP), 0);
  for (const each of [3, 9, 5]) told.note(GROUP, index(each));
  assert.equal(told.of(GROUP), 9);
  assert.equal(told.of(8 as GroupId), 0);
  told.forget(GROUP);
  assert.equal(told.of(GROUP), 0);
});

test('outcomes of publishes bring along how far the leader had come, whatever they are', () => {
  const frame = { group: GROUP, id: 3, appliedIndex: index(2 ** 40) };
  const exceptions = [{ ordinal: 1, stored: false, reply: '{}' }];
  for (const outcome of [
    { kind: 'applied', firstSeq: 12 as Seq, exceptions },
    { kind: 'refused', reason: 'overloaded' },
    { kind: 'unknown' },
  ] as const) {
    assert.deepEqual(decodeOutcome(encodeOutcome({ ...frame, outcome })), { ...frame, outcome });
  }
});

test('answers of leaders say what they knew, and requests what their answer must know', () => {
  const body = Buffer.from('{}');
  const progress = { group: GROUP, appliedIndex: index(41) };
  const headers = Buffer.from('NATS/1.0\r\n\r\n');
  for (const response of [
    { kind: 'json', body, headers, progress },
    { kind: 'json', body, headers: undefined, progress },
    { kind: 'json', body, headers, progress: undefined },
  ] as const) {
    assert.deepEqual(decodeApiResponse(encodeApiResponse(response)), response);
  }
  const envelope = { group: 0, revision: 0, timeoutMs: 0 };
  const request = { account: 'A', subject: 's', headers, body, forwarded: false };
  for (const each of [request, { ...request, notBefore: index(41) }]) {
    assert.deepEqual(decodeApiRequest(encodeApiRequest(each, envelope)), { request: each, envelope });
  }
});
