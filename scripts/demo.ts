/**
 * Shows what an acknowledgement is worth: three nodes, a replicated stream, a publisher, and kill -9 for the stream's
 * leader while it publishes. Then everything is read back and compared. Exits with 1 if an acknowledged message is lost
 * or one is there twice.
 *
 * `--server <path>` runs it against another executable with the same flags.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect, type JetStreamManager, type NatsConnection } from 'nats';
import { AcknowledgedPublisher, type PublishReport } from './acknowledged-publisher.ts';
import { LocalCluster, MILLRACE, type LocalNode } from './local-cluster.ts';
import { freePorts } from './ports.ts';
import { Progress } from './progress.ts';

const NODES = 3;
const MESSAGES = 200_000;
const STREAM = 'DEMO';
const SUBJECTS = 10;
/** Shares of the messages after which the leader of that moment is killed. */
const KILL_AT = [0.25, 0.6];
/** For so long a killed node stays away. */
const DOWN_MS = 2000;
const RETRY_MS = 100;
const READY_TIMEOUT_MS = 60_000;
const READ_TIMEOUT_MS = 60_000;
const READ_BATCH = 2000;

const { values } = parseArgs({ options: { server: { type: 'string', default: MILLRACE } } });

const dataDir = mkdtempSync(join(tmpdir(), 'millrace-demo-'));
const cluster = await createCluster(values.server, dataDir);
process.on('SIGINT', () => void cleanUp().then(() => process.exit(130)));
const exitCode = await demo().finally(cleanUp);
process.exit(exitCode);

async function cleanUp(): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  rmSync(dataDir, { recursive: true, force: true });
}

async function createCluster(program: string, directory: string): Promise<LocalCluster> {
  const free = await freePorts(3 * NODES);
  const ports = Array.from({ length: NODES }, (_, index) => ({
    client: free[3 * index]!,
    monitoring: free[3 * index + 1]!,
    cluster: free[3 * index + 2]!,
  }));
  return new LocalCluster({
    program,
    dataDir: directory,
    ports,
    onLogLine: (node, line) => {
      // That a killed node can't be reached is an error to the others, and no news here.
      if (line.includes('[FTL]')) console.error(`${node} | ${line}`);
    },
    onUnexpectedExit: (node, how) => {
      console.error(`${node} ended by itself: ${how}`);
    },
  });
}

async function demo(): Promise<number> {
  console.log(`Starting ${NODES} nodes ...`);
  cluster.start();
  if (!(await cluster.waitUntilHealthy(READY_TIMEOUT_MS))) {
    console.error('The cluster did not become ready.');
    return 1;
  }
  const connection = await connect({
    servers: cluster.nodes.map((node) => node.clientUrl),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  const manager = await connection.jetstreamManager();
  await manager.streams.add({
    name: STREAM,
    subjects: ['demo.*'],
    num_replicas: NODES,
    // Longer than the run, so that no message that is sent again can be taken for a new one.
    duplicate_window: 30 * 60 * 1e9,
  });
  const published = await publishAndKill(connection, manager);
  const seen = await readBack(connection, manager);
  await connection.close();
  return judge(published, seen);
}

interface Published {
  readonly report: PublishReport;
  /** 1 for each message that was acknowledged. */
  readonly acked: Uint8Array;
  /** How many leaders were killed meanwhile. */
  readonly killed: number;
}

async function publishAndKill(connection: NatsConnection, manager: JetStreamManager): Promise<Published> {
  const progress = new Progress('Publishing', MESSAGES);
  const killings: Promise<void>[] = [];
  const killAt = KILL_AT.map((share) => share * MESSAGES);
  const publisher = new AcknowledgedPublisher(connection.jetstream(), {
    count: MESSAGES,
    subject: (index) => `demo.${index % SUBJECTS}`,
    onProgress: (acknowledged) => {
      progress.update(acknowledged);
      if (acknowledged < (killAt[killings.length] ?? Number.POSITIVE_INFINITY)) return;
      killings.push(killLeader(manager, progress));
    },
  });
  const report = await publisher.run();
  await Promise.all(killings);
  progress.finish();
  return { report, acked: publisher.acked, killed: killings.length };
}

/** Ends the process that leads the stream now, and starts it again a little later. */
async function killLeader(manager: JetStreamManager, progress: Progress): Promise<void> {
  const leader = await findLeader(manager);
  await leader.kill();
  progress.note(`kill -9 ${leader.name}, the leader of the stream`);
  await delay(DOWN_MS);
  leader.start();
  progress.note(`${leader.name} started again`);
}

async function findLeader(manager: JetStreamManager): Promise<LocalNode> {
  for (;;) {
    try {
      const { cluster: placement } = await manager.streams.info(STREAM);
      const leader = cluster.nodes.find((node) => node.name === placement?.leader);
      if (leader !== undefined) return leader;
    } catch {
      // the request may have hit a node that is just being killed, or an election
    }
    await delay(RETRY_MS);
  }
}

/** How often each message is in the stream. */
async function readBack(connection: NatsConnection, manager: JetStreamManager): Promise<Uint8Array> {
  const { state } = await manager.streams.info(STREAM);
  const progress = new Progress('Reading back', state.messages);
  const seen = new Uint8Array(MESSAGES);
  const consumer = await connection.jetstream().consumers.get(STREAM);
  const messages = await consumer.consume({ max_messages: READ_BATCH });
  const giveUp = setTimeout(() => {
    messages.stop();
  }, READ_TIMEOUT_MS);
  let read = 0;
  for await (const message of messages) {
    const index = Number(message.string());
    seen[index] = (seen[index] ?? 0) + 1;
    read += 1;
    progress.update(read);
    if (message.info.pending === 0) break;
  }
  clearTimeout(giveUp);
  progress.finish();
  return seen;
}

function judge({ report, acked, killed }: Published, seen: Uint8Array): number {
  let read = 0;
  let lost = 0;
  let duplicated = 0;
  for (const [index, times] of seen.entries()) {
    read += times;
    if (times === 0 && acked[index] === 1) lost += 1;
    if (times > 1) duplicated += times - 1;
  }
  console.log(`
acknowledged   ${report.acknowledged} of ${MESSAGES} (${report.retries} sent again)
read           ${read}
lost           ${lost}
duplicated     ${duplicated}
longest pause  ${Math.round(report.longestPauseMs)} ms between two acknowledgements, ${killed} leaders killed`);
  const complete = report.acknowledged === MESSAGES;
  if (!complete) console.error('Not every message was acknowledged.');
  return complete && lost === 0 && duplicated === 0 ? 0 : 1;
}
