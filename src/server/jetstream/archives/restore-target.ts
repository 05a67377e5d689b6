/**
 * Owns bringing the parts of an archive to the leader of the stream that is restored, on this node or another. Each part
 * may be sent again: messages have their place, and a consumer that is there already was restored before.
 */
import { CONSUMER_EXISTS } from '../../../base/api-errors.ts';
import { NotLeaderError } from '../../../base/errors.ts';
import type { Runtime } from '../../../base/runtime.ts';
import type { ClusterNode, StreamAssignment } from '../../../cluster/index.ts';
import type { GroupId } from '../../../raft/index.ts';
import { readArchivedConsumer, type ApiBackend } from '../../api/index.ts';
import type { LocalStreams } from '../local-streams.ts';

const SERVICE = 'restore';
const REQUEST_TIMEOUT_MS = 5_000;
const READY_PATIENCE_MS = 1_000;
/** How long a stream may be without a leader before its restore fails. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 50;

const PART_MESSAGES = 1;
const PART_CONSUMER = 2;
/** `u8 part | f64 group | u16 name length | name | body`. */
const FRAME_HEADER_BYTES = 11;
const DONE = Buffer.from('+');
/** This node can't say; another may. */
const RETRY = Buffer.from('?');

/** A placed batch (empty name), or a consumer's document. */
export interface ArchivePart {
  readonly consumer: string;
  readonly body: Buffer;
}

export class RestoreTarget {
  readonly #cluster: ClusterNode;
  readonly #runtime: Runtime;
  readonly #streams: LocalStreams;
  readonly #backend: ApiBackend;

  constructor(options: {
    readonly cluster: ClusterNode;
    readonly runtime: Runtime;
    readonly streams: LocalStreams;
    readonly backend: ApiBackend;
  }) {
    this.#cluster = options.cluster;
    this.#runtime = options.runtime;
    this.#streams = options.streams;
    this.#backend = options.backend;
    this.#cluster.serve(SERVICE, (_from, frame) => this.#store(frame));
  }

  /** Resolves when the part is stored for good; with what is wrong with it otherwise. */
  async send(assignment: StreamAssignment, part: ArchivePart): Promise<string | undefined> {
    const frame = encodePart(assignment.group, part);
    const deadline = this.#runtime.monotonicMs() + PATIENCE_MS;
    do {
      const leader = this.#cluster.leaderOf(assignment.group) ?? assignment.firstLeader;
      const answer =
        leader === this.#cluster.node
          ? await this.#store(frame)
          : await this.#cluster.request(leader, SERVICE, frame, REQUEST_TIMEOUT_MS).catch(() => RETRY);
      if (answer.equals(DONE)) return undefined;
      if (!answer.equals(RETRY)) return answer.toString();
      await new Promise<void>((resolve) => this.#runtime.after(RETRY_MS, resolve));
    } while (this.#runtime.monotonicMs() < deadline);
    return 'the stream has no leader';
  }

  async #store(frame: Buffer): Promise<Buffer> {
    const { kind, group, name, body } = decodePart(frame);
    const local = await this.#streams.whenReady(group, 0, READY_PATIENCE_MS);
    if (local === undefined) return RETRY;
    try {
      if (kind === PART_CONSUMER) return await this.#storeConsumer(local, name, body);
      await local.instance.place(Buffer.from(body));
      return DONE;
    } catch (error) {
      if (error instanceof NotLeaderError) return RETRY;
      throw error;
    }
  }

  async #storeConsumer(
    { instance, consumers }: NonNullable<ReturnType<LocalStreams['get']>>,
    name: string,
    json: Buffer,
  ): Promise<Buffer> {
    const at = { backend: this.#backend, account: instance.account, stream: instance, consumers };
    const read = readArchivedConsumer(at, name, json);
    if (!read.ok) return Buffer.from(read.problem);
    const result = await consumers.restoreArchived(read.consumer);
    if (result.ok || result.error === CONSUMER_EXISTS) return DONE;
    return Buffer.from(`consumer ${name}: ${result.error.description}`);
  }
}

function encodePart(group: GroupId, { consumer, body }: ArchivePart): Buffer {
  const name = Buffer.from(consumer);
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header.writeUInt8(consumer === '' ? PART_MESSAGES : PART_CONSUMER, 0);
  header.writeDoubleBE(group, 1);
  header.writeUInt16BE(name.length, 9);
  return Buffer.concat([header, name, body]);
}

/** What `encodePart` made, on a node of the same cluster. */
function decodePart(frame: Buffer): {
  readonly kind: number;
  readonly group: GroupId;
  readonly name: string;
  readonly body: Buffer;
} {
  const nameEnd = FRAME_HEADER_BYTES + frame.readUInt16BE(9);
  return {
    kind: frame.readUInt8(0),
    group: frame.readDoubleBE(1) as GroupId,
    name: frame.toString('utf8', FRAME_HEADER_BYTES, nameEnd),
    body: frame.subarray(nameEnd),
  };
}
