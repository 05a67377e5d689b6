/**
 * Owns a client of the bare protocol: it sends what a scenario says, byte for byte, and gathers what comes back. A stock
 * client would repair or hide what conformance is about.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface Reply {
  /** The header block as text; empty if there was none. */
  readonly headers: string;
  readonly payload: string;
  /** The payload as it came. */
  readonly bytes: Buffer;
  readonly subject: string;
  /** Where it wants an answer; empty if nowhere. */
  readonly replyTo: string;
}

/** What comes to a subscription, gathered until it is closed. */
export interface Subscription {
  readonly received: Reply[];
  /** Lets the server end it after so many messages. */
  endAfter(messages: number): void;
  close(): void;
}

interface Waiter {
  readonly replies: Reply[];
  readonly isComplete: (replies: readonly Reply[]) => boolean;
  readonly finish: () => void;
}

const CRLF = '\r\n';
/** Long, because a test machine may be busy: nobody waits for it to pass. */
const ANSWER_TIMEOUT_MS = 30_000;

export class RawClient {
  readonly #socket: Socket;
  readonly #inbox = `_INBOX.conf.${process.pid}.${Math.floor(performance.now() * 1000)}`;
  readonly #waiters = new Map<string, Waiter>();
  readonly #open = new Set<() => void>();
  #received: Buffer = Buffer.alloc(0);
  #nextSid = 1;
  #onPong: (() => void) | undefined;
  #clustered = false;

  /** `options` go into CONNECT, with user and password from the URL. */
  static async connect(url: string, options: object = {}): Promise<RawClient> {
    const { hostname, port, username, password } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    const client = new RawClient(socket);
    const ready = client.#pong();
    const credentials = username === '' ? {} : { user: username, pass: password };
    const plain = { verbose: false, pedantic: false, headers: true, no_responders: true };
    socket.write(`CONNECT ${JSON.stringify({ ...plain, ...credentials, ...options })}${CRLF}`);
    socket.write(`PING${CRLF}`);
    await ready;
    return client;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#parse();
    });
    // A broken connection shows as replies that never come, which every scenario bounds.
    socket.on('error', () => undefined);
  }

  /** What the server says of itself. */
  get clustered(): boolean {
    return this.#clustered;
  }

  /**
   * Sends a request and gathers replies until `isComplete`, or `timeoutMs` are over: silence is an answer, too.
   * By default the first reply completes it.
   */
  request(
    subject: string,
    body: string | Buffer = '',
    options: {
      readonly headers?: string | undefined;
      readonly timeoutMs?: number;
      readonly isComplete?: (replies: readonly Reply[]) => boolean;
    } = {},
  ): Promise<readonly Reply[]> {
    // A subscription for each request: stored messages come under their own subject, so only its id tells whose they are.
    const sid = String(this.#nextSid++);
    const reply = `${this.#inbox}.${sid}`;
    const { timeoutMs = ANSWER_TIMEOUT_MS, isComplete = (replies: readonly Reply[]) => replies.length > 0 } = options;
    return new Promise((resolve) => {
      const replies: Reply[] = [];
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(sid);
        this.#socket.write(`UNSUB ${sid}${CRLF}`);
        resolve(replies);
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#waiters.set(sid, { replies, isComplete, finish });
      this.#socket.write(`SUB ${reply} ${sid}${CRLF}`);
      this.#publish(subject, reply, body, options.headers);
    });
  }

  subscribe(subject: string, queue?: string): Subscription {
    const sid = String(this.#nextSid++);
    const received: Reply[] = [];
    this.#waiters.set(sid, { replies: received, isComplete: () => false, finish: () => undefined });
    this.#socket.write(`SUB ${subject} ${queue === undefined ? '' : `${queue} `}${sid}${CRLF}`);
    const close = (): void => {
      if (this.#waiters.delete(sid)) this.#socket.write(`UNSUB ${sid}${CRLF}`);
    };
    this.#open.add(close);
    return {
      received,
      endAfter: (messages) => this.#socket.write(`UNSUB ${sid} ${messages}${CRLF}`),
      close,
    };
  }

  /** Ends every subscription that was not closed. */
  closeSubscriptions(): void {
    for (const close of this.#open) close();
    this.#open.clear();
  }

  publish(
    subject: string,
    body: string | Buffer = '',
    options: { readonly reply?: string; readonly headers?: string } = {},
  ): void {
    this.#publish(subject, options.reply ?? '', body, options.headers);
  }

  /** Resolves when the server has read everything sent so far. */
  async flush(): Promise<void> {
    const pong = this.#pong();
    this.#socket.write(`PING${CRLF}`);
    await pong;
  }

  close(): void {
    this.#socket.destroy();
  }

  #publish(subject: string, reply: string, body: string | Buffer, headers: string | undefined): void {
    const target = reply === '' ? subject : `${subject} ${reply}`;
    const payload = Buffer.from(body);
    const block = headers === undefined ? '' : `NATS/1.0${CRLF}${headers}${CRLF}${CRLF}`;
    const bytes = Buffer.byteLength(block);
    const line =
      headers === undefined ? `PUB ${target} ${payload.length}` : `HPUB ${target} ${bytes} ${bytes + payload.length}`;
    this.#socket.write(Buffer.concat([Buffer.from(`${line}${CRLF}${block}`), payload, Buffer.from(CRLF)]));
  }

  #pong(): Promise<void> {
    return new Promise((resolve) => {
      this.#onPong = resolve;
    });
  }

  #parse(): void {
    for (;;) {
      const lineEnd = this.#received.indexOf(CRLF);
      if (lineEnd < 0) return;
      const line = this.#received.toString('utf8', 0, lineEnd);
      const [verb, ...args] = line.split(' ');
      if (verb === 'MSG' || verb === 'HMSG') {
        const total = Number(args.at(-1));
        const start = lineEnd + CRLF.length;
        if (this.#received.length < start + total + CRLF.length) return;
        const headersBytes = verb === 'HMSG' ? Number(args.at(-2)) : 0;
        const content = this.#received.subarray(start, start + total);
        this.#received = this.#received.subarray(start + total + CRLF.length);
        // MSG <subject> <sid> [reply] <bytes>, HMSG with one number more.
        const replyTo = args.length > (verb === 'HMSG' ? 4 : 3) ? args[2]! : '';
        this.#take({ subject: args[0]!, sid: args[1]!, replyTo, content, headersBytes });
        continue;
      }
      this.#received = this.#received.subarray(lineEnd + CRLF.length);
      if (verb === 'INFO') this.#clustered = 'cluster' in (JSON.parse(line.slice('INFO '.length)) as object);
      if (verb === 'PING') this.#socket.write(`PONG${CRLF}`);
      if (verb === 'PONG') this.#onPong?.();
    }
  }

  #take(message: {
    readonly subject: string;
    readonly sid: string;
    readonly replyTo: string;
    readonly content: Buffer;
    readonly headersBytes: number;
  }): void {
    const waiter = this.#waiters.get(message.sid);
    if (waiter === undefined) return;
    const { subject, replyTo, content, headersBytes } = message;
    const headers = content.toString('utf8', 0, headersBytes);
    const bytes = Buffer.from(content.subarray(headersBytes));
    waiter.replies.push({ subject, replyTo, headers, bytes, payload: bytes.toString('utf8') });
    if (waiter.isComplete(waiter.replies)) waiter.finish();
  }
}
