/**
 * Owns the scripts' language: commands above `----`, what they made happen below, blocks divided by blank lines.
 *
 *     cluster nodes=3 [voters=2] [firstLeader=n1]   begins
 *     timeout n1 ..        the election timeout of each passes
 *     heartbeat n1 ..      the heartbeat timer of each fires
 *     propose n1 a b ..    two entries
 *     read n1 7            asks for a linearizable read under context 7
 *     change n1 voters=n1,n2 [learners=n3]
 *     transfer n1 [to=n2]
 *     hibernate n1 .. | wake n1 .. | crash n1 .. | restart n1 ..
 *     lose n1 keep=3       n1 loses its hard state, and its log behind entry 3
 *     write n1 ..          the oldest write of each reaches its disk
 *     deliver [kind] [to=n2] [from=n1]   all such messages that are under way now
 *     drop [kind] [to=n2] [from=n1]
 *     run                  until nothing is left to do
 *     advance 100          milliseconds
 */
import assert from 'node:assert/strict';
import type { PeerMessage } from '../../src/raft/messages.ts';
import { CoreCluster } from './core-cluster.ts';

export interface Block {
  readonly commands: string;
  readonly expected: string;
}

/** Commands up to `----`, then events up to a blank line. */
export function parseScript(text: string): Block[] {
  return text
    .split(/\n\n+/)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [commands = '', expected = ''] = part.split(/^----$/m);
      return { commands: commands.trim(), expected: expected.trim() };
    });
}

export function formatScript(blocks: readonly Block[]): string {
  return blocks.map(({ commands, expected }) => `${commands}\n----\n${expected}`.trim()).join('\n\n') + '\n';
}

/** Runs all blocks and returns them with what really happened. */
export function runScript(blocks: readonly Block[]): Block[] {
  const script = new ScriptRun();
  return blocks.map(({ commands }) => {
    for (const line of commands.split('\n')) if (!line.startsWith('#')) script.command(line);
    return { commands, expected: script.takeEvents().join('\n') };
  });
}

class ScriptRun {
  #cluster: CoreCluster | undefined;
  #events: string[] = [];
  #reads = 0;

  takeEvents(): string[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  command(line: string): void {
    const [name = '', ...words] = line.trim().split(/\s+/);
    const options = new Map<string, string>();
    const args: string[] = [];
    for (const word of words) {
      const at = word.indexOf('=');
      if (at < 0) args.push(word);
      else options.set(word.slice(0, at), word.slice(at + 1));
    }
    if (name === 'cluster') {
      this.#begin(options);
      return;
    }
    assert.ok(this.#cluster !== undefined, 'a script begins with "cluster"');
    this.#act(this.#cluster, name, args, options);
    this.#reportReads(this.#cluster);
  }

  #begin(options: ReadonlyMap<string, string>): void {
    const nodes = Number(options.get('nodes'));
    const firstLeader = options.get('firstLeader');
    this.#cluster = new CoreCluster({
      nodes,
      voters: Number(options.get('voters') ?? nodes),
      ...(firstLeader !== undefined && { firstLeader }),
      onEvent: (event) => {
        this.#events.push(event);
      },
    });
    for (const node of this.#cluster.nodes.values()) node.drain();
  }

  #act(cluster: CoreCluster, name: string, args: string[], options: ReadonlyMap<string, string>): void {
    const [id = '', ...values] = args;
    const list = (option: string) => options.get(option)?.split(',') ?? [];
    switch (name) {
      case 'timeout':
        for (const each of args) cluster.timeout(each);
        return;
      case 'heartbeat':
        for (const each of args) cluster.step(each, { kind: 'heartbeatTimeout' });
        return;
      case 'propose':
        cluster.propose(id, ...values);
        return;
      case 'read':
        cluster.read(id, Number(values[0]));
        return;
      case 'change':
        cluster.changeMembership(id, list('voters'), list('learners'));
        return;
      case 'transfer':
        cluster.transfer(id, options.get('to'));
        return;
      case 'hibernate':
      case 'wake':
        for (const each of args) cluster.step(each, { kind: name });
        return;
      case 'crash':
        for (const each of args) cluster.crash(each);
        return;
      case 'restart':
        for (const each of args) cluster.restart(each);
        return;
      case 'lose':
        cluster.loseDisk(id, Number(options.get('keep')));
        return;
      case 'write':
        for (const each of args) cluster.write(each);
        return;
      case 'deliver':
        this.#deliver(cluster, matcher(id, options));
        return;
      case 'drop':
        cluster.drop(matcher(id, options));
        return;
      case 'run':
        cluster.run();
        return;
      case 'advance':
        cluster.advance(Number(id));
        return;
      default:
        assert.fail(`unknown command ${name}`);
    }
  }

  /** Those under way now, not what they call forth. */
  #deliver(cluster: CoreCluster, matches: (message: PeerMessage) => boolean): void {
    for (const message of cluster.network.filter(matches)) cluster.deliver((each) => each === message);
  }

  #reportReads(cluster: CoreCluster): void {
    for (const { node, context, index } of cluster.reads.slice(this.#reads)) {
      this.#events.push(`${node} read ${context} at=${index}`);
    }
    this.#reads = cluster.reads.length;
  }
}

function matcher(kind: string, options: ReadonlyMap<string, string>): (message: PeerMessage) => boolean {
  const to = options.get('to');
  const from = options.get('from');
  return (message) =>
    (kind === '' || message.kind === kind) &&
    (to === undefined || message.to === to) &&
    (from === undefined || message.from === from);
}
