/**
 * Owns what accounts import from one another, as the configuration says: sets up the imports, and publishes what crosses
 * from one account to another.
 */
import { byteString } from '../../base/byte-string.ts';
import type { Runtime } from '../../base/runtime.ts';
import { Message } from '../protocol/index.ts';
import type { Publication, Publisher } from '../router-types.ts';
import type { AccountSubjects } from './account-subjects.ts';
import type { FanOut } from './fan-out.ts';
import { ImportedPublisher } from './imported-publisher.ts';
import type { MatchResult } from './match-result.ts';
import { ReplySubscriber } from './reply-subscriber.ts';
import { REPLY_PREFIX, ReplyTable, type OpenReply, type ResponseRule } from './reply-table.ts';
import { type ServerNames, withoutRequestInfo, withRequestInfo } from './request-info.ts';
import { ServiceImport, type Crossing } from './service-import.ts';
import { type ImportedSubject, StreamImports } from './stream-imports.ts';
import { Subscription } from './subscription.ts';

/** One import of an account. */
export type AccountImport = ImportedSubject & {
  /** The account that exports it. */
  readonly account: string;
} & (
    { readonly kind: 'stream' } | { readonly kind: 'service'; readonly share: boolean; readonly response: ResponseRule }
  );

interface AskedFrom {
  readonly answering: string;
  readonly asker: string;
  readonly replies: ReplyTable;
}

export interface CrossingOptions {
  readonly runtime: Runtime;
  readonly fanOut: FanOut;
  readonly account: (name: string) => AccountSubjects;
  readonly nextInternalId: () => number;
  readonly internalPublisher: (account: string) => Publisher;
  readonly names: () => ServerNames;
}

export class AccountCrossings implements Crossing {
  readonly #options: CrossingOptions;
  /** Tables of this node, by the prefix of the subjects that stand for their replies. */
  readonly #tables = new Map<string, AskedFrom>();

  constructor(options: CrossingOptions) {
    this.#options = options;
  }

  add(importer: AccountSubjects, imported: AccountImport): void {
    const exporter = this.#options.account(imported.account);
    if (imported.kind === 'stream') {
      importer.streamImports ??= new StreamImports();
      importer.streamImports.add(exporter, imported);
      return;
    }
    const { share, response } = imported;
    const replies = this.#openTable(exporter, importer, response);
    const service = new ServiceImport({ exporter, subjects: imported, share, replies, crossing: this });
    importer.addService(byteString(imported.local), service);
  }

  request(to: AccountSubjects, message: Message, headers: Buffer, publisher: Publisher): boolean {
    const match = to.match(message.subjectBuffer, message.subjectStart, message.subjectEnd);
    to.statistics.matches++;
    if (match.empty) return false;
    let taken = this.#serve(match, message, publisher);
    if (match.plain.length + match.queues.length + match.peers.length === 0) return taken;
    const payload = message.buffer.subarray(message.payloadStart, message.payloadEnd);
    const body = Buffer.concat([headers, payload]);
    message.setBody(body, 0, headers.length, body.length);
    if (this.#options.fanOut.deliver(to, match, message, { publisher, routeSubject: undefined })) taken = true;
    return taken;
  }

  requestHeaders(publication: Publication, publisher: Publisher, { share }: { readonly share: boolean }): Buffer {
    return withRequestInfo(publication, publisher, share ? this.#options.names() : undefined);
  }

  /** Who is to hear that nobody took a request after all, and under which names; undefined: nobody any more. */
  takeBack({ replies }: ImportedPublisher, reply: string): OpenReply | undefined {
    const opened = replies?.find(reply.slice(replies.prefix.length));
    if (opened !== undefined) replies!.close(opened);
    return opened;
  }

  /** The reply that `subject` stands for in `account`, and where; undefined: for none that this node knows of. */
  replyBehind(account: string, subject: string): { readonly account: string; readonly reply: Buffer } | undefined {
    if (this.#tables.size === 0 || !subject.startsWith(REPLY_PREFIX)) return undefined;
    const end = subject.lastIndexOf('.') + 1;
    const table = this.#tables.get(subject.slice(0, end));
    if (table?.answering !== account) return undefined;
    const opened = table.replies.find(subject.slice(end));
    return opened && { account: table.asker, reply: opened.reply };
  }

  /** Answers in `answering` to what is asked from `asker` lead back there. */
  #openTable(answering: AccountSubjects, asker: AccountSubjects, rule: ResponseRule): ReplyTable {
    const { runtime, nextInternalId } = this.#options;
    const replies = new ReplyTable(runtime, rule);
    this.#tables.set(replies.prefix, { answering: answering.name, asker: asker.name, replies });
    let questions: ReplyTable | undefined;
    const subscriber = new ReplySubscriber({
      connectionId: nextInternalId(),
      asker,
      replies,
      // Answers that ask back are few: what it takes is made for the first.
      questions: () => (questions ??= this.#openTable(asker, answering, rule)),
      publish: (to, message, publisher) => this.#answer(to, message, publisher),
    });
    answering.attach(new Subscription(subscriber, { subject: `${replies.prefix}>`, queue: undefined, sid: '' }));
    return replies;
  }

  #answer(to: AccountSubjects, message: Message, publisher: Publisher | undefined): MatchResult | undefined {
    const routed = message.routedByOther;
    const match = routed
      ? to.match(message.routeBuffer, message.routeStart, message.routeEnd)
      : to.match(message.subjectBuffer, message.subjectStart, message.subjectEnd);
    to.statistics.matches++;
    if (match.empty) return undefined;
    const served = !routed && this.#serve(match, message, publisher ?? this.#options.internalPublisher(to.name));
    const routeSubject = routed ? message.routeBuffer.subarray(message.routeStart, message.routeEnd) : undefined;
    const delivered = this.#options.fanOut.deliver(to, match, message, { publisher, routeSubject });
    return served || delivered ? match : undefined;
  }

  /** Gives the message to services and streams, which take it in one buffer, and without what is said of who asks. */
  #serve({ services, captures }: MatchResult, message: Message, publisher: Publisher): boolean {
    if (services.length + captures.length === 0) return false;
    const whole = inOneBuffer(message);
    let taken = false;
    for (const service of services) if (service.handle(whole, publisher)) taken = true;
    for (const capture of captures) if (capture.capture(whole, publisher)) taken = true;
    return taken;
  }
}

function inOneBuffer(message: Message): Message {
  const subject = message.subjectBuffer.subarray(message.subjectStart, message.subjectEnd);
  const reply = message.replyBuffer.subarray(message.replyStart, message.replyEnd);
  const headers = withoutRequestInfo(message.buffer.subarray(message.headersStart, message.headersEnd));
  const payload = message.buffer.subarray(message.payloadStart, message.payloadEnd);
  const buffer = Buffer.concat([subject, reply, headers, payload]);
  const whole = new Message();
  whole.setSubject(buffer, 0, subject.length);
  whole.setReply(buffer, subject.length, subject.length + reply.length);
  const headersStart = subject.length + reply.length;
  whole.setBody(buffer, headersStart, headersStart + headers.length, buffer.length);
  return whole;
}
