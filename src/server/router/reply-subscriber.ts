/**
 * Owns the way back of answers from another account: subscribed there, in the whole cluster, to the subjects that stand for
 * replies, it publishes what comes under the reply that was given with the request.
 */
import { Message, NO_BYTES } from '../protocol/index.ts';
import type { Publisher } from '../router-types.ts';
import type { AccountSubjects } from './account-subjects.ts';
import { ImportedPublisher } from './imported-publisher.ts';
import type { MatchResult } from './match-result.ts';
import type { OpenReply, ReplyTable } from './reply-table.ts';
import { openReply } from './service-import.ts';
import type { Subscriber, Subscription } from './subscription.ts';

/** Publishes an answer in the account that asked; returns who gets it, or undefined if nobody does. */
export type PublishAnswer = (
  to: AccountSubjects,
  message: Message,
  publisher: Publisher | undefined,
) => MatchResult | undefined;

export class ReplySubscriber implements Subscriber {
  readonly connectionId: number;
  readonly echo = true;
  readonly wantsNoResponders = false;
  readonly #asker: AccountSubjects;
  readonly #replies: ReplyTable;
  readonly #questions: () => ReplyTable;
  readonly #publish: PublishAnswer;
  /** Who got the last answer: a sender of many is to go as slow as they do. */
  #last: MatchResult | undefined;

  /** `questions`: where answers to answers lead, in the account that answers. */
  constructor(options: {
    readonly connectionId: number;
    readonly asker: AccountSubjects;
    readonly replies: ReplyTable;
    readonly questions: () => ReplyTable;
    readonly publish: PublishAnswer;
  }) {
    this.connectionId = options.connectionId;
    this.#asker = options.asker;
    this.#replies = options.replies;
    this.#questions = options.questions;
    this.#publish = options.publish;
  }

  get pendingBytes(): number {
    return this.#last?.pendingBytes ?? 0;
  }

  deliver(_subscription: Subscription, message: Message, publisher: Publisher | undefined): boolean {
    const opened = this.#replies.find(this.#token(message));
    if (opened === undefined) return false;
    const { type } = this.#replies.rule;
    const isLast = type === 'singleton' || message.bodyBytes === 0;
    // Before it is published: whoever gets it may answer at once.
    if (isLast) this.#replies.close(opened);
    else this.#replies.renew(opened);
    const kept = new Message();
    kept.assign(message);
    this.#last = this.#publish(this.#asker, this.#answer(opened, message), publisher && this.#imported(publisher));
    // What is published on the way of one message may have used the very same object.
    message.assign(kept);
    if (this.#last === undefined && !isLast) this.#replies.close(opened);
    return this.#last !== undefined;
  }

  #token({ routeBuffer, routeStart, routeEnd, subjectBuffer, subjectStart, subjectEnd }: Message): string {
    const before = this.#replies.prefix.length;
    if (routeEnd > routeStart) return routeBuffer.toString('latin1', routeStart + before, routeEnd);
    return subjectBuffer.toString('latin1', subjectStart + before, subjectEnd);
  }

  /** A stored message goes under its own subject; everything else under the reply. */
  #answer(opened: OpenReply, message: Message): Message {
    const answer = new Message();
    answer.assign(message);
    if (message.routedByOther) answer.setRoute(opened.reply, 0, opened.reply.length);
    else answer.setSubject(opened.reply, 0, opened.reply.length);
    const { replyBuffer, replyStart, replyEnd } = message;
    if (replyEnd > replyStart)
      openReply(this.#questions(), replyBuffer.subarray(replyStart, replyEnd), NO_BYTES, answer);
    return answer;
  }

  #imported(publisher: Publisher): ImportedPublisher {
    return new ImportedPublisher(this.#asker.name, publisher, undefined);
  }
}
