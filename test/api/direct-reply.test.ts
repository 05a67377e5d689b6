import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Seq, TimestampUs } from '../../src/base/brand.ts';
import { holdsReplies, REPLY_PREFIX_BYTES } from '../../src/base/reply-run.ts';
import { formatRfc3339, MAX_RFC3339_BYTES, writeRfc3339 } from '../../src/base/rfc3339.ts';
import { ReplyWriter } from '../../src/kv/index.ts';
import { emptyStoredMessage, MESSAGE_PREFIX_BYTES, readMessage, type StoredMessage } from '../../src/stream/index.ts';
import { Random } from '../sim/random.ts';
import { encodeMessages } from '../stream/stream-fixture.ts';

function stored(seq: number, headers: Record<string, string>, payload: string): StoredMessage {
  const buffer = encodeMessages([{ subject: `s.${seq}`, headers, payload }]);
  const message = emptyStoredMessage();
  assert.ok(readMessage(buffer, 0, buffer.length, message));
  assert.equal(message.subjectStart, MESSAGE_PREFIX_BYTES);
  message.seq = seq as Seq;
  message.timestampUs = (1_700_000_000_000_000 + seq * 1_000) as TimestampUs;
  return message;
}

/** Headers and payload of each reply of a run. */
function repliesIn(run: Buffer): [headers: string, payload: string][] {
  assert.ok(holdsReplies(run));
  const replies: [string, string][] = [];
  for (let at = 0; at < run.length;) {
    const start = at + REPLY_PREFIX_BYTES;
    const payloadStart = start + run.readUInt32BE(at);
    at = start + run.readUInt32BE(at + 4);
    replies.push([run.toString('utf8', start, payloadStart), run.toString('utf8', payloadStart, at)]);
  }
  return replies;
}

test('a reply has the headers of the message, then those of the stream, then the payload', () => {
  const writer = new ReplyWriter('S');
  writer.overwrite(stored(7, { A: 'a' }, 'value'));
  const single = Buffer.from(writer.buffer.subarray(0, writer.end));
  assert.deepEqual(repliesIn(single), [
    [
      'NATS/1.0\r\nA: a\r\nNats-Stream: S\r\nNats-Subject: s.7\r\nNats-Sequence: 7\r\n' +
        'Nats-Time-Stamp: 2023-11-14T22:13:20.007Z\r\n\r\n',
      'value',
    ],
  ]);
  writer.renew(stored(8, {}, ''));
  writer.add(stored(8, {}, ''), { numPending: 10, lastSeq: 7 });
  writer.addPayload(stored(9, { A: 'a' }, 'bare'));
  writer.add(stored(8, { A: 'a' }, 'last'), { numPending: 9, lastSeq: 8 });
  const lines =
    'Nats-Stream: S\r\nNats-Subject: s.8\r\nNats-Sequence: 8\r\nNats-Time-Stamp: 2023-11-14T22:13:20.008Z\r\n';
  assert.deepEqual(repliesIn(writer.buffer.subarray(0, writer.end)), [
    [`NATS/1.0\r\n${lines}Nats-Num-Pending: 10\r\nNats-Last-Sequence: 7\r\n\r\n`, ''],
    ['', 'bare'],
    [`NATS/1.0\r\nA: a\r\n${lines}Nats-Num-Pending: 9\r\nNats-Last-Sequence: 8\r\n\r\n`, 'last'],
  ]);
});

test('runs of replies stay as they are while more are written, whatever their size', () => {
  const writer = new ReplyWriter('S');
  const random = new Random(3);
  const payloads = Array.from({ length: 600 }, (_, i) => `${i}`.repeat(random.integer(1, i % 50 === 0 ? 60_000 : 300)));
  const runs: Buffer[] = [];
  for (const [i, payload] of payloads.entries()) {
    const message = stored(i + 1, {}, payload);
    if (!writer.hasRoomFor(message)) {
      runs.push(writer.buffer.subarray(0, writer.end));
      writer.renew(message);
    }
    writer.add(message, { numPending: 0, lastSeq: i });
  }
  runs.push(writer.buffer.subarray(0, writer.end));
  const replies = runs.flatMap(repliesIn);
  assert.deepEqual(
    replies.map(([, payload]) => payload),
    payloads,
  );
});

test('times are written as they are formatted', () => {
  const random = new Random(4);
  const target = Buffer.alloc(MAX_RFC3339_BYTES + 1);
  const times = [
    0, 1, 999_999, 1_000_000, 86_399_999_999, 86_400_000_000, 1_709_208_000_100_000, 253_402_300_799_000_000,
  ];
  for (let i = 0; i < 1_000; i++)
    times.push(random.integer(0, 4_000_000_000) * 1_000_000 + random.integer(0, 1_000_000));
  for (const time of times) {
    const end = writeRfc3339(target, 1, time);
    assert.equal(target.toString('latin1', 1, end), formatRfc3339(time));
  }
});
