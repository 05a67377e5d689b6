/** Owns a server of ours in a process of its own, with a store in a directory that goes away with it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '../..');
const ENTRY = join(ROOT, 'src/server/main.ts');
const START_TIMEOUT_MS = 20_000;
const POLL_MS = 25;

export class OwnServer {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(process: ChildProcess, options: { readonly directory: string; readonly port: number }) {
    this.#process = process;
    this.#directory = options.directory;
    this.url = `nats://127.0.0.1:${options.port}`;
  }

  static isAvailable(): boolean {
    return existsSync(ENTRY);
  }

  static async start(): Promise<OwnServer> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-conformance-'));
    const port = await freePort();
    const flags = ['-js', '-sd', directory, '-a', '127.0.0.1', '-p', String(port)];
    const child = spawn(process.execPath, ['--import', 'tsx', ENTRY, ...flags], { cwd: ROOT, stdio: 'ignore' });
    const server = new OwnServer(child, { directory, port });
    try {
      await server.#accepting(port);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGTERM');
      await exited;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #accepting(port: number): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await accepts(port))) {
      if (this.#process.exitCode !== null) throw new Error(`the server ended with ${this.#process.exitCode}`);
      if (performance.now() > deadline) throw new Error(`no server on port ${port} after ${START_TIMEOUT_MS} ms`);
      await delay(POLL_MS);
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
