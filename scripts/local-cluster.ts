/** Owns a cluster of server processes on this machine: starting them, watching them, and stopping them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const HOST = '127.0.0.1';
const CLUSTER_NAME = 'local';
const POLL_MS = 250;
/** Then a node that was asked to end is ended. */
const STOP_TIMEOUT_MS = 15_000;

export const MILLRACE = join(import.meta.dirname, '..', 'bin', 'millrace');

export interface NodePorts {
  readonly client: number;
  readonly monitoring: number;
  readonly cluster: number;
}

export interface LocalClusterOptions {
  /** The server's executable; any that knows the same flags. */
  readonly program: string;
  readonly dataDir: string;
  /** One per node. */
  readonly ports: readonly NodePorts[];
  readonly onLogLine: (node: string, line: string) => void;
  /** A node ended that nobody asked to. */
  readonly onUnexpectedExit: (node: string, how: string) => void;
}

export class LocalNode {
  readonly name: string;
  readonly ports: NodePorts;
  readonly #options: LocalClusterOptions;
  #process: ChildProcess | undefined;
  #endExpected = false;

  constructor(name: string, ports: NodePorts, options: LocalClusterOptions) {
    this.name = name;
    this.ports = ports;
    this.#options = options;
  }

  get clientUrl(): string {
    return `nats://${HOST}:${this.ports.client}`;
  }

  get monitoringUrl(): string {
    return `http://${HOST}:${this.ports.monitoring}`;
  }

  start(): void {
    const { program, dataDir, ports, onLogLine, onUnexpectedExit } = this.#options;
    const routes = ports.map(({ cluster }) => `nats://${HOST}:${cluster}`).join(',');
    const flags = [
      ...['-n', this.name, '-a', HOST, '-p', String(this.ports.client), '-m', String(this.ports.monitoring)],
      ...['-js', '-sd', join(dataDir, this.name)],
      ...['--cluster_name', CLUSTER_NAME, '--cluster', `nats://${HOST}:${this.ports.cluster}`, '--routes', routes],
    ];
    this.#endExpected = false;
    const child = spawn(program, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    createInterface({ input: child.stderr }).on('line', (line) => {
      onLogLine(this.name, line);
    });
    const ended = (how: string): void => {
      if (this.#process === child) this.#process = undefined;
      if (!this.#endExpected) onUnexpectedExit(this.name, how);
    };
    child.on('error', (error) => {
      ended(error.message);
    });
    child.on('exit', (code, signal) => {
      ended(signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`);
    });
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** As if the machine had lost its power: the process gets no chance to finish anything. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Orderly; by force if that takes too long. */
  async stop(): Promise<void> {
    const force = setTimeout(() => this.#process?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#end('SIGTERM');
    clearTimeout(force);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#endExpected = true;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** All that is assigned to the node is up to date, as far as it knows. */
  async healthy(): Promise<boolean> {
    try {
      const response = await fetch(`${this.monitoringUrl}/healthz`);
      return response.ok;
    } catch {
      return false; // not listening (yet)
    }
  }
}

export class LocalCluster {
  readonly nodes: readonly LocalNode[];

  constructor(options: LocalClusterOptions) {
    this.nodes = options.ports.map((ports, index) => new LocalNode(`n${index + 1}`, ports, options));
  }

  start(): void {
    for (const node of this.nodes) node.start();
  }

  /** False: not within the time given, or a node ended. */
  async waitUntilHealthy(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline && this.nodes.every((node) => node.running)) {
      const healthy = await Promise.all(this.nodes.map((node) => node.healthy()));
      if (healthy.every(Boolean)) return true;
      await delay(POLL_MS);
    }
    return false;
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}
