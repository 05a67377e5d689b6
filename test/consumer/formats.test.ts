import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import { AckPending } from '../../src/consumer/acks/ack-pending.ts';
import { AckReplyWriter, parseAckTokens, writeDigits } from '../../src/consumer/acks/ack-subject.ts';
import { ByteReader, ByteWriter } from '../../src/consumer/state/compact-bytes.ts';
import { FilterIndex } from '../../src/consumer/filter-index.ts';
import { parseDurationNs } from '../../src/base/go-duration.ts';
import { ProgressLog, replaySteps } from '../../src/consumer/state/progress-log.ts';
import { SubjectMatcher } from '../../src/base/subjects.ts';

const seq = fc.oneof(fc.nat(), fc.nat({ max: 999_999_999_999_999 }));

test('digits are those of the number', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const buffer = Buffer.alloc(20);
      const end = writeDigits(buffer, 1, value);
      assert.equal(buffer.toString('latin1', 1, end), String(value));
    }),
  );
});

test('an ack subject reads back as it was written, with any tokens behind', () => {
  const writer = new AckReplyWriter('$JS.ACK.S.', 'C');
  fc.assert(
    fc.property(
      fc.nat(),
      seq,
      seq,
      fc.nat(),
      fc.constantFrom('', '.x.y'),
      (attempts, streamSeq, consumerSeq, us, more) => {
        const text = writer.text(writer.write(attempts, streamSeq, consumerSeq, us, 7)) + more;
        const tokens = { attempts: 0, seq: 0, consumerSeq: 0 };
        const start = '$JS.ACK.S.C.'.length;
        assert.equal(parseAckTokens(Buffer.from(text), start, text.length, more !== '', tokens), 'ack');
        assert.deepEqual(tokens, { attempts, seq: streamSeq, consumerSeq });
      },
    ),
  );
});

test('reply subjects of messages one behind the other are written as if each were the first', () => {
  const writer = new AckReplyWriter('$JS.ACK.S.', 'C');
  const step = fc.constantFrom(-1, 0, 0, 1, 1, 1, 1, 7, -90);
  fc.assert(
    fc.property(fc.nat(1200), fc.array(fc.tuple(step, step, step), { maxLength: 150 }), (from, steps) => {
      let [seq, consumerSeq, pending] = [from + 100, from, 2 * from];
      for (const [bySeq, byConsumerSeq, byPending] of steps) {
        seq = Math.max(1, seq + bySeq);
        consumerSeq = Math.max(1, consumerSeq + byConsumerSeq);
        pending = Math.max(0, pending - byPending);
        const text = writer.text(writer.write(1, seq, consumerSeq, 1000 + (seq >> 3), pending));
        assert.equal(text, `$JS.ACK.S.C.1.${seq}.${consumerSeq}.${1000 + (seq >> 3)}000.${pending}`);
      }
    }),
  );
});

test('any bytes in place of an ack subject are refused or read, never thrown at', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      parseAckTokens(Buffer.from(bytes), 0, bytes.length, bytes.length % 2 === 0, {
        attempts: 0,
        seq: 0,
        consumerSeq: 0,
      });
    }),
  );
});

test('an ack subject must have its tokens, and numbers where they count', () => {
  const form = (text: string, open = false): string =>
    parseAckTokens(Buffer.from(text), 0, text.length, open, { attempts: 0, seq: 0, consumerSeq: 0 });
  assert.equal(form('1.2.3.x.y'), 'ack');
  assert.equal(form('1.2.3.4.5.6', true), 'ack');
  for (const text of ['1.x.3.4.5', '1.-2.3.4.5', '1.9999999999999999.3.4.5', '*.2.3.4.5']) {
    assert.equal(form(text), 'unreadable', text);
  }
  for (const text of ['', '1', '1.2.3', '1.2.3.4', '1.2.3.4.5.6', '1..3.4.5', '1.2.3.4.', '1.2.3..5', '.2.3.4.5']) {
    assert.equal(form(text), 'foreign', text);
  }
  assert.equal(form('1.2.3.4', true), 'foreign');
});

test('compact values read back as they were written', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.maxSafeNat(), fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), fc.string())),
      (values) => {
        const writer = new ByteWriter();
        for (const [number, signed, text] of values) {
          writer.number(number);
          writer.signed(signed);
          writer.text(text);
        }
        const reader = new ByteReader(writer.copy());
        for (const value of values) assert.deepEqual([reader.number(), reader.signed(), reader.text()], value);
        assert.ok(reader.atEnd);
      },
    ),
  );
});

test('steps replay in order, and neighbours travel as one range', () => {
  const log = new ProgressLog();
  for (let at = 10; at < 510; at++) log.deliver(at, 1000);
  for (let at = 10; at < 509; at++) log.finish(at);
  log.redeliver(9, 1001);
  log.touch(509, 900);
  log.finishThrough(77, 600);
  log.wait('inbox');
  log.unwait('inbox');
  log.exhaust(3);
  const writer = new ByteWriter();
  log.takeInto(writer);
  assert.ok(writer.length < 50);
  assert.ok(log.empty);
  const seen: unknown[] = [];
  const note =
    (kind: string) =>
    (...values: unknown[]): void => {
      seen.push([kind, ...values]);
    };
  replaySteps(new ByteReader(new ByteReader(writer.view()).bytes()), {
    deliver: note('deliver'),
    redeliver: note('redeliver'),
    finish: note('finish'),
    finishThrough: note('finishThrough'),
    exhaust: note('exhaust'),
    touch: note('touch'),
    wait: note('wait'),
    unwait: note('unwait'),
    pin: note('pin'),
  });
  assert.deepEqual(seen, [
    ['deliver', 10, 500, 1000],
    ['finish', 10, 499],
    ['redeliver', 9, 1, 1001],
    ['touch', 509, 900],
    ['finishThrough', 77, 600],
    ['wait', 'inbox'],
    ['unwait', 'inbox'],
    ['exhaust', 3],
  ]);
});

test('the pending set agrees with a map, whatever is added, removed and delivered again', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), gap: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constantFrom('remove' as const, 'redeliver' as const), at: fc.nat({ max: 60 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const pending = new AckPending();
      const model = new Map<number, number>();
      let last = 0;
      for (const one of steps) {
        if (one.kind === 'add') {
          last += one.gap;
          pending.add(last, last * 2, 0);
          model.set(last, 1);
          continue;
        }
        const at = pending.find(one.at);
        assert.equal(at >= 0, model.has(one.at));
        if (at < 0) continue;
        if (one.kind === 'remove') {
          pending.removeAt(at);
          model.delete(one.at);
        } else {
          pending.redeliverAt(at, 5);
          model.set(one.at, model.get(one.at)! + 1);
        }
      }
      const lowest = Math.min(...model.keys());
      assert.equal(pending.size, model.size);
      assert.equal(pending.lowest, model.size === 0 ? 0 : lowest);
      assert.equal(pending.lowestFirstDelivery, model.size === 0 ? 0 : lowest * 2);
      assert.equal(pending.redelivered, [...model.values()].filter((attempts) => attempts > 1).length);
      for (const [known, attempts] of model) assert.equal(pending.clone().attempts(known), attempts);
    }),
  );
});

test('the filter index finds exactly those whose filter matches', () => {
  const token = fc.constantFrom('a', 'b', 'é');
  const wild = fc.oneof(token, fc.constant('*'));
  const filter = fc
    .tuple(fc.array(wild, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([tokens, open]) => [...tokens, ...(open ? ['>'] : [])].join('.'));
  fc.assert(
    fc.property(
      fc.array(filter, { maxLength: 8 }),
      fc.array(token, { minLength: 1, maxLength: 4 }),
      fc.nat({ max: 8 }),
      (filters, tokens, removed) => {
        const index = new FilterIndex<number>();
        filters.forEach((one, at) => {
          index.add(one, at);
        });
        const subject = Buffer.from(tokens.join('.'));
        index.match(subject, 0, subject.length);
        if (removed < filters.length) index.remove(filters[removed]!, removed);
        const expected = filters
          .map((one, at) => (at !== removed && new SubjectMatcher([one]).matches(subject, 0, subject.length) ? at : -1))
          .filter((at) => at >= 0);
        assert.deepEqual([...index.match(subject, 0, subject.length)].sort(), expected);
      },
    ),
  );
});

test('durations are read as clients write them', () => {
  assert.deepEqual(['500ms', '1.5s', '2m30s', '0', '1h', '10', '', 'x', '5 s', '-1s', '1us'].map(parseDurationNs), [
    5e8,
    1.5e9,
    150e9,
    0,
    3600e9,
    undefined,
    undefined,
    undefined,
    undefined,
    -1e9,
    1000,
  ]);
});
