/** What the leader changes in publishes before they are proposed, and how the parts of a submission become one outcome. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiError } from '../../src/base/api-errors.ts';
import type { Seq } from '../../src/base/brand.ts';
import type { StreamConfig, Submission, SubmissionException, SubmissionOutcome } from '../../src/stream/index.ts';
import { BatchBudget } from '../../src/stream/index.ts';
import { PublishIntake } from '../../src/stream/publish/intake.ts';
import { MessageDraft } from '../../src/stream/messages/message-draft.ts';
import { emptyMessageView, readMessage } from '../../src/stream/messages/message-format.ts';
import { PublishReplies } from '../../src/stream/publish/publish-replies.ts';
import type { MessageRewriter } from '../../src/stream/publish/rewriters.ts';
import { SplitSubmission } from '../../src/stream/publish/split-submission.ts';
import { baseConfig, encodeHeaders, encodeMessages, FakeRuntime, type Publish } from './stream-fixture.ts';

const replies = new PublishReplies('S', undefined);

function draftOf(message: Publish): MessageDraft {
  const view = emptyMessageView();
  const stored = encodeMessages([message]);
  readMessage(stored, 0, stored.length, view);
  const draft = new MessageDraft();
  draft.load(view);
  return draft;
}

/** Takes what the intake sends on, and lets a test settle it. */
class FakeSink {
  isLeading = true;
  readonly taken: Submission[] = [];

  submit(submission: Submission): void {
    this.taken.push(submission);
  }

  /** What the messages of the part are, as text. */
  texts(part: number): string[] {
    const { messages, count } = this.taken[part]!;
    const view = emptyMessageView();
    return Array.from({ length: count }, (_, i) => {
      readMessage(messages, i === 0 ? 0 : view.end, messages.length, view);
      return messages.toString('utf8', view.subjectStart, view.end);
    });
  }
}

function openIntake(rewriter: MessageRewriter): {
  sink: FakeSink;
  submit: (messages: readonly Publish[]) => { outcome?: SubmissionOutcome };
  config: StreamConfig;
} {
  const sink = new FakeSink();
  const config = baseConfig;
  const intake = new PublishIntake({
    proposer: sink,
    replies,
    config,
    budget: new BatchBudget(),
    runtime: new FakeRuntime(),
    abandoned: () => undefined,
    rewritersFor: () => [rewriter],
  });
  const none = { messages: Buffer.alloc(0), count: 0, settle: () => undefined };
  assert.equal(intake.isNeededFor(none), true);
  return {
    sink,
    config,
    submit(messages) {
      const result: { outcome?: SubmissionOutcome } = {};
      intake.submit({
        messages: encodeMessages(messages),
        count: messages.length,
        settle(outcome) {
          assert.equal(result.outcome, undefined, 'settled twice');
          result.outcome = outcome;
        },
      });
      return result;
    },
  };
}

const applied = (firstSeq: number, exceptions: readonly SubmissionException[] = []): SubmissionOutcome => ({
  kind: 'applied',
  firstSeq: firstSeq as Seq,
  exceptions,
});

/** Marks subjects that begin with `x`, and refuses those that begin with `!`. */
const marking: MessageRewriter = {
  rewrite(message) {
    const first = message.subject.toString('utf8', 0, 1);
    if (first === 'x') message.subject = Buffer.concat([Buffer.from('marked.'), message.subject]);
    return first === '!' ? apiError(400, 1, 'no') : undefined;
  },
};

test('a message that nobody changes keeps its bytes', () => {
  const draft = draftOf({ subject: 'a.b', headers: { A: '1' }, payload: 'text' });
  draft.removeHeader('B');
  assert.equal(draft.isChanged, false);
  assert.deepEqual(draft.toStored(), encodeMessages([{ subject: 'a.b', headers: { A: '1' }, payload: 'text' }]));
});

test('a header is replaced where it is, added behind the others, or makes a block', () => {
  const draft = draftOf({ subject: 'a', headers: { A: '1', B: '2', AB: '3' } });
  draft.setHeader('B', 'two');
  draft.setHeader('C', '4');
  assert.equal(draft.headers.toString(), encodeHeaders({ A: '1', B: 'two', AB: '3', C: '4' }));
  const bare = draftOf({ subject: 'a', payload: 'p' });
  bare.setHeader('A', '1');
  assert.deepEqual(bare.toStored(), encodeMessages([{ subject: 'a', headers: { A: '1' }, payload: 'p' }]));
});

test('a removed header is gone wherever it was, and the last one takes the block with it', () => {
  const draft = draftOf({ subject: 'a', headers: { A: '1' } });
  draft.setHeader('B', '2');
  draft.removeHeader('A');
  assert.equal(draft.headers.toString(), encodeHeaders({ B: '2' }));
  draft.removeHeader('B');
  assert.deepEqual(draft.toStored(), encodeMessages([{ subject: 'a' }]));
});

test('honoured headers are those of the message as it is now', () => {
  const draft = draftOf({ subject: 'a', headers: { 'Nats-TTL': '1s' } });
  assert.equal(draft.honoured.any, true);
  draft.removeHeader('Nats-TTL');
  assert.equal(draft.honoured.any, false);
});

test('rewritten messages and others go on together, in order', () => {
  const { sink, submit } = openIntake(marking);
  const result = submit([{ subject: 'a' }, { subject: 'b' }, { subject: 'x' }, { subject: 'c' }]);
  assert.deepEqual(sink.texts(0), ['a', 'b', 'marked.x', 'c']);
  sink.taken[0]!.settle(applied(7));
  assert.deepEqual(result.outcome, applied(7));
});

test('a message that is answered at once leaves the rest, which count on', () => {
  const { sink, submit } = openIntake(marking);
  const result = submit([{ subject: 'a' }, { subject: '!' }, { subject: 'b' }]);
  assert.deepEqual(sink.texts(0), ['a', 'b']);
  assert.equal(result.outcome, undefined);
  sink.taken[0]!.settle(applied(7));
  const reply = '{"error":{"code":400,"err_code":1,"description":"no"},"stream":"S","seq":0}';
  assert.deepEqual(result.outcome, applied(7, [{ ordinal: 1, stored: false, reply }]));
});

test('a submission of which all is answered at once never reaches the log', () => {
  const { sink, submit } = openIntake(marking);
  const { outcome } = submit([{ subject: '!' }]);
  assert.equal(sink.taken.length, 0);
  assert.equal(outcome?.kind, 'applied');
});

test('whoever does not lead refuses everything, and answers nothing', () => {
  const { sink, submit } = openIntake(marking);
  sink.isLeading = false;
  assert.deepEqual(submit([{ subject: '!' }]).outcome, { kind: 'refused', reason: 'notLeader' });
});

test('what was refused as a whole may be sent again; if some of it was answered, the rest is told', () => {
  const { sink, submit } = openIntake(marking);
  const whole = submit([{ subject: 'a' }]);
  const refused = { kind: 'refused', reason: 'notLeader' } as const;
  sink.taken[0]!.settle(refused);
  assert.deepEqual(whole.outcome, refused);
  const partly = submit([{ subject: 'a' }, { subject: '!' }]);
  sink.taken[1]!.settle(refused);
  assert.equal(partly.outcome?.kind, 'applied');
  const errors = partly.outcome.exceptions.map(({ reply }) => (JSON.parse(reply!) as { error: object }).error);
  assert.deepEqual(
    errors.map((error) => (error as { err_code: number }).err_code),
    [10008, 1],
  );
});

test('parts that were stored apart get their sequences, and nobody answers for what is not known', () => {
  let outcome: SubmissionOutcome | undefined;
  const settle = (told: SubmissionOutcome): void => void (outcome = told);
  const split = new SplitSubmission({ messages: Buffer.alloc(0), count: 6, settle }, replies);
  const first = split.part([0, 1]);
  const later = split.defer(2);
  const second = split.part([3, 4]);
  const lost = split.part([5]);
  split.close();
  first(applied(5, [{ ordinal: 1, stored: true, reply: '{}' }]));
  second(applied(9));
  lost({ kind: 'unknown' });
  assert.equal(outcome, undefined);
  later(['one', 'two']);
  assert.deepEqual(
    outcome,
    applied(5, [
      { ordinal: 1, stored: true, reply: '{}' },
      { ordinal: 2, stored: false, reply: 'one' },
      { ordinal: 2, stored: false, reply: 'two' },
      { ordinal: 3, stored: false, reply: '{"stream":"S","seq":9}' },
      { ordinal: 4, stored: false, reply: '{"stream":"S","seq":10}' },
      { ordinal: 5, stored: false, reply: undefined },
    ]),
  );
});
