/** Owns what a command works with: its output, its connection when it asks for one, and the person at the terminal. */
import { createInterface } from 'node:readline/promises';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import {
  Api,
  connectionSettings,
  type CommonOptions,
  type ConnectionSettings,
  type Environment,
} from './connection/index.ts';
import { ToolError } from './failure.ts';
import { Output, Progress, styleFor, type ProgressOptions } from './output/index.ts';

/** The process's streams and environment. */
export interface Surroundings {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Environment;
}

/** Calls `stop` with Ctrl-C: now, if that came already while the command was getting ready. */
export function onInterruption(signal: AbortSignal, stop: () => void): void {
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop);
}

export class Context {
  readonly output: Output;
  /** Those that every command takes, as given. */
  readonly options: CommonOptions;
  readonly surroundings: Surroundings;
  /** True when the server complained out of turn: the command then fails, whatever it printed. */
  complained = false;
  /** True after Ctrl-C in a command that would have ended by itself. */
  brokenOff = false;
  readonly #interruption = new AbortController();
  #connection: Promise<NatsConnection> | undefined;
  #progress: Progress | undefined;
  #endsByInterruption = false;
  #settings: ConnectionSettings | undefined;

  constructor(options: CommonOptions, surroundings: Surroundings) {
    const { stdout, env } = surroundings;
    this.surroundings = surroundings;
    this.options = options;
    this.output = new Output({
      json: options.json,
      style: styleFor(stdout.isTTY, env),
      destination: stdout,
      beforeWrite: () => {
        this.#progress?.hide();
      },
    });
  }

  /** What the options come to. @throws {UsageError | ToolError} */
  get settings(): ConnectionSettings {
    this.#settings ??= connectionSettings(this.options, this.surroundings.env);
    return this.#settings;
  }

  /** One connection, made when first asked for. @throws {ToolError} */
  connect({ lasting }: { readonly lasting: boolean } = { lasting: false }): Promise<NatsConnection> {
    this.#connection ??= this.openAnother(lasting);
    return this.#connection;
  }

  /** A connection besides, which the caller closes. */
  async openAnother(lasting: boolean): Promise<NatsConnection> {
    const { openConnection } = await import('./connection/connect.ts');
    const complain = (problem: string): void => {
      this.complained ||= !problem.includes('connected');
      this.note(problem);
    };
    return openConnection(this.settings, { lasting, complain });
  }

  async api(): Promise<Api> {
    const { apiPrefix, timeoutMs } = this.settings;
    return new Api(await this.connect(), { prefix: apiPrefix, timeoutMs });
  }

  async jetstream(connection?: NatsConnection): Promise<JetStreamClient> {
    const { jetstream } = await import('@nats-io/jetstream');
    const { apiPrefix, timeoutMs } = this.settings;
    return jetstream(connection ?? (await this.connect()), { apiPrefix, timeout: timeoutMs });
  }

  async manager(): Promise<JetStreamManager> {
    return (await this.jetstream()).jetstreamManager(false);
  }

  /** For people, beside the results. */
  note(line: string): void {
    this.#progress?.hide();
    this.surroundings.stderr.write(`${line}\n`);
  }

  progress(options: Omit<ProgressOptions, 'destination'>): Progress {
    this.#progress = new Progress({ ...options, destination: this.surroundings.stderr });
    return this.#progress;
  }

  /** Asks before something that can't be undone. @throws {ToolError} when the answer is no, or nobody is there to ask. */
  async confirm(question: string, force: boolean): Promise<void> {
    if (force) return;
    if (!this.#canAsk()) throw new ToolError('not done without --force, as there is no terminal to ask on');
    const answer = await this.ask(`${question} [y/N] `);
    if (answer === undefined || !/^y(es)?$/i.test(answer)) throw new ToolError('not done');
  }

  #canAsk(): boolean {
    const { stdin, stderr } = this.surroundings;
    return stdin.isTTY && stderr.isTTY;
  }

  /** Undefined where there is no terminal to ask on, and when somebody ends the input there. */
  async ask(question: string): Promise<string | undefined> {
    if (!this.#canAsk()) return undefined;
    const { stdin, stderr } = this.surroundings;
    const reader = createInterface({ input: stdin, output: stderr });
    // While it reads, Ctrl-C comes to it as a letter.
    reader.on('SIGINT', () => {
      this.interrupt();
      reader.close();
    });
    const ended = new Promise<undefined>((resolve) => {
      reader.on('close', () => {
        resolve(undefined);
      });
    });
    const answer = await Promise.race([reader.question(question), ended]);
    reader.close();
    return answer?.trim();
  }

  /**
   * For commands that go on until Ctrl-C, which is then their ordinary end. Others are broken off by it. It may come before
   * there is anything to stop, so what stops is told to `onInterruption`.
   */
  untilInterrupted(): AbortSignal {
    this.#endsByInterruption = true;
    return this.#interruption.signal;
  }

  /** Of a command that is not to go on until Ctrl-C, what is under way fails with its connections. */
  interrupt(): void {
    this.#interruption.abort();
    if (this.#endsByInterruption) return;
    this.brokenOff = true;
    void this.close();
  }

  async close(): Promise<void> {
    this.#progress?.end();
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }
}
