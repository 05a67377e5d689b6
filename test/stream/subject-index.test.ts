/** The index against a plain map: subjects that come, go and come back, and every question about many of them at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SubjectMatcher } from '../../src/base/subjects.ts';
import { SubjectIndex } from '../../src/stream/store/subject-index.ts';
import { Random } from '../sim/random.ts';

const FILTERS = [
  ['>'],
  ['*'],
  ['*.*'],
  ['orders.>'],
  ['orders.*'],
  ['orders.*.eu'],
  ['*.7.>'],
  ['*.7.*', 'users.3'],
  ['orders.7.eu'],
  ['none.>'],
  ['users.*', 'orders.>'],
];

class IndexRun {
  readonly index = new SubjectIndex(0x30);
  /** Sequences of each subject. */
  readonly held = new Map<string, number[]>();
  #seq = 0;

  add(subject: string): void {
    const bytes = Buffer.from(subject);
    this.index.added(this.index.intern(bytes, 0, bytes.length), ++this.#seq);
    this.held.set(subject, [...(this.held.get(subject) ?? []), this.#seq]);
  }

  removeOne(subject: string, random: Random): void {
    const seqs = this.held.get(subject)!;
    const [seq] = seqs.splice(random.integer(0, seqs.length), 1);
    const id = this.idOf(subject);
    this.index.lostLast(id, seq!);
    this.index.removed(id);
    if (seqs.length === 0) this.held.delete(subject);
  }

  idOf(subject: string): number {
    const bytes = Buffer.from(subject);
    return this.index.find(bytes, 0, bytes.length);
  }

  check(): void {
    const { index, held } = this;
    assert.equal(index.size, held.size);
    for (const subjects of FILTERS) {
      const filter = new SubjectMatcher(subjects);
      const wanted = [...held.keys()]
        .filter((subject) => filter.matches(Buffer.from(subject), 0, subject.length))
        .sort();
      const ids = index.matching(filter);
      assert.deepEqual(ids.map((id) => index.toString(id)).sort(), wanted, subjects.join());
      const set = index.select(filter);
      assert.equal(set.size, wanted.length);
      assert.ok(ids.every((id) => set.has(id)));
      assert.equal(index.matching(filter, 3).length, Math.min(3, wanted.length));
      const count = wanted.reduce((sum, subject) => sum + held.get(subject)!.length, 0);
      assert.equal(index.countMatching(filter), count, subjects.join());
      if (index.allMatch(filter)) assert.equal(wanted.length, held.size, subjects.join());
      const last = Math.max(0, ...wanted.map((subject) => held.get(subject)!.at(-1)!));
      const lastOf = (id: number): number => held.get(index.toString(id))!.at(-1)!;
      assert.equal(index.highestLast(filter, lastOf), last, subjects.join());
    }
    for (const [subject, seqs] of held) {
      const id = this.idOf(subject);
      assert.equal(index.countOf(id), seqs.length);
      assert.ok(index.lastBound(id) >= seqs.at(-1)!);
      if (index.exactLast(id) !== 0) assert.equal(index.exactLast(id), seqs.at(-1));
    }
  }
}

function randomSubject(random: Random): string {
  const kind = random.next();
  if (kind < 0.5) return `orders.${random.integer(0, 3_000)}`;
  if (kind < 0.8) return `orders.${random.integer(0, 30)}.${random.pick(['eu', 'us'])}`;
  if (kind < 0.97) return `users.${random.integer(0, 2_000)}`;
  return random.pick(['orders..7', '.7.', 'users.', 'single', 'a.7.b.c', 'orders.7.eu.', '..']);
}

for (let seed = 1; seed <= 4; seed++) {
  test(`subjects come and go as in a map, and filters find all that match (SIM_SEED=${seed})`, () => {
    const random = new Random(seed);
    const run = new IndexRun();
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 1_200; i++) run.add(randomSubject(random));
      const share = random.pick([0.2, 0.6, 1]);
      for (const [subject, seqs] of [...run.held]) {
        for (let left = seqs.length; left > 0; left--) if (random.chance(share)) run.removeOne(subject, random);
      }
      run.check();
    }
    run.index.clear();
    run.held.clear();
    run.check();
  });
}

test('ids of subjects that do not come back are given to others', () => {
  const run = new IndexRun();
  const random = new Random(1);
  for (let i = 0; i < 50_000; i++) {
    const subject = `once.${String(i).padStart(6, '0')}`;
    run.add(subject);
    run.removeOne(subject, random);
  }
  assert.ok(run.index.idLimit < 5_000, `${run.index.idLimit} ids for no subject`);
});

test('a stream whose subjects all begin alike is known to match as a whole, until one does not', () => {
  const run = new IndexRun();
  for (let i = 0; i < 1_000; i++) run.add(`orders.${i}`);
  assert.ok(run.index.allMatch(new SubjectMatcher(['orders.*'])));
  assert.ok(run.index.allMatch(new SubjectMatcher(['>'])));
  assert.ok(!run.index.allMatch(new SubjectMatcher(['orders.*.eu'])));
  run.add('orders.1.eu');
  assert.ok(!run.index.allMatch(new SubjectMatcher(['orders.*'])));
  assert.ok(run.index.allMatch(new SubjectMatcher(['orders.>'])));
});
