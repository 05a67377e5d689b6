/** The door of archive/: the form in which a stream is backed up and restored (streams.md 3.11, "archive v2"). */
export { ArchiveError } from './archive-error.ts';
export { ArchiveReader, type ArchiveListener, type ArchivedMessage } from './archive-reader.ts';
export { ArchiveWriter } from './archive-writer.ts';
export { FrameDecoder, FrameEncoder } from './s2-frames.ts';
