/** Owns how the configuration's tests read a text: no disk, a given environment. */
import { ConfigError, emptyOverrides, loadOptions, type LoadedOptions } from '../../src/server/config/index.ts';

export interface World {
  readonly env?: Record<string, string>;
  /** Contents by path; the text under test is `/etc/test.conf`. */
  readonly files?: Record<string, string>;
}

/** A cluster node up to where options of the `cluster` map may follow. */
export const CLUSTER = 'server_name: n1\njetstream: true\ncluster { name: c, port: 6222, routes: ["nats://h:1"]\n';

export function load(text: string, world: World = {}): LoadedOptions {
  const files: Record<string, string> = { '/etc/test.conf': text, ...world.files };
  return loadOptions({
    file: '/etc/test.conf',
    flags: emptyOverrides(),
    env: world.env ?? {},
    readFile: (path) => {
      const content = files[path];
      if (content === undefined) throw new Error(`no such file: ${path}`);
      return content;
    },
  });
}

/** The problems of a text that must have some, without the file's name in front. */
export function problemsOf(text: string, world: World = {}): string[] {
  try {
    load(text, world);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.replace('/etc/test.conf:', ''));
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}
