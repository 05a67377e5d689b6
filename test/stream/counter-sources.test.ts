/** Counters fed by sources: what each source brought counts once, however often and in whatever order it comes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import type { TimestampUs } from '../../src/base/brand.ts';
import type { Term } from '../../src/raft/index.ts';
import { markSourced, readMessage, emptyMessageView, type SubmissionOutcome } from '../../src/stream/index.ts';
import {
  encodeMessages,
  FakeRuntime,
  openFixture,
  readAll,
  readOne,
  type Fixture,
  type Publish,
} from './stream-fixture.ts';

const open = (runtime = new FakeRuntime()): Fixture =>
  openFixture({ allowMsgCounter: true, subjects: ['sum'] }, runtime);

/** Time goes on whenever it is looked at. */
class CreepingRuntime extends FakeRuntime {
  isCreeping = false;

  override wallUs(): TimestampUs {
    const now = super.wallUs();
    if (this.isCreeping) this.advance(2);
    return now;
  }
}

/** Message `seq` of source `name`, whose counter has come to `total` by `increment`. */
function brought(name: string, seq: number, total: number, headers: Readonly<Record<string, string>> = {}): Publish {
  const source = { 'Nats-Stream-Source': `${name} ${seq} > > up.${name} AAAAAAAA` };
  return { subject: 'sum', headers: { 'Nats-Incr': '1', ...headers, ...source }, payload: `{"val":"${total}"}` };
}

const increment = (by: number): Publish => ({ subject: 'sum', headers: { 'Nats-Incr': String(by) } });

function submitSourced({ stream }: Fixture, messages: readonly Publish[]): { outcome: SubmissionOutcome | undefined } {
  const encoded = encodeMessages(messages);
  const view = emptyMessageView();
  for (let at = 0; readMessage(encoded, at, encoded.length, view); at = view.end) markSourced(encoded, at);
  const result: { outcome: SubmissionOutcome | undefined } = { outcome: undefined };
  stream.submit({
    messages: encoded,
    count: messages.length,
    isSourced: true,
    settle(outcome) {
      result.outcome = outcome;
    },
  });
  return result;
}

function errors({ outcome }: ReturnType<typeof submitSourced>): (number | undefined)[] {
  assert.equal(outcome?.kind, 'applied');
  return outcome.exceptions.map(
    ({ reply }) => (JSON.parse(reply!) as { readonly error?: { readonly err_code: number } }).error?.err_code,
  );
}

const lastTotal = ({ stream }: Fixture): number => {
  const last = readOne(stream, stream.lastSeqOf(undefined));
  return last === 'gone' ? 0 : Number(/"val":"(.*)"/.exec(last)![1]);
};

type Move =
  /** The source sends `count` messages, beginning so many before the one that is due. */
  | { readonly kind: 'send'; readonly source: number; readonly count: number; readonly again: number }
  | { readonly kind: 'publish'; readonly by: number }
  | { readonly kind: 'commit' }
  /** Another node leads; what is under way is lost, or is committed all the same. */
  | { readonly kind: 'depose'; readonly isLost: boolean };

const INCREMENTS = fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 12 });
const MOVE: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    kind: fc.constant('send' as const),
    source: fc.nat({ max: 2 }),
    count: fc.integer({ min: 1, max: 4 }),
    again: fc.nat({ max: 3 }),
  }),
  fc.record({ kind: fc.constant('publish' as const), by: fc.integer({ min: -9, max: 9 }) }),
  fc.record({ kind: fc.constant('commit' as const) }),
  fc.record({ kind: fc.constant('depose' as const), isLost: fc.boolean() }),
);

/** Sources that feed one counter, and begin again wherever they like. */
class Feeding {
  readonly #totals: readonly (readonly number[])[];
  readonly #fixture = open();
  #term = 1;
  /** Publishes whose outcome is not known yet, and what those that were stored have added. */
  #publishes: { readonly by: number; readonly result: ReturnType<Fixture['submit']> }[] = [];
  #published = 0;
  #own = 0;

  constructor(increments: readonly (readonly number[])[]) {
    this.#totals = increments.map((list) => list.map((_, at) => list.slice(0, at + 1).reduce((a, b) => a + b, 0)));
  }

  move(move: Move): void {
    const { group } = this.#fixture;
    switch (move.kind) {
      case 'send':
        this.#send(move.source, move.count, move.again);
        return;
      case 'publish':
        this.#publishes.push({ by: move.by, result: this.#fixture.submit([increment(move.by)]) });
        return;
      case 'commit':
        group.commit(group.pending.splice(0));
        return;
      case 'depose': {
        const underWay = group.pending.splice(0);
        group.changeStatus({ role: 'follower', term: ++this.#term as Term });
        if (!move.isLost && underWay.length > 0) group.commit(underWay);
        this.#settle({ isUnknownStored: !move.isLost });
        group.changeStatus({ role: 'leader', term: ++this.#term as Term });
      }
    }
  }

  /** Each source sends what is missing; then the counter must be what they and the publishes add up to. */
  end(): void {
    const { group } = this.#fixture;
    group.run();
    this.#settle({ isUnknownStored: false });
    this.#totals.forEach((totals, source) => {
      this.#send(source, totals.length, 0);
      group.run();
    });
    const expected = this.#totals.reduce((sum, totals) => sum + (totals.at(-1) ?? 0), this.#own);
    assert.equal(lastTotal(this.#fixture), expected);
    const taken = this.#totals.reduce((sum, totals) => sum + totals.length, this.#published);
    assert.equal(readAll(this.#fixture.stream).length, taken);
  }

  #send(source: number, count: number, again: number): void {
    const totals = this.#totals[source]!;
    const name = `S${source}`;
    const taken = this.#fixture.stream.sourcePosition(`${name} > >`)?.seq ?? 0;
    const from = Math.max(0, taken - again);
    const messages = totals.slice(from, from + count).map((total, at) => brought(name, from + at + 1, total));
    if (messages.length > 0) submitSourced(this.#fixture, messages);
  }

  #settle({ isUnknownStored }: { readonly isUnknownStored: boolean }): void {
    for (const { by, result } of this.#publishes) {
      const kind = result.outcome!.kind;
      if (kind !== 'applied' && !(kind === 'unknown' && isUnknownStored)) continue;
      this.#own += by;
      this.#published++;
    }
    this.#publishes = [];
  }
}

test('whatever comes when, and whoever leads, the counter is the sum of its sources and of what was added here', () => {
  fc.assert(
    fc.property(
      fc.tuple(INCREMENTS, INCREMENTS, INCREMENTS),
      fc.array(MOVE, { maxLength: 40 }),
      (increments, moves) => {
        const feeding = new Feeding(increments);
        for (const move of moves) feeding.move(move);
        feeding.end();
      },
    ),
  );
});

test('messages of a source that come twice while the first are under way count once', () => {
  const fixture = open();
  const first = submitSourced(fixture, [brought('A', 1, 1)]);
  const again = submitSourced(fixture, [brought('A', 1, 1), brought('A', 2, 3)]);
  const onceMore = submitSourced(fixture, [brought('A', 2, 3), brought('B', 1, 10)]);
  fixture.group.run();
  assert.deepEqual([first, again, onceMore].map(errors), [[undefined], [undefined, undefined], [undefined, undefined]]);
  assert.deepEqual(readAll(fixture.stream), ['1 sum {"val":"1"}', '2 sum {"val":"3"}', '3 sum {"val":"13"}']);
});

test('what does not count holds its source, and no other', () => {
  const fixture = open();
  const result = submitSourced(fixture, [
    brought('A', 1, 1),
    { ...brought('A', 2, 2), payload: 'x' },
    brought('A', 3, 3),
    brought('B', 1, 10),
    brought('C', 1, 5, { 'Nats-Incr': 'x' }),
    brought('D', 1, 5, { 'Nats-Incr': '' }),
  ]);
  fixture.group.run();
  assert.deepEqual(errors(result), [undefined, 10172, 10077, undefined, 10171, 10169]);
  assert.deepEqual(readAll(fixture.stream), ['1 sum {"val":"1"}', '2 sum {"val":"11"}']);
  const position = fixture.stream.sourcePosition('A > >');
  assert.equal(position?.seq, 1);
  const after = submitSourced(fixture, [brought('A', 2, 2), brought('A', 3, 3)]);
  fixture.group.run();
  assert.deepEqual(errors(after), [undefined, undefined]);
  assert.equal(lastTotal(fixture), 13);
});

test('a message whose id was seen is passed by for good, in one entry and in two', () => {
  const id = { 'Nats-Msg-Id': 'm' };
  for (const together of [true, false]) {
    const fixture = open();
    const messages = [brought('A', 1, 1, id), brought('B', 1, 10, id)];
    for (const part of together ? [messages] : messages.map((message) => [message])) {
      submitSourced(fixture, part);
      fixture.group.run();
    }
    assert.deepEqual(readAll(fixture.stream), ['1 sum {"val":"1"}']);
    assert.equal(fixture.stream.sourcePosition('B > >')?.seq, 1);
    submitSourced(fixture, [brought('B', 2, 12)]);
    fixture.group.run();
    assert.equal(lastTotal(fixture), 13);
  }
});

test('a message whose id runs out while it is under way is passed by all the same', () => {
  const runtime = new CreepingRuntime();
  const fixture = open(runtime);
  const id = { 'Nats-Msg-Id': 'm' };
  submitSourced(fixture, [brought('A', 1, 1, id)]);
  fixture.group.run();
  runtime.advance(119_999);
  runtime.isCreeping = true;
  submitSourced(fixture, [brought('B', 1, 10, id)]);
  fixture.group.run();
  assert.deepEqual(readAll(fixture.stream), ['1 sum {"val":"1"}']);
});

test('names that every object has are names like others', () => {
  const fixture = open();
  submitSourced(fixture, [brought('__proto__', 1, 3), brought('constructor', 1, 4), brought('__proto__', 2, 5)]);
  fixture.group.run();
  assert.equal(lastTotal(fixture), 9);
});
