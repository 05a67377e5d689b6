/** Owns the list of commands. Each group is loaded when it is used. */
import type { Command, Group } from './command.ts';

export interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command | Group>;
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  pub: { summary: 'Publish messages', load: async () => (await import('./messages/index.ts')).PUB },
  sub: { summary: 'Print messages as they arrive', load: async () => (await import('./messages/index.ts')).SUB },
  req: { summary: 'Send a request and print the answers', load: async () => (await import('./messages/index.ts')).REQ },
  reply: { summary: 'Answer requests', load: async () => (await import('./messages/index.ts')).REPLY },
  stream: {
    summary: 'Streams: create, look into, change, back up',
    load: async () => (await import('./streams/index.ts')).STREAM,
  },
  consumer: { summary: 'Consumers of streams', load: async () => (await import('./consumers/index.ts')).CONSUMER },
  kv: { summary: 'Key-value buckets', load: async () => (await import('./buckets/index.ts')).KV },
  object: { summary: 'Object store: files in buckets', load: async () => (await import('./objects/index.ts')).OBJECT },
  account: {
    summary: 'What the account uses, and its limits',
    load: async () => (await import('./servers/index.ts')).ACCOUNT,
  },
  server: {
    summary: 'The server: who it is, how far, how well',
    load: async () => (await import('./servers/index.ts')).SERVER,
  },
  context: {
    summary: 'Settings of connections, kept under names',
    load: async () => (await import('./contexts/index.ts')).CONTEXT,
  },
  bench: { summary: 'Measure how fast it is', load: async () => (await import('./bench/index.ts')).BENCH },
};

/** Other words for commands. */
export const ALIASES: Readonly<Record<string, string>> = {
  publish: 'pub',
  subscribe: 'sub',
  request: 'req',
  streams: 'stream',
  str: 'stream',
  consumers: 'consumer',
  con: 'consumer',
  obj: 'object',
  objects: 'object',
  ctx: 'context',
};
