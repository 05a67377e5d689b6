/**
 * Owns what an account imports of another's services: a request to the imported subject is published in the exporting
 * account, under the subject there, and answers come back by a subject that stands for where they are wanted.
 *
 * Nobody in the exporting account sees subjects of the importing one. Both accounts are on every node, so a request goes over
 * where it comes in; the subject for its answers names this node's table, wherever in the cluster somebody answers.
 */
import type { SubjectTransform } from '../../base/subject-transform.ts';
import { Message } from '../protocol/index.ts';
import type { Publication, Publisher, ServiceHandler } from '../router-types.ts';
import type { AccountSubjects } from './account-subjects.ts';
import { ImportedPublisher } from './imported-publisher.ts';
import type { OpenReply, ReplyTable } from './reply-table.ts';
import { inOrder, mapping, type ImportedSubject } from './stream-imports.ts';

/** Acks are for a consumer of the exporting account, which is named in them. */
const ACK_PREFIX = Buffer.from('$JS.ACK.');

/** Publishes in an account what comes from another one. */
export interface Crossing {
  /** `headers` as those who serve see them; services of the server, and streams, get the message's own. */
  request(to: AccountSubjects, message: Message, headers: Buffer, publisher: Publisher): boolean;
  /** What the account that serves is told of who asks. */
  requestHeaders(publication: Publication, publisher: Publisher, terms: { readonly share: boolean }): Buffer;
}

export class ServiceImport implements ServiceHandler {
  readonly #exporter: AccountSubjects;
  readonly #toRemote: SubjectTransform | undefined;
  readonly #share: boolean;
  readonly #replies: ReplyTable;
  readonly #crossing: Crossing;
  /** One for each client, as it holds back and is held back as one. */
  readonly #publishers = new WeakMap<Publisher, ImportedPublisher>();

  constructor(options: {
    readonly exporter: AccountSubjects;
    readonly subjects: ImportedSubject;
    readonly share: boolean;
    /** For answers to requests through this import. */
    readonly replies: ReplyTable;
    readonly crossing: Crossing;
  }) {
    const { subject, local, localMapping, remoteMapping } = options.subjects;
    this.#exporter = options.exporter;
    this.#toRemote = subject === local && localMapping === inOrder(subject) ? undefined : mapping(local, remoteMapping);
    this.#share = options.share;
    this.#replies = options.replies;
    this.#crossing = options.crossing;
  }

  handle(publication: Publication, publisher: Publisher): boolean {
    const { buffer, subjectStart, subjectEnd, replyStart, replyEnd } = publication;
    const local = buffer.subarray(subjectStart, subjectEnd);
    const subject = this.#remoteSubject(local);
    if (subject === undefined) return false;
    const message = new Message();
    message.setSubject(subject, 0, subject.length);
    message.setBody(buffer, publication.headersStart, publication.payloadStart, publication.payloadEnd);
    const opened = openReply(this.#replies, buffer.subarray(replyStart, replyEnd), local, message);
    const headers = this.#crossing.requestHeaders(publication, publisher, { share: this.#share });
    const taken = this.#crossing.request(this.#exporter, message, headers, this.#publisher(publisher));
    if (!taken && opened !== undefined) this.#replies.close(opened);
    return taken;
  }

  /** A copy: this may be called again while the message is still on its way. */
  #remoteSubject(local: Buffer): Buffer | undefined {
    if (this.#toRemote === undefined) return local;
    const length = this.#toRemote.apply(local, 0, local.length);
    return length < 0 ? undefined : Buffer.from(this.#toRemote.output.subarray(0, length));
  }

  #publisher(origin: Publisher): ImportedPublisher {
    let publisher = this.#publishers.get(origin);
    if (publisher === undefined) {
      publisher = new ImportedPublisher(this.#exporter.name, origin, this.#replies);
      this.#publishers.set(origin, publisher);
    }
    return publisher;
  }
}

/** Gives `message` a reply that stands for `reply`, if there is one and it may not be named as it is. */
export function openReply(table: ReplyTable, reply: Buffer, subject: Buffer, message: Message): OpenReply | undefined {
  const isAck =
    reply.length > ACK_PREFIX.length && reply.compare(ACK_PREFIX, 0, ACK_PREFIX.length, 0, ACK_PREFIX.length) === 0;
  if (reply.length === 0 || isAck) {
    message.setReply(reply, 0, reply.length);
    return undefined;
  }
  const opened = table.open(reply, subject);
  const standIn = Buffer.from(table.prefix + opened.token, 'latin1');
  message.setReply(standIn, 0, standIn.length);
  return opened;
}
