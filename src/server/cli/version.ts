/** Owns the two versions: our own, and that of the reference server whose protocol and tools we are compatible with. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Clients gate their features on it. */
export const COMPATIBLE_VERSION = '2.15.1';
/** Tools that start the reference server under its own name check the version that it prints. */
const REFERENCE_PROGRAM = 'nats-server';

interface PackageFile {
  readonly version: string;
}

/** The package's own version. The file is at the same distance from the sources and from the build. */
export function ownVersion(): string {
  const path = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as PackageFile).version;
}

/** The name that the program was started under; a link called `nats-server` makes it a stand-in for that. */
export function programName(path: string | undefined): string {
  const name = basename(path ?? 'millrace');
  return name.startsWith('main.') ? 'millrace' : name;
}

export function versionLine(program: string): string {
  if (program === REFERENCE_PROGRAM) return `${REFERENCE_PROGRAM}: v${COMPATIBLE_VERSION}`;
  return `millrace: v${ownVersion()} (compatible with ${REFERENCE_PROGRAM} v${COMPATIBLE_VERSION})`;
}
