/** Owns the process: reads the command line, starts the server, and leads signals to it. The only entry point. */
import { parseCommandLine, writePidFile, type Command } from './cli/index.ts';
import { createLogger } from './log.ts';
import { Server } from './server.ts';
import { exitOnUncaught, installSignalHandlers } from './signals.ts';

async function run(command: Command & { readonly kind: 'run' }): Promise<void> {
  const { options, program, warnings } = command;
  const log = createLogger(options.log);
  exitOnUncaught(log.logger);
  for (const warning of warnings) log.logger.warn({}, warning);
  const exit = (code: number): never => {
    log.close();
    process.exit(code);
  };
  const server = new Server({
    options,
    program,
    log,
    fatal: (error) => {
      log.logger.fatal({ reason: error.message }, 'Storage failed, the server stops');
      exit(1);
    },
  });
  installSignalHandlers(
    {
      quit: (signal) => {
        if (signal === 'SIGTERM' && server.inLameDuck) return;
        void server.stop().then(() => exit(0));
      },
      reload: () => {
        server.reload(command.reload);
      },
      lameDuck: () => {
        void server.lameDuck().then(() => exit(0));
      },
      reopenLog: () => {
        log.reopen();
      },
    },
    log.logger,
  );
  try {
    if (options.pidFile !== undefined) writePidFile(options.pidFile);
    await server.start();
  } catch (error) {
    log.logger.fatal({}, describe(error));
    exit(1);
  }
}

/** With what caused it: the reason is often only there. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}

const command = parseCommandLine(process.argv, process.env);
if (command.kind === 'exit') {
  process.stdout.write(command.stdout);
  process.stderr.write(command.stderr);
  process.exitCode = command.code;
} else {
  await run(command);
}
