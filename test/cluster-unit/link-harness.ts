/** Owns what the tests of links share: nodes that only link up and write down what they hear, and bounded waiting. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeId } from '../../src/base/brand.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import { GrpcLinks } from '../../src/cluster/grpc-links.ts';
import type { Description } from '../../src/cluster/links.ts';
import type { LinkOptions } from '../../src/cluster/options.ts';

const WAIT_MS = 30_000;
const POLL_MS = 5;

/** Waits for `condition`; fails naming `what` when it doesn't come true. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `timed out: ${what}`);
    await sleep(POLL_MS);
  }
}

export const nodeId = (name: string): NodeId => name as NodeId;

export function describe(node: string, address: string, instance = `${node}-1`): Description {
  return {
    node: nodeId(node),
    instance,
    address,
    clientUrls: [],
    version: '0',
    jetstream: true,
    tags: [],
    metaId: '',
    expectedNodes: 0,
  };
}

export interface LinkedNode {
  readonly links: GrpcLinks;
  readonly address: string;
  /** `up n2`, `down n2`, and frames as `n2 5:text`. */
  readonly heard: string[];
  readonly introduced: Description[];
}

/** A node that listens on a free port. */
export async function startLinks(
  node: string,
  options: Partial<LinkOptions> & { readonly instance?: string; readonly refuse?: string } = {},
): Promise<LinkedNode> {
  const links = new GrpcLinks({
    node: nodeId(node),
    clusterName: 'test',
    listen: { host: '127.0.0.1', port: 0 },
    runtime: new SystemRuntime(),
    logger: silentLogger,
    ...options,
  });
  const heard: string[] = [];
  const introduced: Description[] = [];
  let self = describe(node, '', options.instance);
  const port = await links.start({
    describe: () => self,
    known: () => [self],
    admit: () => options.refuse,
    introduced: (peer) => {
      introduced.push(peer);
      if (peer.node !== node) links.connect(peer.node, peer.address);
    },
    up: (peer) => heard.push(`up ${peer}`),
    down: (peer) => heard.push(`down ${peer}`),
    // Kind 99 stands for a frame that no honest peer sends.
    frame: (from, kind, body) => heard.push(`${from} ${kind}:${body.toString()}`) > 0 && kind !== 99,
  });
  self = { ...self, address: `127.0.0.1:${port}` };
  return { links, address: self.address, heard, introduced };
}
