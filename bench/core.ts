/**
 * Starts a server that only passes messages on, for load generators to be pointed at: `tsx bench/core.ts [port]`.
 * See bench/README.md for how to read the numbers.
 */
import { SystemRuntime } from '../src/base/runtime.ts';
import { silentLogger } from '../src/base/logger.ts';
import { createFrontEnd } from '../src/server/front-end.ts';

const frontEnd = createFrontEnd({
  runtime: new SystemRuntime(),
  logger: silentLogger,
  port: Number(process.argv[2] ?? 4222),
  serverInfo: (port) => ({
    serverId: 'NBENCH',
    serverName: 'bench',
    version: '2.11.0',
    runtimeVersion: process.version,
    host: '127.0.0.1',
    port,
    jetstream: false,
    xkey: '',
    apiLevel: 0,
    connectUrls: [],
    lameDuck: false,
  }),
});
await frontEnd.listen();
console.log(`listening on ${frontEnd.port}`);
process.once('SIGTERM', () => {
  void frontEnd.close().then(() => process.exit(0));
});
