/**
 * Owns one client connection: its transport, what is read from and written to it, and its end.
 *
 * Nothing here knows the kind of transport: a TCP socket, a TLS or WebSocket stream, or a pipe in a test.
 */
import type { Duplex } from 'node:stream';
import type { TimestampUs } from '../base/brand.ts';
import type { ConnectionContext } from './connection-context.ts';
import { ConnectionLiveness } from './connection-liveness.ts';
import { ConnectionReadGate } from './connection-read-gate.ts';
import type { ConnectionReport, SubscriptionReport } from './connection-report.ts';
import { ClientSession } from './connection-session.ts';
import { type CloseReason, ERR, formatInfo, type Message, ProtocolParser, ProtocolWriter } from './protocol/index.ts';
import type { Publisher } from './router-types.ts';
import type { Flushable, Subscriber, Subscription } from './router/index.ts';

/** Gathered output above this is written at once rather than at the end of the turn. */
const FLUSH_BYTES = 256 * 1024;
/** From which part of its bound on a receiver counts as about to be overrun, and its publishers are stalled. */
const STALL_SHARE = 0.75;
/** From which part of its bound on a client that does not read what we answer is not read itself. */
const HOLD_SHARE = 0.5;
/** What a closing client gets to read its last line and close its side. */
const LINGER_MS = 500;

export interface ConnectionOrigin {
  readonly connectionId: number;
  readonly host: string;
  readonly port: number;
}

export class ClientConnection implements Subscriber, Publisher, Flushable {
  readonly connectionId: number;
  readonly host: string;
  readonly liveness: ConnectionLiveness;
  readonly nonce: string | undefined;
  readonly #port: number;
  readonly #context: ConnectionContext;
  readonly #transport: Duplex;
  readonly #parser: ProtocolParser;
  readonly #writer: ProtocolWriter;
  readonly #session: ClientSession;
  readonly #gate: ConnectionReadGate;
  readonly #startUs: TimestampUs;
  readonly #acceptedMs: number;
  #lastActivityUs: TimestampUs;
  #stopUs: TimestampUs | undefined;
  #closeReason: CloseReason | undefined;
  #flushPending = false;

  constructor(transport: Duplex, origin: ConnectionOrigin, context: ConnectionContext) {
    const { runtime, limits } = context;
    this.connectionId = origin.connectionId;
    this.host = origin.host;
    this.#port = origin.port;
    this.#context = context;
    this.#transport = transport;
    this.nonce = context.authenticator.challenge();
    this.liveness = new ConnectionLiveness(runtime, limits);
    this.#session = new ClientSession(this, context);
    this.#parser = new ProtocolParser(this.#session, {
      maxControlLine: limits.maxControlLine,
      terms: this.#session.parserTerms,
    });
    this.#writer = new ProtocolWriter(transport, { pool: context.pool, nowMs: () => runtime.monotonicMs() });
    this.#gate = new ConnectionReadGate({
      runtime,
      transport,
      parser: this.#parser,
      writer: this.#writer,
      parseOn: () => {
        this.#parse(undefined);
      },
    });
    this.#startUs = runtime.wallUs();
    this.#lastActivityUs = this.#startUs;
    this.#acceptedMs = runtime.monotonicMs();
  }

  /** Greets the client and begins to read. */
  open(): void {
    this.#context.router.attach(this);
    this.sendInfo();
    this.flush();
    this.#transport.on('data', (chunk: Buffer) => {
      this.#parse(chunk);
    });
    this.#transport.on('end', () => {
      this.close('Client Closed');
    });
    this.#transport.on('close', () => {
      this.close('Client Closed');
      this.#context.onGone();
    });
    this.#transport.on('error', (error: NodeJS.ErrnoException) => {
      this.close(error.syscall?.startsWith('write') === true ? 'Write Error' : 'Read Error');
      this.#transport.destroy();
    });
  }

  get account(): string {
    return this.#session.identity.account;
  }

  get echo(): boolean {
    return this.#session.options.echo;
  }

  get wantsNoResponders(): boolean {
    return this.#session.options.noResponders;
  }

  get pendingBytes(): number {
    return this.#writer.pendingBytes;
  }

  get closed(): boolean {
    return this.#closeReason !== undefined;
  }

  get takesInfo(): boolean {
    return this.#session.takesInfo && !this.closed;
  }

  get description(): Publisher['description'] {
    const { name, lang, version } = this.#session.options;
    const { user } = this.#session.identity;
    const { roundTripMs } = this.liveness;
    return { name, user, host: this.host, lang, version, startUs: this.#startUs, roundTripMs };
  }

  deliver(subscription: Subscription, message: Message, publisher: Publisher | undefined): boolean {
    if (subscription.closed || this.#closeReason !== undefined) return false;
    const { permissions } = this.#session.identity;
    if (permissions !== undefined && !this.#mayReceive(message)) return false;
    const { traffic } = this.#session;
    traffic.outMessages++;
    traffic.outBytes += this.#writer.message(subscription.sidBytes, message, this.#session.options.headers);
    subscription.delivered++;
    if (subscription.delivered === subscription.max) this.#session.subscriptions.remove(subscription);
    this.#gathered();
    const pending = this.#writer.pendingBytes;
    const { maxPending } = this.#context.limits;
    if (pending > maxPending * STALL_SHARE) publisher?.stall?.();
    if (publisher === undefined && pending > maxPending * HOLD_SHARE) this.#gate.holdUntilDrained();
    if (pending > maxPending) this.#closeSlowConsumer('Slow Consumer (Pending Bytes)');
    return true;
  }

  pause(): void {
    this.#gate.pause();
  }

  resume(): void {
    this.#gate.resume();
  }

  stall(): void {
    if (this.#gate.stall()) this.#context.statistics.stalledClients++;
  }

  sendInfo(): void {
    const { identity } = this.#session;
    const known = this.#session.greeted;
    this.#writer.bytes(
      formatInfo(this.#context.serverInfo(), {
        clientId: this.connectionId,
        clientIp: this.host,
        maxPayload: this.#session.maxPayload,
        authRequired: this.#context.authenticator.advertised,
        nonce: this.nonce,
        account: known ? { name: identity.account, isSystem: identity.isSystemAccount } : undefined,
      }),
    );
    this.#gathered();
  }

  sendError(text: string): void {
    this.#send(`-ERR '${text}'\r\n`);
  }

  sendOk(): void {
    this.#send('+OK\r\n');
  }

  sendPong(): void {
    this.#send('PONG\r\n');
  }

  /** CONNECT was accepted, or limits changed: the parser lets other things pass now. */
  termsChanged(): void {
    this.#parser.setTerms(this.#session.parserTerms);
  }

  flush(): void {
    this.#flushPending = false;
    this.#writer.flush();
  }

  /** What time alone brings about: PINGs, and the end of those who do not answer, read or authenticate. */
  tick(nowMs: number): void {
    const { limits } = this.#context;
    if (this.closed) return;
    if (this.#writer.stalledMs(nowMs) >= limits.writeDeadlineMs) {
      this.#closeSlowConsumer('Slow Consumer (Write Deadline)');
      return;
    }
    const unknown = this.#context.authenticator.anonymous === undefined && !this.#session.connected;
    if (unknown && nowMs - this.#acceptedMs >= limits.authTimeoutMs) {
      this.close('Authentication Timeout', ERR.authenticationTimeout);
      return;
    }
    switch (this.liveness.check(nowMs, this.#session.greeted)) {
      case 'none':
        return;
      case 'ping':
        this.#send('PING\r\n');
        return;
      case 'stale':
        this.#context.statistics.staleConnections++;
        this.close('Stale Connection', ERR.staleConnection);
    }
  }

  /**
   * Ends the connection: at once for everybody else, and for the client as soon as it has read what is pending, `error`
   * last. Further calls do nothing.
   */
  close(reason: CloseReason, error?: string): void {
    if (this.closed) return;
    this.#end(reason);
    if (error !== undefined) this.#writer.line(`-ERR '${error}'\r\n`);
    const transport = this.#transport;
    // What the client still sends is read and thrown away: closing with unread input would reset the connection, and the
    // client would lose the error that we send.
    this.#gate.open();
    this.#writer.whenDrained(() => transport.end());
    this.#writer.flush();
    const linger = this.#context.runtime.after(LINGER_MS, () => transport.destroy());
    transport.once('close', () => {
      linger.cancel();
    });
  }

  /** Ends the connection without a word, dropping what is pending. */
  kick(reason: CloseReason = 'Kicked'): void {
    if (this.closed) return;
    this.#end(reason);
    this.#writer.discard();
    this.#transport.destroy();
  }

  report(): ConnectionReport {
    const { traffic, options, identity, subscriptions } = this.#session;
    return {
      ...traffic,
      connectionId: this.connectionId,
      ip: this.host,
      port: this.#port,
      startUs: this.#startUs,
      lastActivityUs: this.#lastActivityUs,
      stopUs: this.#stopUs,
      reason: this.#closeReason,
      roundTripMs: this.liveness.roundTripMs,
      pendingBytes: this.pendingBytes,
      stalls: this.#gate.stalls,
      subscriptionCount: subscriptions.count,
      name: options.name,
      lang: options.lang,
      version: options.version,
      account: identity.account,
      user: identity.user,
    };
  }

  subscriptionReports(): SubscriptionReport[] {
    return Array.from(this.#session.subscriptions.all(), ({ subject, queue, sid, delivered, max }) => {
      return { subject, queue, sid, delivered, max };
    });
  }

  /** Parses a chunk that arrived, or goes on with what was held back. */
  #parse(chunk: Buffer | undefined): void {
    const before = this.#session.operations;
    if (chunk === undefined) {
      this.#parser.resume();
    } else {
      this.#gate.chunkArrived();
      this.#parser.feed(chunk);
    }
    if (this.#session.operations === before) return;
    this.#lastActivityUs = this.#context.runtime.wallUs();
    this.liveness.active(this.#context.runtime.monotonicMs());
  }

  #send(line: string): void {
    if (this.closed) return;
    this.#writer.line(line);
    this.#gathered();
  }

  #gathered(): void {
    if (this.#writer.gatheredBytes > FLUSH_BYTES) this.#writer.flush();
    if (this.#flushPending) return;
    this.#flushPending = true;
    this.#context.turnEnd.add(this);
  }

  #mayReceive(message: Message): boolean {
    const { permissions } = this.#session.identity;
    const { subjectBuffer, subjectStart, subjectEnd, replyBuffer, replyStart, replyEnd } = message;
    const denied = permissions?.mayReceive?.(subjectBuffer.toString('latin1', subjectStart, subjectEnd)) === false;
    if (!denied && replyEnd > replyStart)
      permissions?.noteReply?.(replyBuffer.toString('latin1', replyStart, replyEnd));
    return !denied;
  }

  #closeSlowConsumer(reason: CloseReason): void {
    this.#context.statistics.slowConsumers++;
    this.kick(reason);
  }

  /** Takes the connection out of everything, so that nothing more reaches it. */
  #end(reason: CloseReason): void {
    this.#closeReason = reason;
    this.#stopUs = this.#context.runtime.wallUs();
    this.#parser.stop();
    this.#context.onClosed(this);
    this.#session.subscriptions.removeAll();
    this.#context.router.detach(this);
  }
}
