/** Owns what a stream must hold according to its committed log: each entry is replayed into the plain model, once. */
import {
  BATCH_HEADER_BYTES,
  batchCount,
  ENTRY_ATOMIC_BATCH,
  ENTRY_BATCH,
  ENTRY_EXTENSION_OPERATION,
  ENTRY_EXTENSION_PROGRESS,
  ENTRY_OPERATION,
  ENTRY_PLACED_BATCH,
  ENTRY_PREFIX_BATCH,
  ENTRY_PRODUCED_BATCH,
  entryKind,
  entryPayload,
  entryTimestamp,
} from '../../src/stream/entries/entry-format.ts';
import type { LoggedOperation } from '../../src/stream/entries/operation-applier.ts';
import { isStub, placedBatchLayout, placedTimeUs } from '../../src/stream/entries/placed-batch.ts';
import { producedBatchLayout, producedReason } from '../../src/stream/entries/produced-batch.ts';
import {
  emptyMessageView,
  isSourced,
  readMessage,
  subjectFilter,
  type MessageView,
  type StreamConfig,
} from '../../src/stream/index.ts';
import type { Complain, PublishChecker, ShownMessage } from './checkers.ts';
import { ReferenceConsumers } from './reference-consumers.ts';
import { StreamModel } from './stream-model.ts';
import { TakenMessages, type Origin } from './taken-messages.ts';

export interface SentMessage {
  readonly id: string;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Begins with the id and a space. */
  readonly payload: string;
}

type Shown = Omit<ShownMessage, 'seq'>;

/** A message in a batch. */
interface Logged {
  readonly shown: Shown;
  readonly isTaken: boolean;
}

export class ReferenceStream implements Origin {
  readonly model: StreamModel;
  readonly consumers: ReferenceConsumers;
  /** Everything that ever took a sequence. */
  readonly stored = new Map<number, Omit<ShownMessage, 'seq'>>();
  readonly #sent = new Map<string, SentMessage>();
  readonly #publishes: PublishChecker;
  readonly #complain: Complain;
  readonly #taken: TakenMessages;
  /** Begun and not finished. */
  readonly openPurges = new Set<string>();
  #clockUs = 0;
  #revision = 1;

  constructor(
    config: StreamConfig,
    options: {
      readonly publishes: PublishChecker;
      readonly complain: Complain;
      readonly origin: (name: string) => Origin;
    },
  ) {
    const { publishes, complain, origin } = options;
    this.model = new StreamModel(config);
    this.consumers = new ReferenceConsumers(this.model, complain);
    this.#publishes = publishes;
    this.#complain = complain;
    this.#taken = new TakenMessages({ config: () => this.config, origin, complain });
  }

  get config(): StreamConfig {
    return this.model.config;
  }

  isLive(seq: number): boolean {
    return this.model.messages.has(seq);
  }

  liveAfter(seq: number): number[] {
    return [...this.model.messages.keys()].filter((each) => each > seq);
  }

  /** Nothing is left upstream that is to come. */
  get isCaughtUp(): boolean {
    const { lastSeq, lastTimestampUs, firstSeq } = this.model;
    return this.#taken.isCaughtUp({ seq: lastSeq, timestampUs: lastTimestampUs, firstSeq });
  }

  sending(message: SentMessage): void {
    this.#sent.set(message.id, message);
  }

  /** Applies the body of a committed entry. */
  apply(body: Buffer): void {
    this.#clockUs = Math.max(this.#clockUs, entryTimestamp(body));
    switch (entryKind(body)) {
      case ENTRY_BATCH:
        this.#applyBatch(body);
        return;
      case ENTRY_OPERATION:
        this.#applyOperation(JSON.parse(entryPayload(body).toString()) as LoggedOperation);
        return;
      case ENTRY_ATOMIC_BATCH:
        this.#applyAtomic(body);
        return;
      case ENTRY_PLACED_BATCH:
        this.#applyPlaced(body);
        return;
      case ENTRY_PREFIX_BATCH:
        this.#complain(`the log holds an entry of kind ${body[0]}, and no client asked for one`);
        return;
      case ENTRY_PRODUCED_BATCH:
        this.#applyProduced(body);
        return;
      case ENTRY_EXTENSION_OPERATION:
        this.consumers.applyOperation(entryPayload(body));
        return;
      case ENTRY_EXTENSION_PROGRESS:
        this.consumers.applyProgress(entryPayload(body));
        return;
      case undefined:
        this.#complain('the log holds an entry that nobody understands');
    }
  }

  /** Messages that should be gone: by the clock of the log they are due for `graceMs`. */
  overdue(graceMs: number): number[] {
    return [...this.model.messages.keys()].filter((seq) => this.model.isDue(seq, this.#clockUs - graceMs * 1000));
  }

  /** What every replica must hold now. */
  expected(): Map<number, Omit<ShownMessage, 'seq'>> {
    return new Map([...this.model.messages.keys()].map((seq) => [seq, this.stored.get(seq)!]));
  }

  #applyBatch(body: Buffer): void {
    for (const { shown, isTaken } of this.#messagesOf(body)) {
      if (isTaken) this.#source(shown);
      else this.#publish(shown);
    }
  }

  #source(shown: Omit<ShownMessage, 'seq'>): void {
    if (!this.#taken.sourced(shown, this.model.firstSeq)) return;
    const { subject, headers, payload, timestampUs } = shown;
    const outcome = this.model.source({ subject, headers: parseHeaders(headers), payload }, timestampUs);
    if (outcome.kind === 'stored') this.stored.set(outcome.seq, shown);
  }

  /** What a mirror takes, until it is one no more. */
  #applyPlaced(body: Buffer): void {
    const { model } = this;
    const layout = placedBatchLayout(body)!;
    const view = emptyMessageView();
    if (model.config.mirror !== undefined && layout.count === 0) this.#passOver(layout.firstSeq - 1);
    let at = BATCH_HEADER_BYTES;
    for (let ordinal = 0; ordinal < layout.count; ordinal++, at = view.end) {
      readMessage(body, at, layout.messagesEnd, view);
      const seq = layout.firstSeq + ordinal;
      if (model.config.mirror === undefined || seq <= model.lastSeq) continue;
      if (isStub(view)) {
        this.#passOver(seq);
        continue;
      }
      const { shown } = this.#logged(body, view, placedTimeUs(body, layout, ordinal));
      this.#taken.mirrored(seq, model.lastSeq, shown);
      const { subject, headers, payload, timestampUs } = shown;
      model.place(seq, { subject, headers: parseHeaders(headers), payload }, timestampUs);
      this.stored.set(seq, shown);
    }
  }

  /** A mirror has nothing of what comes next upstream, through `seq`. */
  #passOver(seq: number): void {
    const { model } = this;
    if (seq <= model.lastSeq) return;
    this.#taken.passedOver(model.lastSeq, seq);
    model.lastSeq = seq;
  }

  #logged(body: Buffer, view: MessageView, timestampUs: number): Logged {
    const shown = {
      timestampUs,
      subject: body.toString('utf8', view.subjectStart, view.headersStart),
      headers: body.toString('utf8', view.headersStart, view.payloadStart),
      payload: body.toString('utf8', view.payloadStart, view.end),
    };
    return { shown, isTaken: isSourced(view) };
  }

  #applyAtomic(body: Buffer): void {
    const messages = this.#messagesOf(body).map(({ shown }) => shown);
    const sent = messages.map((shown) => this.#sentAs(shown));
    if (!sent.every((message) => message !== undefined)) return;
    this.model.publishAtomic(sent, this.#clockUs).forEach((outcome, at) => {
      if (outcome.kind === 'stored') this.stored.set(outcome.seq, messages[at]!);
      this.#publishes.committed(sent[at]!.id, outcome);
    });
  }

  #messagesOf(body: Buffer): Logged[] {
    const view = emptyMessageView();
    const messages: Logged[] = [];
    let at = BATCH_HEADER_BYTES;
    for (let count = batchCount(body); count > 0; count--) {
      if (!readMessage(body, at, body.length, view)) {
        this.#complain('a committed batch does not hold what it counts');
        break;
      }
      at = view.end;
      messages.push(this.#logged(body, view, this.#clockUs));
    }
    return messages;
  }

  /** What the stream made itself must be what the basis asks for. */
  #applyProduced(body: Buffer): void {
    const view = emptyMessageView();
    const layout = producedBatchLayout(body)!;
    let at = BATCH_HEADER_BYTES;
    for (let ordinal = 0; ordinal < layout.count; ordinal++, at = view.end) {
      readMessage(body, at, layout.messagesEnd, view);
      const shown = {
        timestampUs: this.#clockUs,
        subject: body.toString('utf8', view.subjectStart, view.headersStart),
        headers: body.toString('utf8', view.headersStart, view.payloadStart),
        payload: body.toString('utf8', view.payloadStart, view.end),
      };
      const reason = producedReason(body, layout, ordinal);
      this.#checkProduced(shown, reason);
      const { subject, headers, payload } = shown;
      const seq = this.model.produce({ subject, headers: parseHeaders(headers), payload }, reason, this.#clockUs);
      if (seq > 0) this.stored.set(seq, shown);
    }
  }

  #checkProduced(shown: Omit<ShownMessage, 'seq'>, reason: { readonly basis: number; readonly dueUs: number }): void {
    const basis = this.model.messages.get(reason.basis);
    if (basis === undefined) return;
    if (reason.dueUs === 0) {
      if (!this.model.isDue(reason.basis, this.#clockUs)) this.#complain(`${reason.basis} left a marker too early`);
      if (shown.subject !== basis.subject || shown.payload !== '' || !shown.headers.includes('Nats-Marker-Reason: ')) {
        this.#complain(`${reason.basis} left a strange marker`);
      }
      return;
    }
    if (reason.dueUs > this.#clockUs) this.#complain(`schedule ${reason.basis} fired too early`);
    if (shown.subject !== basis.headers['Nats-Schedule-Target'] || shown.payload !== basis.payload) {
      this.#complain(`schedule ${reason.basis} produced something else`);
    }
  }

  #expireMessages(runs: readonly number[]): void {
    for (let at = 0; at < runs.length; at += 2) {
      for (let seq = runs[at]!; seq <= runs[at + 1]!; seq++) {
        if (!this.model.messages.has(seq)) continue;
        if (!this.model.isDue(seq, this.#clockUs)) this.#complain(`${seq} expired too early`);
        this.model.delete(seq);
      }
    }
  }

  #publish(shown: Omit<ShownMessage, 'seq'>): void {
    const sent = this.#sentAs(shown);
    if (sent === undefined) return;
    const outcome = this.model.publish(sent, shown.timestampUs);
    if (outcome.kind === 'stored') this.stored.set(outcome.seq, shown);
    this.#publishes.committed(sent.id, outcome);
  }

  /** What a client sent as this. */
  #sentAs(shown: Omit<ShownMessage, 'seq'>): SentMessage | undefined {
    const id = shown.payload.split(' ', 1)[0]!;
    const sent = this.#sent.get(id);
    const same = sent?.payload === shown.payload && sent.subject === shown.subject;
    if (sent !== undefined && same && headerBlock(sent.headers) === shown.headers) return sent;
    this.#complain(`the log holds ${id} with bytes that nobody sent`);
    return undefined;
  }

  #applyOperation(operation: LoggedOperation): void {
    const { model } = this;
    switch (operation.op) {
      case 'configure':
        if (operation.revision <= this.#revision) return;
        this.#revision = operation.revision;
        model.configure(operation.config);
        return;
      case 'purge': {
        const { filter, from, below, end } = operation;
        const purge = `${filter ?? 'everything'} below ${end}`;
        if (end !== undefined && below! < end) this.openPurges.add(purge);
        else this.openPurges.delete(purge);
        const compiled = filter === undefined ? undefined : subjectFilter([filter]);
        model.purge({
          ...(compiled && { matches: (subject) => compiled.matches(Buffer.from(subject), 0, subject.length) }),
          from,
          below,
        });
        return;
      }
      case 'deleteMessage':
        model.delete(operation.seq);
        return;
      case 'expire':
        for (const seq of [...model.messages.keys()]) if (seq < operation.below) model.delete(seq);
        return;
      case 'sweep':
        // Streams here are so small that the change of configuration does it all.
        return;
      case 'expireMessages':
        this.#expireMessages(operation.runs);
    }
  }
}

function parseHeaders(block: string): Record<string, string> {
  const lines = block.split('\r\n').filter((line) => line.includes(': '));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
}

/** The header block that these make; empty if there are none. */
export function headerBlock(headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return lines.length === 0 ? '' : `NATS/1.0\r\n${lines.join('')}\r\n`;
}
