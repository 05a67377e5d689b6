/** Owns `--signal command[=pid]`: finding the running server and sending it the signal that stands for the command. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

const SIGNALS: ReadonlyMap<string, NodeJS.Signals> = new Map([
  ['stop', 'SIGKILL'],
  ['quit', 'SIGINT'],
  ['term', 'SIGTERM'],
  ['reopen', 'SIGUSR1'],
  ['reload', 'SIGHUP'],
  ['ldm', 'SIGUSR2'],
]);

/** The world outside of this process; tests put theirs in. */
export interface ProcessTable {
  /** @throws with `code` ESRCH or EPERM */
  kill(pid: number, signal: NodeJS.Signals): void;
  /** Ids of the other processes that run this program. */
  find(program: string): readonly number[];
  /** @throws what the file system says */
  readFile(path: string): string;
}

/** Sends the signal; returns what went wrong, undefined if nothing did. */
export function runSignalCommand(argument: string, program: string, table: ProcessTable): string | undefined {
  const separator = argument.indexOf('=');
  const command = separator < 0 ? argument : argument.slice(0, separator);
  const where = separator < 0 ? '' : argument.slice(separator + 1);
  const pids = resolvePids(where, program, table);
  if (typeof pids === 'string') return pids;
  const signal = SIGNALS.get(command);
  if (signal === undefined) return `unknown signal "${command}"`;
  const failures: string[] = [];
  for (const pid of pids) {
    try {
      table.kill(pid, signal);
    } catch (error) {
      failures.push(`signal "${command}" ${pid}: ${reason(error)}`);
    }
  }
  return failures.length === 0 ? undefined : failures.join('\n');
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ESRCH') return 'no such process';
  return code === 'EPERM' ? 'operation not permitted' : message;
}

/** `where`: a number, a prefix of numbers with `*`, a file that holds a number, or nothing: the only running server. */
function resolvePids(where: string, program: string, table: ProcessTable): readonly number[] | string {
  if (/^\d+$/.test(where)) return [Number(where)];
  if (where !== '' && !/^\d*\*$/.test(where)) return readPidFile(where, table);
  const running = table.find(program).filter((pid) => String(pid).startsWith(where.replace('*', '')));
  if (running.length === 0) return `no ${program} processes running`;
  if (running.length > 1 && where === '') return `multiple ${program} processes running:\n${running.join('\n')}`;
  return running;
}

function readPidFile(path: string, table: ProcessTable): readonly number[] | string {
  let content: string;
  try {
    content = table.readFile(path).trim();
  } catch (error) {
    return `could not read the pid file "${path}": ${(error as Error).message}`;
  }
  // Zero and negative numbers would address whole process groups.
  return /^[1-9]\d*$/.test(content) ? [Number(content)] : `invalid pid: ${content.slice(0, 32)}`;
}

/** This machine's processes. */
export const systemProcesses: ProcessTable = {
  kill: (pid, signal) => {
    process.kill(pid, signal);
  },
  find: findProcesses,
  readFile: (path) => readFileSync(path, 'utf8'),
};

/** Looks for Node processes whose script has the program's name. Where there is no /proc, none are found. */
function findProcesses(program: string): readonly number[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return []; // not Linux: the caller has to name the process
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && runs(pid, program));
}

function runs(pid: number, program: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const isNode = basename(readlinkSync(`/proc/${pid}/exe`)).startsWith('node');
    // Options of Node may stand before the script.
    const script = isNode ? words.findIndex((word, i) => i > 0 && !word.startsWith('-')) : 0;
    // With a word after its name it is no server, but a command for people.
    return basename(words[script] ?? '') === program && !/^[^-]/.test(words[script + 1] ?? '');
  } catch {
    return false; // it ended meanwhile, or belongs to somebody else
  }
}
