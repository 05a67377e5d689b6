/**
 * Measures a pull consumer with explicit acks alone: batches of 500 are pulled, delivered, acked one by one and recorded,
 * with an outlet that only counts and a stream that is an array in memory. Prints messages per second.
 *
 *   npx tsx bench/consumer.ts [messages=2000000] [payload bytes=128]
 */
import type { NodeId, Seq, TimestampUs } from '../src/base/brand.ts';
import { silentLogger } from '../src/base/logger.ts';
import { SystemRuntime } from '../src/base/runtime.ts';
import { createConsumers, type ConsumerSet, type DeliveryTarget, type Outlet } from '../src/consumer/index.ts';
import type { LogIndex, Term } from '../src/raft/index.ts';
import { emptyMessageView, type StoredMessage, type StreamCursor } from '../src/stream/index.ts';
import { consumerConfig } from '../test/consumer/configs.ts';
import { FakeStream, STATUS_FOLLOWER, encodeMessage } from '../test/consumer/fake-stream.ts';
import { plainStreamConfig } from '../test/harness/stream-config.ts';

const BATCH = 500;
/** How long an entry of progress takes to commit: as long as a group commit on a good disk. */
const COMMIT_MS = 1;

const messages = Number(process.argv[2] ?? 2_000_000);
const payloadBytes = Number(process.argv[3] ?? 128);
const message = encodeMessage('orders.new', 'x'.repeat(payloadBytes));
const runtime = new SystemRuntime();

/** Every sequence holds the same message; only how many there are is state. */
class EndlessStream extends FakeStream {
  override isLive(seq: Seq): boolean {
    return seq <= messages;
  }

  override read(seq: Seq, into: StoredMessage): 'message' {
    place(into, seq);
    return 'message';
  }

  override openCursor(): StreamCursor {
    const view: StoredMessage = { ...emptyMessageView(), seq: 0 as Seq, timestampUs: 0 as TimestampUs };
    let position = 1;
    return {
      view,
      get position() {
        return position as Seq;
      },
      advance: () => {
        if (position > messages) return 'end';
        place(view, position++);
        return 'message';
      },
      seek: (to) => {
        position = to;
      },
      countPending: () => messages - position + 1,
      setFilter: () => undefined,
      close: () => undefined,
    };
  }
}

function place(into: StoredMessage, seq: number): void {
  into.buffer = message;
  into.subjectStart = 12;
  into.headersStart = 22;
  into.payloadStart = 22;
  into.end = message.length;
  into.seq = seq as Seq;
  into.timestampUs = (1_700_000_000_000_000 + seq) as TimestampUs;
}

/** A client that acks every message of a batch when it has the whole batch, then pulls the next. */
class Client implements Outlet {
  consumers!: ConsumerSet;
  delivered = 0;
  entries = 0;
  entryBytes = 0;
  readonly #acks: Buffer[] = Array.from({ length: BATCH }, () => Buffer.alloc(128));
  readonly #ackBytes = new Int32Array(BATCH);
  #gathered = 0;
  readonly #done: () => void;

  constructor(done: () => void) {
    this.#done = done;
  }

  openTarget(subject: string): DeliveryTarget {
    return { subject, interested: true, close: () => undefined };
  }

  deliver(_target: DeliveryTarget, _message: StoredMessage, reply: Buffer, replyBytes: number): boolean {
    reply.copy(this.#acks[this.#gathered]!, 0, 0, replyBytes);
    this.#ackBytes[this.#gathered++] = replyBytes;
    this.delivered++;
    if (this.#gathered === BATCH || this.delivered === messages) {
      runtime.defer(() => {
        this.#ackAll();
      });
    }
    return true;
  }

  #ackAll(): void {
    const payload = Buffer.from('+ACK');
    for (let at = 0; at < this.#gathered; at++) {
      this.consumers.ack('C', {
        subject: this.#acks[at]!,
        start: '$JS.ACK.S.C.'.length,
        end: this.#ackBytes[at]!,
        open: false,
        payload,
        payloadStart: 0,
        payloadEnd: payload.length,
        reply: '',
      });
    }
    this.#gathered = 0;
    if (this.delivered === messages) this.#done();
    else this.pull();
  }

  pull(): void {
    const body = Buffer.from(`{"batch":${BATCH},"expires":30000000000}`);
    this.consumers.pull('C', { reply: '_INBOX.bench', headers: Buffer.alloc(0), body });
  }

  deliverParts(): boolean {
    return true;
  }

  status(): boolean {
    return true;
  }

  publish(): void {
    // Advisories are of no interest here.
  }

  congested(): boolean {
    return false;
  }
}

async function run(): Promise<void> {
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const client = new Client(finish);
  const stream: EndlessStream = new EndlessStream(plainStreamConfig(), {
    propose: (entry) => {
      client.entries++;
      if (entry.kind === 'progress') client.entryBytes += entry.body.length;
      runtime.after(COMMIT_MS, () => {
        stream.apply(entry, { timestampUs: runtime.wallUs(), ownProposal: true });
      });
      return true;
    },
  });
  const consumers = createConsumers(stream, { runtime, outlet: client, logger: silentLogger });
  stream.extension = consumers;
  client.consumers = consumers;
  stream.status = {
    ...STATUS_FOLLOWER,
    role: 'leader',
    ready: true,
    term: 1 as Term,
    voters: ['n1' as NodeId],
    commitIndex: 0 as LogIndex,
  };
  consumers.statusChanged(stream.status);
  await consumers.create(consumerConfig({ maxAckPending: 10_000 }), '');
  const startedMs = runtime.monotonicMs();
  client.pull();
  await finished;
  const seconds = (runtime.monotonicMs() - startedMs) / 1000;
  consumers.close();
  console.log(
    `${Math.round(messages / seconds)} messages/s, ${client.entries} entries of ${Math.round(client.entryBytes / client.entries)} bytes`,
  );
}

await run();
