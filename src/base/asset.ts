/** Owns what streams and consumers have in common as named things: which names they may have, and their metadata. */

/** Longest name in UTF-8 bytes. */
export const MAX_NAME_BYTES = 255;
/** Longest description in UTF-8 bytes. */
export const MAX_DESCRIPTION_BYTES = 4096;
/** Keys and values of an asset's metadata together, in UTF-8 bytes. */
export const MAX_METADATA_BYTES = 128 * 1024;

// Metadata that the server sets: which level of the API an asset needs, and who answered.
const REQUIRED_LEVEL_KEY = '_nats.req.level';
export const SERVER_VERSION_KEY = '_nats.ver';
export const SERVER_LEVEL_KEY = '_nats.level';
const SERVER_METADATA_KEYS: ReadonlySet<string> = new Set([REQUIRED_LEVEL_KEY, SERVER_VERSION_KEY, SERVER_LEVEL_KEY]);

/** A name becomes a subject token and was once a file name: no separators of either, no white space, not empty. */
export function isAssetName(name: string): boolean {
  return name !== '' && !/[ \t\r\n\f.*>\\/]/.test(name);
}

export function metadataBytes(metadata: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(metadata)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  return bytes;
}

/** Metadata without what servers add: what two configurations are compared by. */
export function ownMetadata(metadata: Readonly<Record<string, string>>): [key: string, value: string][] {
  return Object.entries(metadata)
    .filter(([key]) => !SERVER_METADATA_KEYS.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Metadata as it is stored: the client's own, and the level of the API that the configuration needs. */
export function storedMetadata(metadata: Readonly<Record<string, string>>, level: number): Record<string, string> {
  return Object.fromEntries([...ownMetadata(metadata), [REQUIRED_LEVEL_KEY, String(level)]]);
}
