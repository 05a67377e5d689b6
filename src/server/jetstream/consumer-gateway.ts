/**
 * Owns the way of acks, pull requests and flow control answers from where a client sent them to the leader of the stream,
 * whose consumers take them. The subject names stream and consumer; the catalogue and the leader table name the node.
 * What comes while there is no leader, or one that is about to hand over, waits for the next one, and is passed on by the
 * node where it waits, once: who keeps telling each other that the other one leads must not keep a message for ever.
 */
import type { NodeId } from '../../base/brand.ts';
import type { Runtime } from '../../base/runtime.ts';
import { TRAFFIC, type ClusterNode, type TrafficKind } from '../../cluster/index.ts';
import { ackKind, LEADERSHIP_CHANGE, type ConsumerSet } from '../../consumer/index.ts';
import type { GroupId } from '../../raft/index.ts';
import { noRespondersStatus } from '../protocol/index.ts';
import type { Flushable, TurnEnd } from '../router/index.ts';
import type { Publication, Publisher, Router, ServiceHandler } from '../router-types.ts';
import { SentFrames } from './sent-frames.ts';
import { LeaderlessMessages, messagesOf, type LeaderlessMessage } from './leaderless-messages.ts';
import { parseReplySubject, startsWith, type Address, type ReplyAddress } from './consumer-address.ts';
import { ConsumerFrameWriter, type MessageParts } from './consumer-frames.ts';

const NEXT_PREFIX = '$JS.API.CONSUMER.MSG.NEXT.';
/** Above this, a link is too slow for more; clients repeat acks and pulls that got lost. */
const MAX_LINK_BYTES = 32 * 1024 * 1024;

const NO_PAYLOAD: Buffer = Buffer.alloc(0);

export class ConsumerGateway implements ServiceHandler, Flushable {
  readonly #cluster: ClusterNode;
  readonly #domain: string;
  readonly #router: Router;
  readonly #turnEnd: TurnEnd;
  readonly #localConsumers: (group: GroupId) => ConsumerSet | undefined;
  readonly #outgoing = new Map<NodeId, ConsumerFrameWriter>();
  readonly #relayed = new Map<NodeId, ConsumerFrameWriter>();
  readonly #leaderless: LeaderlessMessages;
  readonly #sent: SentFrames;
  #flushScheduled = false;
  /** Address of the ack handled last: acks come in runs of one consumer. */
  #lastAck: ReplyAddress | undefined;
  readonly #accounts = new Map<string, Buffer>();
  readonly #ack = {
    subject: NO_PAYLOAD,
    start: 0,
    end: 0,
    open: false,
    payload: NO_PAYLOAD,
    payloadStart: 0,
    payloadEnd: 0,
    reply: '',
  };

  constructor(options: {
    readonly cluster: ClusterNode;
    /** Empty: none. */
    readonly domain: string;
    readonly router: Router;
    readonly turnEnd: TurnEnd;
    readonly runtime: Runtime;
    readonly localConsumers: (group: GroupId) => ConsumerSet | undefined;
  }) {
    this.#cluster = options.cluster;
    this.#domain = options.domain;
    this.#router = options.router;
    this.#turnEnd = options.turnEnd;
    this.#localConsumers = options.localConsumers;
    this.#leaderless = new LeaderlessMessages({
      runtime: options.runtime,
      deliver: (group, message) => this.#deliver(group, message),
      giveUp: (message) => {
        this.#refuse(message);
      },
    });
    this.#sent = new SentFrames(options.runtime);
    this.#cluster.onInterestLost((node) => {
      this.#linkBroke(node);
    });
    this.#cluster.onTraffic(TRAFFIC.acks, (_from, frame) => {
      this.#receive(frame, false);
    });
    this.#cluster.onTraffic(TRAFFIC.relayedAcks, (_from, frame) => {
      this.#receive(frame, true);
    });
    this.#cluster.onLeaderChange((group) => {
      this.leaderChanged(group);
    });
  }

  /** Another node leads the group, or this one is ready to. */
  leaderChanged(group: GroupId): void {
    this.#leaderless.retry(group);
  }

  /** A message to `$JS.ACK.>`, `$JS.FC.>` or `$JS.API.CONSUMER.MSG.NEXT.>`. False: there is no such consumer. */
  handle(publication: Publication, publisher: Publisher): boolean {
    const address = this.#addressOf(publication, publisher.account);
    if (address === undefined) return false;
    const assignment = this.#cluster.catalogue.stream(publisher.account, address.stream);
    if (assignment === undefined) return false;
    const { group } = assignment;
    const leader = this.#takerOf(group);
    if (leader === this.#cluster.node) return this.#handleHere(group, address, publication);
    if (leader !== undefined) return this.#forward(this.#outgoing, leader, publisher.account, publication);
    return this.#keep(group, address, { account: publisher.account, parts: publication, publisher, relayed: false });
  }

  /** The node that takes what clients send to the stream's consumers; undefined: there is none right now. */
  #takerOf(group: GroupId): NodeId | undefined {
    const leader = this.#cluster.leaderOf(group);
    if (leader === undefined || !this.#cluster.isUp(leader)) return undefined;
    if (leader !== this.#cluster.node) return leader;
    return this.#localConsumers(group)?.serving === true ? leader : undefined;
  }

  /** False: there is no room. */
  #keep(group: GroupId, address: Address, message: LeaderlessMessage): boolean {
    // The next leader asks for flow control anew, and knows nothing of what was asked before.
    return address.kind === 'flowControl' || this.#leaderless.add(group, message);
  }

  /** Brings a message that waited to its consumer, or refuses it. False: there is still nobody to take it. */
  #deliver(group: GroupId, message: LeaderlessMessage): boolean {
    const { account, parts, relayed } = message;
    const taker = this.#takerOf(group);
    const isHere = taker === this.#cluster.node;
    if (taker === undefined || (relayed && !isHere)) return false;
    const address = this.#addressOf(parts, account);
    const writers = message.publisher === undefined ? this.#relayed : this.#outgoing;
    const taken = isHere
      ? address !== undefined && this.#handleHere(group, address, parts)
      : this.#forward(writers, taker, account, parts);
    if (!taken) this.#refuse(message);
    return true;
  }

  #handleHere(group: GroupId, address: Address, parts: MessageParts): boolean {
    const consumers = this.#localConsumers(group);
    if (consumers === undefined) return false;
    const { buffer } = parts;
    const reply = parts.replyEnd > parts.replyStart ? buffer.toString('latin1', parts.replyStart, parts.replyEnd) : '';
    switch (address.kind) {
      case 'ack':
        return this.#handleAck(consumers, address, parts, reply);
      case 'next':
        return consumers.pull(address.consumer, {
          reply,
          headers: Buffer.from(buffer.subarray(parts.headersStart, parts.headersEnd)),
          body: Buffer.from(buffer.subarray(parts.payloadStart, parts.payloadEnd)),
        });
      case 'flowControl':
        return consumers.flowControl(
          address.consumer,
          buffer.toString('latin1', parts.subjectStart, parts.subjectEnd),
          buffer.subarray(parts.headersStart, parts.headersEnd),
        );
    }
  }

  #handleAck(consumers: ConsumerSet, address: ReplyAddress, parts: MessageParts, reply: string): boolean {
    const ack = this.#ack;
    ack.subject = parts.buffer;
    ack.start = parts.subjectStart + address.prefix.length;
    ack.end = parts.subjectEnd;
    ack.open = address.account !== undefined;
    ack.payload = parts.buffer;
    ack.payloadStart = parts.payloadStart;
    ack.payloadEnd = parts.payloadEnd;
    ack.reply = reply;
    return consumers.ack(address.consumer, ack);
  }

  #forward(writers: Map<NodeId, ConsumerFrameWriter>, leader: NodeId, account: string, parts: MessageParts): boolean {
    let writer = writers.get(leader);
    if (writer === undefined) writers.set(leader, (writer = new ConsumerFrameWriter()));
    if (this.#cluster.pendingTraffic(leader) + writer.bytes > MAX_LINK_BYTES) return false;
    writer.add(this.#accountBytes(account), parts);
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      // Pulls often come with the subscription to their inbox, which the leader's node must hear of first.
      this.#turnEnd.add(this);
    }
    return true;
  }

  /** Sends what was gathered in this turn. */
  flush(): void {
    this.#flushScheduled = false;
    this.#flush(this.#outgoing, TRAFFIC.acks);
    this.#flush(this.#relayed, TRAFFIC.relayedAcks);
  }

  #flush(writers: Map<NodeId, ConsumerFrameWriter>, kind: TrafficKind): void {
    for (const [node, writer] of writers) {
      if (writer.bytes === 0) continue;
      const frame = writer.take();
      this.#cluster.send(node, kind, frame);
      this.#sent.note(node, frame);
    }
  }

  /**
   * What was sent last may not have arrived, or was not on record yet. Acks go again, for once more is as good as once.
   * Requests don't, for they may have been served: their clients hear what they hear of the next leader about those on record.
   */
  #linkBroke(node: NodeId): void {
    const told = new Set<string>();
    for (const frame of this.#sent.take(node)) {
      for (const message of messagesOf(frame, false)) this.#sendAgain(message, told);
    }
    this.#router.flushSoon();
  }

  #sendAgain(message: LeaderlessMessage, told: Set<string>): void {
    const { account, parts } = message;
    const address = this.#addressOf(parts, account);
    if (address === undefined) return;
    const assignment = this.#cluster.catalogue.stream(account, address.stream);
    if (assignment === undefined || address.kind === 'flowControl') return;
    const kind = address.kind === 'next' ? 'next' : ackKind(parts.buffer, parts.payloadStart, parts.payloadEnd);
    if (kind === 'nak') return;
    if (kind !== 'next') {
      this.#leaderless.add(assignment.group, message);
      return;
    }
    const inbox = parts.buffer.toString('latin1', parts.replyStart, parts.replyEnd);
    if (inbox === '' || told.has(inbox)) return;
    told.add(inbox);
    this.#router.publish(account, { subject: inbox, headers: LEADERSHIP_CHANGE, payload: NO_PAYLOAD });
  }

  #receive(frame: Buffer, relayed: boolean): void {
    for (const message of messagesOf(frame, relayed)) this.#handleForwarded(message);
    this.#router.flushSoon();
  }

  #handleForwarded(message: LeaderlessMessage): void {
    const { account, parts } = message;
    const address = this.#addressOf(parts, account);
    if (address === undefined) return;
    const assignment = this.#cluster.catalogue.stream(account, address.stream);
    if (assignment === undefined) {
      this.#refuse(message);
      return;
    }
    const { group } = assignment;
    const handled =
      this.#takerOf(group) === this.#cluster.node
        ? this.#handleHere(group, address, parts)
        : this.#keep(group, address, message);
    if (!handled) this.#refuse(message);
  }

  /** Nobody takes the message, or nobody came in time: its publisher is told. */
  #refuse({ account, parts, publisher }: LeaderlessMessage): void {
    const { buffer } = parts;
    if (parts.replyEnd === parts.replyStart) return;
    const subject = buffer.toString('latin1', parts.subjectStart, parts.subjectEnd);
    const reply = buffer.toString('latin1', parts.replyStart, parts.replyEnd);
    if (publisher !== undefined) {
      this.#router.noResponders(publisher, subject, reply);
    } else {
      // The publisher's own node can't know that nobody is here to take it, so its answer is given from here.
      this.#router.publish(account, { subject: reply, headers: noRespondersStatus(subject), payload: NO_PAYLOAD });
    }
    this.#router.flushSoon();
  }

  #addressOf(
    parts: Pick<MessageParts, 'buffer' | 'subjectStart' | 'subjectEnd'>,
    account: string,
  ): Address | undefined {
    const { buffer, subjectStart, subjectEnd } = parts;
    const last = this.#lastAck;
    if (last !== undefined && startsWith(buffer, subjectStart, subjectEnd, last.prefix)) {
      if (last.account === undefined || last.account === account) return last;
    }
    const subject = buffer.toString('utf8', subjectStart, subjectEnd);
    if (subject.startsWith(NEXT_PREFIX)) {
      const [stream, consumer, ...rest] = subject.slice(NEXT_PREFIX.length).split('.');
      return stream && consumer && rest.length === 0 ? { kind: 'next', stream, consumer } : undefined;
    }
    const address = parseReplySubject(subject, account, this.#domain);
    if (address !== undefined) this.#lastAck = address;
    return address;
  }

  #accountBytes(account: string): Buffer {
    let bytes = this.#accounts.get(account);
    if (bytes === undefined) this.#accounts.set(account, (bytes = Buffer.from(account)));
    return bytes;
  }
}
