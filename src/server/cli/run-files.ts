/** Owns the files that tell others about a running server: its process id, and the ports it listens on. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The decimal process id without a line end. It stays behind at exit, as tools expect. @throws what the file system says */
export function writePidFile(path: string): void {
  writeFileSync(path, String(process.pid));
}

/** URLs by listener, as they can be connected to. */
export interface ListeningPorts {
  readonly nats?: readonly string[];
  readonly monitoring?: readonly string[];
  readonly cluster?: readonly string[];
}

/** Writes `<dir>/<program>_<pid>.ports`; the returned function removes it again. @throws what the file system says */
export function writePortsFile(directory: string, program: string, ports: ListeningPorts): () => void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${program}_${process.pid}.ports`);
  writeFileSync(path, JSON.stringify(ports));
  return () => {
    rmSync(path, { force: true });
  };
}
