/** Owns a server process under test: started from the sources, watched by its log, always ended. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'server', 'main.ts');
const LINE_TIMEOUT_MS = 60_000;

export class WatchedProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  #stderr = '';
  #stdout = '';
  #onOutput: () => void = () => undefined;

  constructor(flags: readonly string[], cwd: string) {
    this.#child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, ...flags], { cwd });
    this.#exited = once(this.#child, 'close');
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#onOutput();
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    void this.#exited.then(() => {
      this.#onOutput();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** Waits until the log holds `text`; rejects if the process ends or time is up before. */
  async logged(text: string): Promise<void> {
    const deadline = AbortSignal.timeout(LINE_TIMEOUT_MS);
    while (!this.#stderr.includes(text)) {
      const ended = this.#child.exitCode !== null || this.#child.signalCode !== null;
      if (ended || deadline.aborted) throw new Error(`"${text}" was not logged; the log is:\n${this.#stderr}`);
      await new Promise<void>((resolve) => {
        this.#onOutput = resolve;
        deadline.addEventListener('abort', () => {
          resolve();
        });
      });
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The exit code; a signal's name if one ended it. */
  async exit(): Promise<number | string> {
    const [code, signal] = (await this.#exited) as [number | null, string | null];
    return code ?? signal ?? 'neither code nor signal';
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

/** Runs `body` with a directory of its own, and a function that starts servers in it. */
export async function withProcesses(
  body: (start: (...flags: string[]) => WatchedProcess, directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-process-'));
  const started: WatchedProcess[] = [];
  try {
    await body((...flags) => {
      const server = new WatchedProcess(['-a', '127.0.0.1', ...flags], directory);
      started.push(server);
      return server;
    }, directory);
  } finally {
    await Promise.all(started.map((server) => server.end()));
    rmSync(directory, { recursive: true, force: true });
  }
}
