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

export class Context {
  readonly output: Output;
  readonly settings: ConnectionSettings;
  readonly surroundings: Surroundings;
  /** True when the server complained out of turn: the command then fails, whatever it printed. */
  complained = false;
  readonly #interruption = new AbortController();
  #connection: Promise<NatsConnection> | undefined;

  constructor(options: CommonOptions, surroundings: Surroundings) {
    const { stdout, env } = surroundings;
    this.surroundings = surroundings;
    this.settings = connectionSettings(options, env);
    this.output = new Output({ json: options.json, style: styleFor(stdout.isTTY, env), destination: stdout });
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
    this.surroundings.stderr.write(`${line}\n`);
  }

  progress(options: Omit<ProgressOptions, 'destination'>): Progress {
    return new Progress({ ...options, destination: this.surroundings.stderr });
  }

  /** Asks before something that can't be undone. @throws {ToolError} when the answer is no, or nobody is there to ask. */
  async confirm(question: string, force: boolean): Promise<void> {
    if (force) return;
    const { stdin, stderr } = this.surroundings;
    if (!stdin.isTTY || !stderr.isTTY)
      throw new ToolError('not done without --force, as there is no terminal to ask on');
    const reader = createInterface({ input: stdin, output: stderr });
    const answer = await reader.question(`${question} [y/N] `);
    reader.close();
    if (!/^y(es)?$/i.test(answer.trim())) throw new ToolError('not done');
  }

  /** For commands that go on until Ctrl-C, which is then their ordinary end. */
  untilInterrupted(): AbortSignal {
    const interrupt = (): void => {
      this.#interruption.abort();
    };
    process.once('SIGINT', interrupt);
    process.once('SIGTERM', interrupt);
    return this.#interruption.signal;
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }
}
