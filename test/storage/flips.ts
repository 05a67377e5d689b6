/**
 * Owns the question what one flipped bit in a data directory does: it must be noticed, or do no harm. A single replica
 * is the hard case, for nobody else can help it: the group is refused, or the damage reported, or all is as it was.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeId } from '../../src/base/brand.ts';
import { silentLogger, type Logger } from '../../src/base/logger.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import { createRaftHost, openNodeStorage, type GroupId, type LogIndex, type RaftHost } from '../../src/raft/index.ts';
import { CountingMachine, recordOf } from './counting-machine.ts';

const NODE = 'n1' as NodeId;
const GROUP = 7 as GroupId;
const MESSAGES = 24;
/** Stays in the log, while smaller ones are in its index. */
const LARGE_MESSAGE_BYTES = 5000;
/** Says nothing about what is stored. */
const HARMLESS_FILES = ['reserve', 'LOG', 'LOG.old', 'LOCK'];
/** Bytes of zero on either side of one that is taken for padding. */
const PADDING_REACH = 16;
const REPORTS = ['journal.gaps', 'group.damaged'];

export interface FlipOutcome {
  readonly file: string;
  readonly offset: number;
  /** `died`: LevelDB ended the process, as a supervisor would see. */
  readonly result: 'refused' | 'reported' | 'harmless' | 'died' | 'SILENT';
}

interface Opened {
  readonly host: RaftHost;
  readonly machine: CountingMachine;
  readonly reports: string[];
}

/**
 * Flips one bit at each of the chosen bytes in turn, each in a fresh copy. `choose`: true for those to be tried, of the
 * bytes of a file that say something.
 */
export async function flipBytes(choose: (file: string, offset: number) => boolean): Promise<FlipOutcome[]> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-flips-'));
  const judges = new Judges();
  try {
    const original = join(root, 'original');
    const expected = await makeDirectory(original);
    const outcomes: FlipOutcome[] = [];
    for (const file of await filesIn(original)) {
      const content = await readFile(join(original, file));
      let tried = 0;
      for (let offset = 0; offset < content.length; offset++) {
        if (isPadding(content, offset) || !choose(file, tried++)) continue;
        const copy = join(root, 'copy');
        await cp(original, copy, { recursive: true });
        const bytes = Buffer.from(content);
        bytes[offset]! ^= 1 << (offset % 8);
        await writeFile(join(copy, file), bytes);
        outcomes.push({ file, offset, result: await judges.judge(copy, expected) });
        await rm(copy, { recursive: true });
      }
    }
    return outcomes;
  } finally {
    judges.stop();
    await rm(root, { recursive: true });
  }
}

/** In the middle of zeros: between the records of a segment of the log, and behind the last of them. */
function isPadding(content: Buffer, offset: number): boolean {
  for (let at = offset - PADDING_REACH; at <= offset + PADDING_REACH; at++) if ((content[at] ?? 0) !== 0) return false;
  return true;
}

/** One process after the other, each as long as it lives. */
class Judges {
  #worker: ChildProcess | undefined;

  judge(directory: string, expected: readonly string[]): Promise<FlipOutcome['result']> {
    const worker = (this.#worker ??= fork(join(import.meta.dirname, 'flip-worker.ts'), { stdio: 'ignore' }));
    return new Promise((resolve) => {
      const died = (): void => {
        this.#worker = undefined;
        resolve('died');
      };
      worker.once('exit', died);
      worker.once('message', (result) => {
        worker.off('exit', died);
        resolve(result as FlipOutcome['result']);
      });
      worker.send({ directory, expected });
    });
  }

  stop(): void {
    this.#worker?.kill('SIGKILL');
  }
}

/** A stopped node with a checkpoint, a log behind it, and tables as well as LevelDB's own log. */
async function makeDirectory(directory: string): Promise<readonly string[]> {
  await mkdir(directory);
  let bodies: readonly string[] = [];
  for (const round of [1, 2]) {
    const { host, machine } = await open(directory, round === 1);
    for (let at = 0; at < MESSAGES / 2; at++) {
      const message = `message ${round}/${at}`.padEnd(at === 0 ? LARGE_MESSAGE_BYTES : 0, 'x');
      machine.group.propose(recordOf(message));
      await until(() => machine.bodies.includes(message));
    }
    bodies = machine.bodies;
    await host.shutdown({ transferLeaderships: false });
  }
  return bodies;
}

async function open(directory: string, bootstrap: boolean): Promise<Opened> {
  const reports: string[] = [];
  const report = (_fields: object, event: string): void => {
    reports.push(event);
  };
  const logger: Logger = { ...silentLogger, warn: report, error: report, child: () => logger };
  const runtime = new SystemRuntime();
  const storage = await openNodeStorage({ directory, node: NODE, clusterName: 'c', runtime, logger, bootstrap });
  const transport = { send: () => undefined, pendingBytes: () => 0 };
  const host = createRaftHost({ node: NODE, clusterName: 'c', runtime, transport, storage, logger });
  let machine: CountingMachine | undefined;
  try {
    await host.openGroup({
      id: GROUP,
      name: 'group',
      storage: 'file',
      bootstrap: { voters: [NODE], learners: [], firstLeader: NODE },
      machine: (group) => (machine = new CountingMachine(group)),
    });
  } catch (error) {
    await host.shutdown({ transferLeaderships: false });
    throw error;
  }
  const opened = { host, machine: machine!, reports };
  await until(() => opened.machine.status?.ready === true);
  return opened;
}

export async function judge(directory: string, expected: readonly string[]): Promise<FlipOutcome['result']> {
  let opened: Opened;
  try {
    opened = await open(directory, false);
  } catch {
    return 'refused';
  }
  const { host, machine, reports } = opened;
  try {
    if (reports.some((event) => REPORTS.includes(event))) return 'reported';
    if (machine.bodies.length !== expected.length || machine.bodies.some((body, at) => body !== expected[at])) {
      return 'SILENT';
    }
    // What is in the checkpoint is fine; the records themselves must be, too, or say that they are not.
    for (let index = 2; index <= MESSAGES / 2; index++) {
      try {
        const record = await machine.group.readRecord(index as LogIndex);
        if (!expected.some((body) => record.includes(body))) return 'SILENT';
      } catch {
        return 'reported';
      }
    }
    return 'harmless';
  } finally {
    await host.shutdown({ transferLeaderships: false });
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

async function filesIn(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile() && !HARMLESS_FILES.includes(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
