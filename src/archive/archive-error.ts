/** Owns what is wrong with an archive, in the words that its sender gets to hear. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}
