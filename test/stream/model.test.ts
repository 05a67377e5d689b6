/** Random work on a stream, compared step by step with the plain model, and with replicas restored from checkpoints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Seq } from '../../src/base/brand.ts';
import { SubjectMatcher } from '../../src/base/subjects.ts';
import type { StreamConfig, StreamOperation } from '../../src/stream/index.ts';
import { ENTRY_OPERATION, entryKind, entryPayload } from '../../src/stream/entries/entry-format.ts';
import type { LoggedOperation } from '../../src/stream/entries/operation-applier.ts';
import { Random } from '../sim/random.ts';
import { StreamModel, type ModelMessage, type ModelOutcome } from '../sim/stream-model.ts';
import { baseConfig, checkpoint, describe, openFixture, readAll, sortedPages, type Fixture } from './stream-fixture.ts';

const SEEDS = Number(process.env['SIM_SEEDS'] ?? 12);
const STEPS = 150;
const SUBJECTS = ['a', 'b', 'c.d', 'c.e', 'f.g.h', 'k.1', 'k.2', 'k.3'];

function randomConfig(random: Random): StreamConfig {
  const discard = random.pick(['old', 'new'] as const);
  const maxMsgsPerSubject = random.pick([-1, -1, 1, 2, 5]);
  return {
    ...baseConfig,
    storage: random.pick(['file', 'memory'] as const),
    discard,
    maxMsgs: random.pick([-1, -1, 20, 100]),
    maxBytes: random.pick([-1, -1, 3_000]),
    maxMsgsPerSubject,
    discardNewPerSubject: discard === 'new' && maxMsgsPerSubject > 0 && random.chance(0.5),
    maxMsgSize: random.pick([-1, -1, 200]),
    retention: random.pick(['limits', 'limits', 'interest'] as const),
    allowRollupHdrs: random.chance(0.5),
    duplicateWindowMs: random.pick([0, 2_000]),
    firstSeq: random.pick([0, 0, 100]),
  };
}

function randomMessage(random: Random, model: StreamModel): ModelMessage {
  const subject = random.pick(SUBJECTS);
  const headers: Record<string, string> = {};
  const near = (seq: number): string => String(random.chance(0.7) ? seq : seq + 1);
  if (random.chance(0.15)) headers['Nats-Msg-Id'] = `id-${random.integer(0, 20)}`;
  if (random.chance(0.05)) headers['Nats-Expected-Stream'] = random.pick(['S', 'T']);
  if (random.chance(0.05)) headers['Nats-Expected-Last-Sequence'] = near(model.lastSeq);
  if (random.chance(0.05)) {
    headers['Nats-Expected-Last-Subject-Sequence'] = near(model.matching((each) => each === subject).at(-1) ?? 0);
  }
  if (random.chance(0.03)) headers['Nats-Expected-Last-Msg-Id'] = random.pick(['id-1', 'id-2']);
  if (random.chance(0.03)) headers['Nats-Rollup'] = random.pick(['sub', 'ALL', 'x']);
  if (random.chance(0.1)) headers['Other'] = 'value';
  return { subject, headers, payload: 'p'.repeat(random.integer(0, 150)) };
}

/** The stream, its model, a follower that applies the same entries, and the pages of its last checkpoint. */
class Run {
  readonly leader: Fixture;
  readonly follower: Fixture;
  readonly model: StreamModel;
  readonly pages = new Map<string, Buffer>();
  readonly #random: Random;
  readonly #config: StreamConfig;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#config = randomConfig(this.#random);
    this.model = new StreamModel(this.#config);
    const purgeStep = this.#random.pick([undefined, 1, 7]);
    this.leader = openFixture(this.#config, undefined, undefined, undefined, purgeStep);
    this.follower = openFixture(this.#config);
    this.#wantSome(this.leader);
    this.#wantSome(this.follower);
    this.model.needs = this.leader.extension.interest;
  }

  async step(): Promise<void> {
    const random = this.#random;
    if (random.chance(0.3)) this.leader.runtime.advance(random.integer(1, 900));
    const action = random.next();
    if (action < 0.8) this.publish();
    else if (action < 0.9) await this.#delete();
    else if (action < 0.94) await this.#purge();
    else if (action < 0.96) await this.#configure();
    else await this.#checkpointAndRestore();
  }

  publish(): void {
    const random = this.#random;
    // A model's answer may depend on the message before, so the batch is made message by message.
    const messages: ModelMessage[] = [];
    const expected: ModelOutcome[] = [];
    for (let count = random.integer(1, 12); count > 0; count--) {
      const message = randomMessage(random, this.model);
      messages.push(message);
      expected.push(this.model.publish(message, this.leader.runtime.wallUs()));
    }
    const cut = random.integer(1, messages.length + 1);
    const results = [this.leader.submit(messages.slice(0, cut))];
    if (cut < messages.length) results.push(this.leader.submit(messages.slice(cut)));
    this.#replicate();
    const outcomes = results.flatMap(({ outcome }, part) => {
      assert.equal(outcome?.kind, 'applied');
      const replies = new Map(outcome.exceptions.map(({ ordinal, reply }) => [ordinal, reply]));
      let seq: number = outcome.firstSeq;
      return messages.slice(part === 0 ? 0 : cut, part === 0 ? cut : undefined).map((_, ordinal): ModelOutcome => {
        const reply = replies.get(ordinal);
        return reply === undefined ? { kind: 'stored', seq: seq++ } : outcomeOf(reply);
      });
    });
    assert.deepEqual(outcomes, expected);
  }

  async check(): Promise<void> {
    const { leader, follower, model } = this;
    const state = leader.stream.state();
    assert.equal(state.messages, model.messages.size);
    assert.equal(state.bytes, model.bytes);
    assert.equal(state.lastSeq, model.lastSeq);
    assert.equal(state.firstSeq, model.lastSeq === 0 ? 0 : model.firstSeq);
    assert.equal(state.numSubjects, model.subjects.size);
    const live = [...model.messages].map(([seq, { subject, payload }]) => `${seq} ${subject} ${payload}`);
    assert.deepEqual(readAll(leader.stream), live);
    for (const subjects of [['a'], ['c.*'], ['k.>', 'b'], ['>'], ['*'], ['*.d', 'k.1']])
      await this.#checkFilter(subjects);
    assert.equal(follower.stream.digest(), leader.stream.digest());
  }

  async #checkFilter(subjects: string[]): Promise<void> {
    const { stream } = this.leader;
    const filter = new SubjectMatcher(subjects);
    const seqs = this.model.matching((subject) => filter.matches(Buffer.from(subject), 0, subject.length));
    const position = this.#random.integer(0, this.model.lastSeq + 2) as Seq;
    const behind = seqs.filter((seq) => seq >= position);
    const cursor = stream.openCursor({ position, filter, onReady: () => undefined });
    assert.equal(cursor.countPending(), behind.length);
    const read: number[] = [];
    while (cursor.advance() === 'message') read.push(Number(describe(cursor.view).split(' ')[0]));
    cursor.close();
    assert.deepEqual(read, behind);
    assert.equal(stream.lastSeqOf(filter), seqs.at(-1) ?? 0);
    assert.equal(await stream.nextSeqOf(filter, position), behind[0] ?? 0);
    const counts = new Map<string, number>();
    for (const seq of seqs) {
      const { subject } = this.model.messages.get(seq)!;
      counts.set(subject, (counts.get(subject) ?? 0) + 1);
    }
    assert.deepEqual(new Map(await stream.subjectCounts(filter)), counts);
    const lasts = [...counts.keys()].map((subject) => this.model.matching((each) => each === subject).at(-1)!);
    assert.deepEqual(
      [...stream.lastSeqPerSubject(filter, 100)],
      lasts.sort((a, b) => a - b),
    );
  }

  async #delete(): Promise<void> {
    const seqs = [...this.model.messages.keys()];
    if (seqs.length === 0) return;
    const seq = this.#random.pick(seqs);
    this.model.delete(seq);
    await this.#execute({ op: 'deleteMessage', seq, erase: this.#random.chance(0.5) });
  }

  async #purge(): Promise<void> {
    const random = this.#random;
    const filter = random.pick([undefined, 'a', 'k.*', 'c.>', '*.*']);
    const seq = random.pick([undefined, random.integer(0, this.model.lastSeq + 10)]);
    const keep = seq === undefined && random.chance(0.8) ? random.integer(1, 10) : undefined;
    const purge = { op: 'purge' as const, filter, seq, keep };
    const left = survivors(this.model, purge);
    const before = this.model.messages.size;
    let disturbances = 0;
    const purged = await this.#execute(purge, async () => {
      if (!random.chance(0.2)) return;
      disturbances++;
      // What is proposed already comes first.
      this.#replicate();
      if (random.chance(0.5)) this.publish();
      else await this.#checkpointAndRestore();
    });
    if (disturbances > 0) return;
    assert.deepEqual([...this.model.messages.keys()], left);
    assert.deepEqual(purged, { kind: 'done', purged: before - left.length });
  }

  async #configure(): Promise<void> {
    const { config } = this.leader.stream;
    const limits = { maxMsgs: this.#random.pick([-1, 10, 50]), maxMsgsPerSubject: this.#random.pick([-1, 1, 3, 4]) };
    const changed = { ...config, ...limits, discardNewPerSubject: false };
    this.model.configure(changed);
    await this.#execute({ op: 'configure', config: changed, revision: this.leader.stream.configRevision + 1 });
  }

  /** More is published while the pages of the checkpoint are being written: it must not show in them. */
  async #checkpointAndRestore(): Promise<void> {
    const { leader, pages } = this;
    const random = this.#random;
    const digest = leader.stream.digest();
    const before = readAll(leader.stream);
    const appliedIndex = leader.group.status.lastApplied;
    let more = 5;
    const durable = random.chance(0.8);
    const between = (): void => {
      if (more-- > 0) this.publish();
    };
    checkpoint(leader.stream, pages, { between, stepBytes: random.pick([1, 500]), durable });
    leader.stream.takeDeadEntries();
    if (!durable) return;
    const restored = openFixture(this.#config);
    this.#wantSome(restored);
    for (const [index, entry] of leader.group.entries) restored.group.entries.set(index, entry);
    await restored.stream.restore({ appliedIndex, pages: sortedPages(pages) });
    assert.equal(restored.stream.digest(), digest);
    assert.deepEqual(readAll(restored.stream), before);
    assert.deepEqual(restored.extension.restored, leader.extension.pagesWritten);
    restored.group.commit([...leader.group.entries.values()].filter(({ index }) => index > appliedIndex));
    assert.equal(restored.stream.digest(), leader.stream.digest());
    assert.deepEqual(restored.stream.state(), leader.stream.state());
    assert.deepEqual(readAll(restored.stream), readAll(leader.stream));
  }

  /** `between`: after each entry that it takes. */
  async #execute(operation: StreamOperation, between = (): Promise<void> => Promise.resolve()): Promise<unknown> {
    let result: unknown;
    void this.leader.stream.execute(operation).then((settled) => (result = settled));
    for (;;) {
      this.#replicate();
      this.leader.runtime.advance(0);
      await immediate();
      if (result !== undefined) return result;
      await between();
    }
  }

  #replicate(): void {
    while (this.leader.group.pending.length > 0) {
      const entries = this.leader.group.pending.splice(0);
      this.leader.group.commit(entries);
      this.follower.group.commit(entries);
      for (const { body } of entries) this.#follow(body);
    }
  }

  /** The steps of a purge are the leader's to choose: the model takes them from the log. */
  #follow(body: Buffer): void {
    if (entryKind(body) !== ENTRY_OPERATION) return;
    const operation = JSON.parse(entryPayload(body).toString()) as LoggedOperation;
    if (operation.op !== 'purge') return;
    const { filter } = operation;
    this.model.purge({ ...operation, ...(filter !== undefined && { matches: matcherOf(filter) }) });
  }

  #wantSome({ extension }: Fixture): void {
    extension.interest = (subject) => !subject.startsWith('k');
  }
}

function matcherOf(filter: string): (subject: string) => boolean {
  const compiled = new SubjectMatcher([filter]);
  return (subject) => compiled.matches(Buffer.from(subject), 0, subject.length);
}

/** What a purge leaves, as its definition says and all at once. */
function survivors(
  model: StreamModel,
  { filter, seq = 0, keep = 0 }: Extract<StreamOperation, { readonly op: 'purge' }>,
): number[] {
  const matching = model.matching(filter === undefined ? () => true : matcherOf(filter));
  let doomed = matching;
  if (keep > 0) doomed = matching.slice(0, Math.max(0, matching.length - keep));
  else if (seq > 1 || (seq === 1 && filter === undefined)) doomed = matching.filter((each) => each < seq);
  const gone = new Set(doomed);
  return [...model.messages.keys()].filter((each) => !gone.has(each));
}

function outcomeOf(reply: string): ModelOutcome {
  const parsed = JSON.parse(reply) as { error?: { err_code: number }; seq: number };
  return parsed.error ? { kind: 'error', errCode: parsed.error.err_code } : { kind: 'duplicate', seq: parsed.seq };
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`a stream does what its model does, and its checkpoints restore it (SIM_SEED=${seed})`, async () => {
    const run = new Run(seed);
    for (let step = 0; step < STEPS; step++) {
      await run.step();
      await run.check();
    }
  });
}
