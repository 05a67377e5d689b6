/** Runs three nodes on this machine until Ctrl-C. Their data stays in ./data and is found again by the next run. */
import { join } from 'node:path';
import { LocalCluster, MILLRACE, type NodePorts } from './local-cluster.ts';
import { takenPorts } from './ports.ts';

const NODES = 3;
const CLIENT_PORT = 4222;
const MONITORING_PORT = 8222;
const CLUSTER_PORT = 6222;
const READY_TIMEOUT_MS = 60_000;

const ports: NodePorts[] = Array.from({ length: NODES }, (_, index) => ({
  client: CLIENT_PORT + index,
  monitoring: MONITORING_PORT + index,
  cluster: CLUSTER_PORT + index,
}));

const taken = await takenPorts(ports.flatMap(({ client, monitoring, cluster }) => [client, monitoring, cluster]));
if (taken.length > 0) {
  console.error(`Can't start: something listens on port ${taken.join(', ')} already. Is another server running?`);
  process.exit(1);
}

const cluster = new LocalCluster({
  program: MILLRACE,
  dataDir: join(import.meta.dirname, '..', 'data'),
  ports,
  onLogLine: (node, line) => {
    console.log(`${node} | ${line}`);
  },
  onUnexpectedExit: (node, how) => {
    console.log(`${node} | ended: ${how}`);
    if (!cluster.nodes.some(({ running }) => running)) process.exit(1);
  },
});

let stopped: Promise<void> | undefined;
function stop(exitCode: number): void {
  // A second Ctrl-C, or the terminal's and npm's together, must not start over.
  stopped ??= cluster.stop().then(() => process.exit(exitCode));
}
process.on('SIGINT', () => {
  stop(0);
});
process.on('SIGTERM', () => {
  stop(0);
});

cluster.start();
if (await cluster.waitUntilHealthy(READY_TIMEOUT_MS)) {
  console.log(`
Three nodes are ready. Any NATS client works with them:
  servers     ${cluster.nodes.map((node) => node.clientUrl).join(', ')}
  monitoring  ${cluster.nodes.map((node) => node.monitoringUrl).join(', ')}
  metrics     ${cluster.nodes[0]!.monitoringUrl}/metrics

Try, with the nats command-line tool:
  nats stream add ORDERS --subjects 'orders.>' --replicas 3 --defaults
  nats pub orders.new hello
  nats stream info ORDERS
and end one of the nodes while you publish: kill -9 <pid>, the number in brackets at the start of its lines.

Ctrl-C ends all of them.
`);
} else {
  console.error('The cluster did not become ready.');
  stop(1);
}
