/**
 * Owns the choice of ports for nodes under test, on loopback. They stay free while a node is down between two starts: they
 * lie below the range from which the system takes ports for outgoing connections, and no other test is given them.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

const LOOPBACK = '127.0.0.1';
const FIRST_BLOCK = 10_240;
const BLOCKS = 351;
/** The first port of a block is held open as long as this process lives: whoever holds it owns the others. */
const BLOCK_PORTS = 64;

const unused: number[] = [];

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    if (unused.length === 0) await claimBlock();
    const port = unused.shift()!;
    const server = await listen(port);
    if (server === undefined) continue;
    server.close();
    await once(server, 'close');
    ports.push(port);
  }
  return ports;
}

async function claimBlock(): Promise<void> {
  const start = Math.floor(Math.random() * BLOCKS);
  for (let i = 0; i < BLOCKS; i++) {
    const first = FIRST_BLOCK + ((start + i) % BLOCKS) * BLOCK_PORTS;
    const claim = await listen(first);
    if (claim === undefined) continue;
    claim.unref();
    for (let port = first + 1; port < first + BLOCK_PORTS; port++) unused.push(port);
    return;
  }
  throw new Error('all ports for tests are taken');
}

/** Undefined: somebody else listens there. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen(port, LOOPBACK, () => {
      resolve(server);
    });
  });
}
