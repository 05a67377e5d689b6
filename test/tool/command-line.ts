/**
 * Owns running commands against a real server: the one that TARGET=nats://host:port names, or our own. Those that end by
 * themselves run in this process, which takes no time to start; those that are interrupted are processes of their own.
 */
import { spawn } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before } from 'node:test';
import type { Surroundings } from '../../src/tool/context.ts';
import { runTool } from '../../src/tool/index.ts';
import { MILLRACE, startServers, type ServerOptions, type Servers } from '../harness/server-process.ts';

const TIMEOUT_MS = 60_000;
/** For each answer of the server, as a test machine may be busy: nothing waits for it to pass unless something is wrong. */
const PATIENCE = '30s';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** What comes from stdin. */
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export class CommandLine {
  /** Known once the server runs. */
  url: string;
  readonly #binary: string;

  constructor(url = '', binary = MILLRACE) {
    this.url = url;
    this.#binary = binary;
  }

  /** Resolves when it has ended, however; fails when it doesn't end. Nothing in it is a terminal. */
  async run(words: readonly string[], { input = '', env = {} }: RunOptions = {}): Promise<Outcome> {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    stdin.end(input);
    const printed = Promise.all([text(stdout), text(stderr)]);
    const surroundings = { stdin, stdout, stderr, env: this.#environment(env) } as unknown as Surroundings;
    const code = await bounded(runTool(words, surroundings), `millrace ${words.join(' ')}`);
    stdout.end();
    stderr.end();
    const [said, complained] = await printed;
    return { code, stdout: said, stderr: complained };
  }

  #environment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    const own = { NATS_URL: this.url, MILLRACE_URL: undefined, NATS_CONTEXT: undefined, NATS_TIMEOUT: PATIENCE };
    return { ...process.env, ...own, ...env };
  }

  /** Resolves with what it printed; fails unless it ended with 0. */
  async output(words: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(words, options);
    if (code !== 0) throw new Error(`millrace ${words.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  async json(words: readonly string[], options: RunOptions = {}): Promise<unknown> {
    return JSON.parse(await this.output([...words, '--json'], options));
  }

  /** Ctrl-C comes as soon as the command has begun, when there may be nothing to stop yet. */
  async interruptedAtOnce(words: readonly string[]): Promise<Outcome> {
    const begun = new Promise<() => void>((resolve) => {
      process.on('newListener', function hear(name: string, listener: () => void) {
        if (name !== 'SIGINT') return;
        process.off('newListener', hear);
        resolve(listener);
      });
    });
    const outcome = this.run(words);
    (await begun)();
    return outcome;
  }

  /** The real executable, for a while: `saying` resolves when it has said `sentence` on stderr. */
  start(words: readonly string[]): RunningCommand {
    // Not by a signal that it may end by as if it were Ctrl-C.
    const limit = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    const child = spawn(this.#binary, words, { env: this.#environment({}), ...limit });
    child.stdin.end();
    let said = '';
    const listeners = new Set<() => void>();
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      for (const listener of listeners) listener();
    });
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
    const ended = Promise.all([exit, text(child.stdout)]).then(([code, stdout]) => ({ code, stdout, stderr: said }));
    const saying = (sentence: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const listen = (): void => {
          if (said.includes(sentence)) resolve();
        };
        listeners.add(listen);
        listen();
        void exit.then((code) => {
          reject(new Error(`ended with ${code} before it said "${sentence}": ${said}`));
        });
      });
    return { ended, saying, interrupt: () => child.kill('SIGINT') };
  }
}

export interface RunningCommand {
  readonly ended: Promise<Outcome>;
  saying(sentence: string): Promise<void>;
  /** As Ctrl-C does. */
  interrupt(): void;
}

/** To be called once, outside of all tests: the server is started before them and ends after them. */
export function commandLine(options: Omit<ServerOptions, 'nodes'> & { readonly nodes?: number } = {}): CommandLine {
  const commands = new CommandLine();
  let servers: Servers | undefined;
  before(async () => {
    const target = process.env['TARGET'];
    if (target === undefined) servers = await startServers({ nodes: 1, ...options });
    commands.url = target ?? servers!.urls.join(',');
  });
  after(() => servers?.stop());
  return commands;
}

async function bounded<T>(work: Promise<T>, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${name} has not ended after ${TIMEOUT_MS} ms`));
    }, TIMEOUT_MS);
  });
  return await Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}

/** A name that no earlier run has left something under. */
export function uniqueName(stem: string): string {
  return `${stem}_${process.pid}_${Date.now().toString(36)}`;
}
