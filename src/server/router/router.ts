/**
 * Owns the subject router of a node: who gets a message, among local connections, services, captures and other nodes.
 *
 * Subjects given as strings are byte strings (protocol/bytes.ts). Accounts are told apart by name and share nothing.
 */
import type { NodeId } from '../../base/brand.ts';
import { readUint32 } from '../../base/big-endian.ts';
import { REPLY_PREFIX_BYTES } from '../../base/reply-run.ts';
import type { Runtime } from '../../base/runtime.ts';
import { equalBytes, Message, NO_BYTES, noRespondersStatus } from '../protocol/index.ts';
import type {
  CaptureHandler,
  InPlaceReceiver,
  Publication,
  Publisher,
  ReceivedMessage,
  RouteHandle,
  Router,
  ServiceHandler,
} from '../router-types.ts';
import { AccountCrossings, type AccountImport } from './account-crossings.ts';
import { AccountSubjects, type Announce } from './account-subjects.ts';
import { FanOut } from './fan-out.ts';
import { ImportedPublisher } from './imported-publisher.ts';
import { internalPublisher } from './internal-publisher.ts';
import { InPlaceSubscriber } from './in-place-subscriber.ts';
import { InternalSubscriber } from './internal-subscriber.ts';
import type { MatchResult } from './match-result.ts';
import type { ServerNames } from './request-info.ts';
import { RoutePeer, type RoutedTraffic } from './route-peer.ts';
import { FrameReader } from './routed-frame.ts';
import { Route } from './route-table.ts';
import { Subscription, type Subscriber } from './subscription.ts';
import type { TurnEnd } from './turn-end.ts';

const NO_NAMES: ServerNames = { server: '', cluster: '' };
const FROM_NOBODY = { publisher: undefined, routeSubject: undefined };

export interface RouterOptions {
  readonly runtime: Runtime;
  readonly turnEnd: TurnEnd;
  readonly traffic: RoutedTraffic;
  readonly announce: Announce;
  /** Told to services of other accounts, if they may know. */
  readonly names?: () => ServerNames;
}

export class SubjectRouter implements Router {
  /** Stands in for the account of clients that have not said who they are. Nothing is ever attached to it. */
  readonly nobody: AccountSubjects;
  readonly #options: RouterOptions;
  readonly #accounts = new Map<string, AccountSubjects>();
  readonly #internal = new Map<string, Publisher>();
  readonly #peers = new Map<NodeId, RoutePeer>();
  readonly #subscribers = new Map<number, Subscriber>();
  /** Connections count up from 1, and 0 is nobody's. */
  #lastInternalId = 0;
  /** For messages made here; those of connections come with their own. */
  readonly #message = new Message();
  readonly #frames = new FrameReader();
  readonly #fanOut: FanOut;
  readonly #crossings: AccountCrossings;

  constructor(options: RouterOptions) {
    this.#options = options;
    this.#fanOut = new FanOut(options.runtime);
    this.nobody = new AccountSubjects('', options);
    this.#crossings = new AccountCrossings({
      runtime: options.runtime,
      fanOut: this.#fanOut,
      account: (name) => this.account(name),
      nextInternalId: () => --this.#lastInternalId,
      internalPublisher: (account) => this.#internalPublisher(account),
      names: options.names ?? (() => NO_NAMES),
    });
  }

  /** The account's interest, created when first asked for. */
  account(name: string): AccountSubjects {
    let account = this.#accounts.get(name);
    if (account === undefined) {
      account = new AccountSubjects(name, this.#options);
      this.#accounts.set(name, account);
    }
    return account;
  }

  /** From now on the account has this of another one. Subscriptions that exist already are not looked at. */
  addImport(account: string, imported: AccountImport): void {
    this.#crossings.add(this.account(account), imported);
  }

  /** Accounts that anybody ever used. */
  accounts(): Iterable<AccountSubjects> {
    return this.#accounts.values();
  }

  peers(): Iterable<RoutePeer> {
    return this.#peers.values();
  }

  /** Makes a connection known, so that `noResponders` finds it. */
  attach(subscriber: Subscriber): void {
    this.#subscribers.set(subscriber.connectionId, subscriber);
  }

  detach(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber.connectionId);
  }

  addService(account: string, subject: string, handler: ServiceHandler): () => void {
    return this.account(account).addService(subject, handler);
  }

  addCapture(account: string, subjects: readonly string[], handler: CaptureHandler): () => void {
    const removals = subjects.map((subject) => this.account(account).addCapture(subject, handler));
    return () => {
      for (const remove of removals) remove();
    };
  }

  subscribe(account: string, subject: string, handler: (message: ReceivedMessage) => void): () => void {
    const subscriber = new InternalSubscriber(--this.#lastInternalId, this.#options.runtime, handler);
    return this.#attachInternal(account, subject, subscriber);
  }

  subscribeInPlace(account: string, subject: string, receiver: InPlaceReceiver): () => void {
    return this.#attachInternal(account, subject, new InPlaceSubscriber(--this.#lastInternalId, receiver));
  }

  #attachInternal(account: string, subject: string, subscriber: Subscriber & { close(): void }): () => void {
    const subscription = new Subscription(subscriber, { subject, queue: undefined, sid: '' });
    this.account(account).subscribe(subscription);
    return () => {
      subscriber.close();
      this.account(account).unsubscribe(subscription);
    };
  }

  openRoute(account: string, subject: string, onChange: () => void): RouteHandle {
    const asked = this.#crossings.replyBehind(account, subject);
    // Interest in what a reply stands for goes on or ends where it was asked, however many accounts away that is.
    const behind = asked && this.openRoute(asked.account, latin1(asked.reply), onChange);
    return this.account(account).routes.open(subject, onChange, behind);
  }

  /**
   * Routes a client's message whose match is known. False: nobody took it. All parts of the message are in one buffer, as
   * services and captures expect.
   */
  route(account: AccountSubjects, match: MatchResult, message: Message, publisher: Publisher): boolean {
    account.statistics.matches++;
    if (match.empty) return false;
    let taken = false;
    for (const service of match.services) if (service.handle(message, publisher)) taken = true;
    for (const capture of match.captures) if (capture.capture(message, publisher)) taken = true;
    return this.#fanOut.deliver(account, match, message, { publisher, routeSubject: undefined }) || taken;
  }

  deliver(
    route: RouteHandle,
    stored: {
      readonly buffer: Buffer;
      readonly subjectStart: number;
      readonly headersStart: number;
      readonly payloadStart: number;
      readonly end: number;
    },
    reply: Buffer,
    replyBytes: number,
  ): boolean {
    if (!(route instanceof Route) || route.match.empty) return false;
    const message = this.#message;
    message.setSubject(stored.buffer, stored.subjectStart, stored.headersStart);
    message.setReply(reply, 0, replyBytes);
    message.setBody(stored.buffer, stored.headersStart, stored.payloadStart, stored.end);
    const { account, match, subjectBytes } = route;
    message.setRoute(subjectBytes, 0, subjectBytes.length);
    account.statistics.matches++;
    const taken = this.#fanOut.deliver(account, match, message, route.origin);
    message.setRoute(NO_BYTES, 0, 0);
    message.setBuffer(NO_BYTES);
    return taken;
  }

  publish(
    accountName: string,
    given: { readonly subject: string; readonly reply?: string; readonly headers?: Buffer; readonly payload: Buffer },
  ): boolean {
    const subject = Buffer.from(given.subject, 'latin1');
    const reply = Buffer.from(given.reply ?? '', 'latin1');
    const headers = given.headers ?? NO_BYTES;
    return this.#publishWhole(accountName, Buffer.concat([subject, reply, headers, given.payload]), {
      replyStart: subject.length,
      headersStart: subject.length + reply.length,
      payloadStart: subject.length + reply.length + headers.length,
    });
  }

  forward(publication: Publication, publisher: Publisher): boolean {
    const { buffer, subjectStart, subjectEnd, replyStart, replyEnd } = publication;
    const account = this.account(publisher.account);
    const match = account.match(buffer, subjectStart, subjectEnd);
    const message = new Message();
    message.setSubject(buffer, subjectStart, subjectEnd);
    message.setReply(buffer, replyStart, replyEnd);
    message.setBody(buffer, publication.headersStart, publication.payloadStart, publication.payloadEnd);
    return this.route(account, match, message, publisher);
  }

  publishReply(
    accountName: string,
    buffer: Buffer,
    subjectStart: number,
    subjectEnd: number,
    payload: Buffer,
    payloadBytes: number,
  ): boolean {
    const account = this.account(accountName);
    const match = account.match(buffer, subjectStart, subjectEnd);
    const message = this.#message;
    message.setSubject(buffer, subjectStart, subjectEnd);
    message.setBody(payload, 0, 0, payloadBytes);
    return this.#publishTo(account, match, message);
  }

  publishReplies(
    accountName: string,
    buffer: Buffer,
    subjectStart: number,
    subjectEnd: number,
    run: Buffer,
    runBytes: number,
  ): void {
    const account = this.account(accountName);
    let match = account.match(buffer, subjectStart, subjectEnd);
    const message = this.#message;
    for (let at = 0; at < runBytes;) {
      const start = at + REPLY_PREFIX_BYTES;
      const end = start + readUint32(run, at + 4);
      if (!account.isCurrent(match)) match = account.match(buffer, subjectStart, subjectEnd);
      message.setSubject(buffer, subjectStart, subjectEnd);
      message.setBody(run, start, start + readUint32(run, at), end);
      this.#publishTo(account, match, message);
      at = end;
    }
  }

  /** `message` has a subject and a body, and no reply. It refers to nothing afterwards. */
  #publishTo(account: AccountSubjects, match: MatchResult, message: Message): boolean {
    if (match.services.length > 0 || match.captures.length > 0) {
      const { subjectBuffer, subjectStart, subjectEnd, buffer, headersStart, payloadStart, payloadEnd } = message;
      const subject = subjectBuffer.subarray(subjectStart, subjectEnd);
      return this.#publishWhole(account.name, Buffer.concat([subject, buffer.subarray(headersStart, payloadEnd)]), {
        replyStart: subject.length,
        headersStart: subject.length,
        payloadStart: subject.length + payloadStart - headersStart,
      });
    }
    account.statistics.matches++;
    if (match.empty) return false;
    message.setReply(NO_BYTES, 0, 0);
    const taken = this.#fanOut.deliver(account, match, message, FROM_NOBODY);
    message.setBuffer(NO_BYTES);
    return taken;
  }

  noResponders(publisher: Publisher, subject: string, reply: string): void {
    if (publisher instanceof ImportedPublisher) {
      const asked = this.#crossings.takeBack(publisher, reply);
      if (asked !== undefined) this.noResponders(publisher.origin, latin1(asked.subject), latin1(asked.reply));
      return;
    }
    const subscriber = this.#subscribers.get(publisher.connectionId);
    if (subscriber?.wantsNoResponders !== true) return;
    const replySubject = Buffer.from(reply, 'latin1');
    const { plain } = this.account(publisher.account).match(replySubject, 0, replySubject.length);
    const own = plain.find((subscription) => subscription.subscriber === subscriber && !subscription.closed);
    if (own === undefined) return;
    const status = noRespondersStatus(subject);
    const message = new Message();
    message.setSubject(replySubject, 0, replySubject.length);
    message.setBody(status, 0, status.length, status.length);
    subscriber.deliver(own, message, undefined);
  }

  flushSoon(): void {
    this.#options.turnEnd.soon();
  }

  remoteInterest(
    node: NodeId,
    interest: {
      readonly account: string;
      readonly subject: string;
      readonly queue: string | undefined;
      readonly members: number;
    },
  ): void {
    const { subject, queue, members } = interest;
    this.account(interest.account).setPeerInterest(this.#peer(node), subject, queue, members);
  }

  remoteInterestLost(node: NodeId): void {
    const peer = this.#peers.get(node);
    if (peer === undefined) return;
    for (const account of this.#accounts.values()) account.dropPeer(peer);
    peer.lost();
  }

  remoteMessages(node: NodeId, frame: Buffer): void {
    const frames = this.#frames;
    const message = this.#message;
    if (!frames.open(frame)) return;
    const { statistics } = this.#peer(node);
    const account = this.account(frames.account);
    while (frames.next(message)) {
      statistics.inMessages++;
      statistics.inBytes += message.bodyBytes;
      const match = account.match(frame, frames.subjectStart, frames.subjectEnd);
      if (frames.plain) this.#fanOut.deliverToPlain(match, message, undefined);
      for (let i = 0; i < frames.groupCount; i++) {
        const start = frames.groupStarts[i]!;
        const end = frames.groupEnds[i]!;
        const group = match.queues.find(({ key }) => equalBytes(frame, start, end, key));
        if (group !== undefined) this.#fanOut.deliverToLocalMember(group, message);
      }
    }
    message.setRoute(NO_BYTES, 0, 0);
    message.setBuffer(NO_BYTES);
  }

  /** A message that lies in one buffer: subject, reply, headers and payload one after the other. */
  #publishWhole(
    accountName: string,
    whole: Buffer,
    at: { readonly replyStart: number; readonly headersStart: number; readonly payloadStart: number },
  ): boolean {
    const account = this.account(accountName);
    const match = account.match(whole, 0, at.replyStart);
    const message = new Message();
    message.setSubject(whole, 0, at.replyStart);
    message.setReply(whole, at.replyStart, at.headersStart);
    message.setBody(whole, at.headersStart, at.payloadStart, whole.length);
    return this.route(account, match, message, this.#internalPublisher(accountName));
  }

  #internalPublisher(account: string): Publisher {
    let publisher = this.#internal.get(account);
    if (publisher === undefined) {
      publisher = internalPublisher(account);
      this.#internal.set(account, publisher);
    }
    return publisher;
  }

  #peer(node: NodeId): RoutePeer {
    let peer = this.#peers.get(node);
    if (peer === undefined) {
      peer = new RoutePeer(node, this.#options);
      this.#peers.set(node, peer);
    }
    return peer;
  }
}

function latin1(bytes: Buffer): string {
  return bytes.toString('latin1');
}
