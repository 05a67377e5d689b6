/** Owns the level of the JetStream API that this server speaks, and what requests may ask of it (streams.md 1.6). */

export const API_LEVEL = 5;

/** Whether the value of `Nats-Required-Api-Level` asks for no more than this server has. An empty one asks for nothing. */
export function isSupportedLevel(level: string): boolean {
  return level === '' || (/^[+-]?[0-9]{1,18}$/.test(level) && Number(level) <= API_LEVEL);
}
