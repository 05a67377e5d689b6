/**
 * Owns servers that run as real processes for a test or a benchmark: one node or a cluster, ours or the reference server,
 * which take the same configuration file. Each has its own temporary directory and free ports, and ends with its owner.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { openSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { waitFor } from './wait-for.ts';

/** Another build can be measured and tested by naming its executable. */
export const MILLRACE = process.env['MILLRACE'] ?? join(import.meta.dirname, '..', '..', 'bin', 'millrace');
const STOP_PATIENCE_MS = 20_000;

export interface ServerOptions {
  readonly nodes: number;
  /** Path of the executable; ours by default. */
  readonly binary?: string;
  /** Further lines for the `jetstream` block, e.g. `sync_interval: always`. */
  readonly jetstream?: string;
  /** Further lines at top level. */
  readonly config?: string;
  /** Further environment of the processes. */
  readonly env?: NodeJS.ProcessEnv;
  /** Where they store their data, if not beside their logs. */
  readonly storeRoot?: string;
}

/** One node: where it listens, and the process while it runs. */
export class ServerProcess {
  readonly name: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly directory: string;
  readonly #binary: string;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;

  constructor(options: {
    readonly name: string;
    readonly port: number;
    readonly monitorPort: number;
    readonly directory: string;
    readonly binary: string;
    readonly env: NodeJS.ProcessEnv;
  }) {
    this.name = options.name;
    this.port = options.port;
    this.monitorPort = options.monitorPort;
    this.directory = options.directory;
    this.#binary = options.binary;
    this.#env = options.env;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get logFile(): string {
    return join(this.directory, `${this.name}.log`);
  }

  start(): void {
    const log = openSync(this.logFile, 'a');
    const configFile = join(this.directory, `${this.name}.conf`);
    this.#child = spawn(this.#binary, ['-c', configFile], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.#env },
    });
    closeSync(log);
  }

  /** Resolves once it answers `/healthz` with 200. */
  async ready(): Promise<void> {
    try {
      await waitFor(`${this.name} being healthy`, async () => {
        if (this.#child?.exitCode != null) throw new Error(`exited with ${this.#child.exitCode}`);
        const response = await fetch(`http://127.0.0.1:${this.monitorPort}/healthz`);
        await response.arrayBuffer();
        return response.status === 200;
      });
    } catch (error) {
      throw new Error(`${this.name} did not become ready; its log:\n${await this.log()}`, { cause: error });
    }
  }

  async log(): Promise<string> {
    return readFile(this.logFile, 'utf8').catch(() => '');
  }

  /** Resident memory in bytes, from the kernel. */
  async residentBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  /** Processor time used so far, in seconds. */
  async cpuSeconds(): Promise<number> {
    const stat = await readFile(`/proc/${this.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Sends `signal` and resolves with the exit code (null: ended by the signal) once the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    const lastResort = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
    const [code] = await gone;
    clearTimeout(lastResort);
    return code;
  }
}

/** Servers that belong together, and their directory. */
export class Servers {
  readonly nodes: readonly ServerProcess[];
  readonly directory: string;

  constructor(nodes: readonly ServerProcess[], directory: string) {
    this.nodes = nodes;
    this.directory = directory;
  }

  get first(): ServerProcess {
    return this.nodes[0]!;
  }

  get urls(): string[] {
    return this.nodes.map((node) => node.url);
  }

  byName(name: string): ServerProcess {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`no node is called ${name}`);
    return node;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill(signal)));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Starts the nodes and resolves once all of them are healthy. */
export async function startServers(options: ServerOptions): Promise<Servers> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-'));
  const ports = await freePorts(options.nodes * 3);
  const routes = ports.filter((_, i) => i % 3 === 2).map((port) => `nats://127.0.0.1:${port}`);
  const nodes: ServerProcess[] = [];
  for (let i = 0; i < options.nodes; i++) {
    const name = `n${i + 1}`;
    const [port, monitorPort, clusterPort] = ports.slice(i * 3) as [number, number, number];
    const cluster =
      options.nodes === 1
        ? ''
        : `cluster { name: bench, listen: "127.0.0.1:${clusterPort}", routes: [${routes.map((r) => `"${r}"`).join(', ')}] }`;
    const config = [
      `server_name: ${name}`,
      `listen: "127.0.0.1:${port}"`,
      `http: "127.0.0.1:${monitorPort}"`,
      `jetstream { store_dir: "${join(options.storeRoot ?? directory, name)}"\n${options.jetstream ?? ''}\n}`,
      cluster,
      options.config ?? '',
    ];
    await writeFile(join(directory, `${name}.conf`), config.join('\n'));
    const binary = options.binary ?? MILLRACE;
    nodes.push(new ServerProcess({ name, port, monitorPort, directory, binary, env: options.env ?? {} }));
  }
  const servers = new Servers(nodes, directory);
  try {
    for (const node of nodes) node.start();
    await Promise.all(nodes.map((node) => node.ready()));
  } catch (error) {
    await servers.stop('SIGKILL');
    throw error;
  }
  return servers;
}
