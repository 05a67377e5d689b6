/** Owns the server's log: pino underneath, readable lines out of it, and what a signal or a reload changes about it. */
import { performance } from 'node:perf_hooks';
import { pino, type Logger as PinoLogger } from 'pino';
import type { Logger } from '../base/logger.ts';
import type { LogOptions } from './config/index.ts';
import { LogFile, stderrSink, type LogSink } from './log-file.ts';
import { EVENT_KEY, formatLine, LEVEL_KEY, TIME_KEY, type LineFormat } from './log-line.ts';

type Fields = Record<string, unknown>;

/** What the composition root may log beside what every component may. */
export interface ServerLogger extends Logger {
  trace(fields: Fields, event: string): void;
  /** The last words before the process ends. */
  fatal(fields: Fields, event: string): void;
  child(fields: Fields): ServerLogger;
}

export interface ServerLog {
  readonly logger: ServerLogger;
  /** After the file was moved away. Says in the log what came of it; the old file stays open if there can't be a new one. */
  reopen(): void;
  /** Takes over what a reload changed; the old file stays open if the new one can't be. @throws what the file system says */
  configure(options: LogOptions): void;
  close(): void;
}

export function createLogger(options: LogOptions): ServerLog {
  let sink = openSink(options);
  let file = options.file;
  let format = lineFormat(options, sink);
  const write = (json: string): void => {
    sink.write(formatLine(JSON.parse(json) as Fields, format));
  };
  const root = createPino(options, write);
  const logger = adapt(root);
  return {
    logger,
    reopen: () => {
      reopen(sink, logger);
    },
    configure: (changed) => {
      if (changed.file !== file) {
        const opened = openSink(changed);
        sink.close();
        sink = opened;
        file = changed.file;
      }
      format = lineFormat(changed, sink);
      root.level = levelOf(changed);
    },
    close: () => {
      sink.close();
    },
  };
}

function reopen(sink: LogSink, logger: ServerLogger): void {
  try {
    if (sink.reopen()) logger.info({}, 'File log re-opened');
    else logger.info({}, 'File log re-open ignored, not a file logger');
  } catch (error) {
    logger.error({ error }, 'File log re-open failed');
  }
}

function openSink(options: LogOptions): LogSink {
  return options.file === undefined ? stderrSink() : new LogFile(options.file, options);
}

function lineFormat(options: LogOptions, sink: LogSink): LineFormat {
  return { pid: process.pid, time: options.time, timeUtc: options.timeUtc, colored: sink.colored };
}

function levelOf(options: LogOptions): 'trace' | 'debug' | 'info' {
  if (options.trace) return 'trace';
  return options.debug ? 'debug' : 'info';
}

function createPino(options: LogOptions, write: (json: string) => void): PinoLogger {
  return pino(
    {
      level: levelOf(options),
      base: null,
      messageKey: EVENT_KEY,
      timestamp: () => `,"${TIME_KEY}":${Math.floor((performance.timeOrigin + performance.now()) * 1000)}`,
      formatters: { level: (label) => ({ [LEVEL_KEY]: label }), log: describeErrors },
    },
    { write },
  );
}

/** An error's message says what happened; its stack is for bugs, and those end the process with it. */
function describeErrors(fields: Fields): Fields {
  const described: Fields = {};
  for (const [key, value] of Object.entries(fields)) described[key] = value instanceof Error ? value.message : value;
  return described;
}

/** Children inherit their level when they are made; they must follow a reload, so only the root has one. */
function adapt(root: PinoLogger, bindings: Fields = {}): ServerLogger {
  const bind = (fields: Fields): Fields => ({ ...bindings, ...fields });
  return {
    trace: (fields, event) => {
      if (root.isLevelEnabled('trace')) root.trace(bind(fields), event);
    },
    debug: (fields, event) => {
      if (root.isLevelEnabled('debug')) root.debug(bind(fields), event);
    },
    info: (fields, event) => {
      root.info(bind(fields), event);
    },
    warn: (fields, event) => {
      root.warn(bind(fields), event);
    },
    error: (fields, event) => {
      root.error(bind(fields), event);
    },
    fatal: (fields, event) => {
      root.fatal(bind(fields), event);
    },
    child: (fields) => adapt(root, bind(fields)),
  };
}
