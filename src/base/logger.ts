/** Owns the shape of our logs: pino's, cut down to what a component may use. */

type Fields = Record<string, unknown>;

/** One line per change of state, none per message. `event` is a fixed name; what varies goes into `fields`. */
export interface Logger {
  debug(fields: Fields, event: string): void;
  info(fields: Fields, event: string): void;
  warn(fields: Fields, event: string): void;
  error(fields: Fields, event: string): void;
  child(fields: Fields): Logger;
}

const nothing = (): void => undefined;

/** For tests and tools that do not care. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
};
