/** Owns the process's signals, and its last words when something was thrown that nobody caught. */
import type { ServerLogger } from './log.ts';

export interface SignalActions {
  /** SIGINT ends the server always, SIGTERM not while it is in lame duck mode: it is ending already. */
  quit(signal: 'SIGINT' | 'SIGTERM'): void;
  reload(): void;
  lameDuck(): void;
  reopenLog(): void;
}

/** The names that the reference server logs. */
const DESCRIPTIONS = {
  SIGINT: 'interrupt',
  SIGTERM: 'terminated',
  SIGHUP: 'hangup',
  SIGUSR1: 'user defined signal 1',
  SIGUSR2: 'user defined signal 2',
} as const;

type Handled = keyof typeof DESCRIPTIONS;

/** Returns a function that takes the handlers off again. */
export function installSignalHandlers(actions: SignalActions, logger: ServerLogger): () => void {
  const handlers: Readonly<Record<Handled, () => void>> = {
    SIGINT: () => {
      actions.quit('SIGINT');
    },
    SIGTERM: () => {
      actions.quit('SIGTERM');
    },
    SIGHUP: () => {
      actions.reload();
    },
    // Node would start its inspector on this one; a handler of ours replaces that.
    SIGUSR1: () => {
      actions.reopenLog();
    },
    SIGUSR2: () => {
      actions.lameDuck();
    },
  };
  const trap = (signal: NodeJS.Signals): void => {
    logger.info({}, `Trapped "${DESCRIPTIONS[signal as Handled]}" signal`);
    handlers[signal as Handled]();
  };
  const names = Object.keys(handlers) as Handled[];
  for (const name of names) process.on(name, trap);
  return () => {
    for (const name of names) process.off(name, trap);
  };
}

/**
 * A bug of ours: the state is unknown, so the process says why and ends; Raft recovers what it held. Returns a function
 * that takes the handlers off again.
 */
export function exitOnUncaught(logger: ServerLogger): () => void {
  const uncaught = (error: unknown): void => {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    logger.fatal({ stack }, 'Uncaught failure');
    process.exit(1);
  };
  process.on('uncaughtException', uncaught);
  process.on('unhandledRejection', uncaught);
  return () => {
    process.off('uncaughtException', uncaught);
    process.off('unhandledRejection', uncaught);
  };
}
