/** Owns what a client's operations do: CONNECT and its options, publishing, subscribing, and every refusal. */
import type { AuthenticationOutcome, Identity } from './connection-auth.ts';
import type { ConnectionContext } from './connection-context.ts';
import type { TrafficCounters } from './connection-report.ts';
import { ConnectionSubscriptions } from './connection-subscriptions.ts';
import type { ClientConnection } from './connection.ts';
import {
  classifySubject,
  type CloseReason,
  type ConnectOptions,
  DEFAULT_OPTIONS,
  ERR,
  isServerReply,
  isServerSubject,
  type Message,
  type OperationHandler,
  type ParseFailure,
  type ParserTerms,
  parseConnectOptions,
  publishViolation,
  replyViolation,
  subscriptionViolation,
} from './protocol/index.ts';
import type { AccountSubjects, MatchResult } from './router/index.ts';

/** A queue name that the reference server keeps for itself. */
const RESERVED_QUEUE = '_sys_';

const FAILURES: Record<ParseFailure, { readonly error: string | undefined; readonly reason: CloseReason }> = {
  unknownOperation: { error: ERR.unknownOperation, reason: 'Parse Error' },
  malformed: { error: undefined, reason: 'Protocol Violation' },
  controlLineTooLong: { error: ERR.maxControlLine, reason: 'Maximum Control Line Exceeded' },
  payloadTooLarge: { error: ERR.maxPayload, reason: 'Maximum Message Payload Exceeded' },
  connectRequired: { error: ERR.authorization, reason: 'Authentication Failure' },
  clientError: { error: undefined, reason: 'Client Closed' },
};

/** Not in any account: stands in until a client that must authenticate has done so. */
const NOBODY: Identity = { account: '', isSystemAccount: false, user: '' };

export class ClientSession implements OperationHandler {
  readonly traffic: TrafficCounters = { inMessages: 0, inBytes: 0, outMessages: 0, outBytes: 0 };
  /** Operations that show that the client is alive and at work. */
  operations = 0;
  readonly subscriptions: ConnectionSubscriptions;
  readonly #context: ConnectionContext;
  readonly #connection: ClientConnection;
  #options: ConnectOptions = DEFAULT_OPTIONS;
  #connected = false;
  #greeted = false;
  #identity: Identity;
  #account: AccountSubjects;
  /** Of the subject published to last: whether it may be, whether it is well formed, and who gets it. */
  #subjectRefused = false;
  #subjectLiteral = true;
  #match: MatchResult | undefined;

  constructor(connection: ClientConnection, context: ConnectionContext) {
    this.#connection = connection;
    this.#context = context;
    this.#identity = context.authenticator.anonymous ?? NOBODY;
    this.#account = this.#identity === NOBODY ? context.router.nobody : context.router.account(this.#identity.account);
    this.subscriptions = new ConnectionSubscriptions(connection, this.#account);
  }

  get options(): ConnectOptions {
    return this.#options;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** CONNECT was accepted. */
  get connected(): boolean {
    return this.#connected;
  }

  /** The client has had its first PONG: from then on it takes anything at any time. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** Whether the client can make sense of an INFO now. */
  get takesInfo(): boolean {
    return this.#greeted && this.#connected && this.#options.protocol >= 1;
  }

  get maxPayload(): number {
    return Math.min(this.#context.limits.maxPayload, this.#identity.maxPayload ?? Number.POSITIVE_INFINITY);
  }

  get parserTerms(): ParserTerms {
    return {
      maxPayload: this.maxPayload,
      headersAllowed: this.#options.headers,
      connectRequired: this.#identity === NOBODY,
    };
  }

  onPublish(message: Message, sameSubject: boolean): void {
    this.operations++;
    this.traffic.inMessages++;
    this.traffic.inBytes += message.payloadEnd - message.headersStart;
    if (!sameSubject) this.#inspectSubject(message);
    const hasReply = message.replyEnd > message.replyStart;
    if (this.#subjectRefused || (hasReply && isServerReply(message.buffer, message.replyStart, message.replyEnd))) {
      this.#refusePublish(message);
      return;
    }
    if (this.#options.pedantic && !this.#subjectLiteral) this.#connection.sendError(ERR.invalidPublishSubject);
    if (this.#options.verbose) this.#connection.sendOk();
    let match = this.#match;
    if (match === undefined || !this.#account.isCurrent(match)) {
      match = this.#account.match(message.buffer, message.subjectStart, message.subjectEnd);
      this.#match = match;
    }
    const taken = this.#context.router.route(this.#account, match, message, this.#connection);
    if (!taken && hasReply && this.#options.noResponders) this.#sendNoResponders(message);
  }

  onSubscribe(subject: string, queue: string | undefined, sid: string): void {
    this.operations++;
    const { permissions } = this.#identity;
    if (queue === RESERVED_QUEUE || permissions?.maySubscribe(subject, queue) === false) {
      this.#connection.sendError(subscriptionViolation(subject, queue));
      return;
    }
    if (!this.subscriptions.has(sid)) {
      if (this.#atSubscriptionLimit()) {
        this.#connection.sendError(ERR.maxSubscriptions);
        return;
      }
      if (classifySubject(subject) === 'invalid') {
        this.#connection.sendError(ERR.invalidSubject);
        return;
      }
      this.subscriptions.add({ subject, queue, sid });
    }
    if (this.#options.verbose) this.#connection.sendOk();
  }

  onUnsubscribe(sid: string, max: number): void {
    this.operations++;
    this.subscriptions.limit(sid, max);
    if (this.#options.verbose) this.#connection.sendOk();
  }

  onPing(): void {
    this.operations++;
    this.#connection.sendPong();
    if (this.#greeted) return;
    this.#greeted = true;
    if (this.takesInfo) this.#connection.sendInfo();
  }

  onPong(): void {
    this.#connection.liveness.pong(this.#context.runtime.monotonicMs());
  }

  onConnect(json: Buffer): boolean {
    this.operations++;
    const options = parseConnectOptions(json);
    if (options === undefined) return false;
    if (options.protocol !== 0 && options.protocol !== 1) {
      this.#connection.close('Bad Client Protocol Version', ERR.invalidClientProtocol);
    } else if (options.noResponders && !options.headers) {
      this.#connection.close('No Responders Requires Headers', ERR.noRespondersNeedsHeaders);
    } else if (options.credentials.account !== '') {
      this.#connection.close('Authentication Failure', ERR.authorization);
    } else {
      this.#authenticate(options);
    }
    return true;
  }

  onFailure(failure: ParseFailure): void {
    const { error, reason } = FAILURES[failure];
    this.#connection.close(reason, error);
  }

  #authenticate(options: ConnectOptions): void {
    const state = { settled: false, waiting: false };
    const attempt = { options, nonce: this.#connection.nonce, host: this.#connection.host };
    this.#context.authenticator.authenticate(attempt, (outcome) => {
      if (state.settled) return;
      state.settled = true;
      if (!this.#connection.closed) this.#settle(options, outcome);
      if (state.waiting) this.#connection.resume();
    });
    if (state.settled) return;
    state.waiting = true;
    this.#connection.pause();
  }

  #settle(options: ConnectOptions, outcome: AuthenticationOutcome): void {
    if (outcome.kind === 'refused') {
      this.#connection.close(outcome.reason, outcome.error);
      return;
    }
    this.#options = options;
    this.#identity = outcome.identity;
    this.#account = this.#context.router.account(outcome.identity.account);
    // A second CONNECT may lead to another account: nothing of the first may remain.
    this.subscriptions.moveTo(this.#account);
    this.#match = undefined;
    this.#connected = true;
    this.#connection.termsChanged();
    this.#connection.liveness.connected();
    if (options.verbose) this.#connection.sendOk();
  }

  /** What can be said about a subject once for all messages that follow one another on it. */
  #inspectSubject({ buffer, subjectStart, subjectEnd }: Message): void {
    this.#match = undefined;
    const { permissions } = this.#identity;
    this.#subjectRefused =
      (!this.#identity.isSystemAccount && isServerSubject(buffer, subjectStart, subjectEnd)) ||
      permissions?.mayPublish(buffer.toString('latin1', subjectStart, subjectEnd)) === false;
    this.#subjectLiteral =
      !this.#options.pedantic || classifySubject(buffer.toString('latin1', subjectStart, subjectEnd)) === 'literal';
  }

  #refusePublish({ buffer, subjectStart, subjectEnd, replyStart, replyEnd }: Message): void {
    this.#connection.sendError(
      this.#subjectRefused
        ? publishViolation(buffer.toString('latin1', subjectStart, subjectEnd))
        : replyViolation(buffer.toString('latin1', replyStart, replyEnd)),
    );
  }

  #sendNoResponders({ buffer, subjectStart, subjectEnd, replyStart, replyEnd }: Message): void {
    const subject = buffer.toString('latin1', subjectStart, subjectEnd);
    this.#context.router.noResponders(this.#connection, subject, buffer.toString('latin1', replyStart, replyEnd));
  }

  #atSubscriptionLimit(): boolean {
    const limit = this.#identity.maxSubscriptions ?? this.#context.limits.maxSubscriptions;
    return limit > 0 && this.subscriptions.count >= limit;
  }
}
