/** Owns a stream over a `FakeGroup`, with a clock that tests move. */
import type { ApiError } from '../../src/base/api-errors.ts';
import type { Seq, TimestampUs } from '../../src/base/brand.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Runtime, Timer } from '../../src/base/runtime.ts';
import type { PageSink, StateMachine } from '../../src/raft/index.ts';
import {
  createStream,
  emptyStoredMessage,
  MESSAGE_PREFIX_BYTES,
  storedMessageBytes,
  writeMessagePrefix,
  type ReadBudget,
  type StoredMessage,
  type StreamConfig,
  type StreamExtension,
  type StreamInstance,
  type SubmissionOutcome,
} from '../../src/stream/index.ts';
import { plainStreamConfig } from '../harness/stream-config.ts';
import { FakeGroup } from './fake-group.ts';

export const START_US = 1_700_000_000_000_000;

interface ScheduledTask {
  readonly atUs: number;
  readonly task: () => void;
  cancelled: boolean;
}

/** Time stands still unless it is told to go on; deferred tasks and due timers run in `advance`. */
export class FakeRuntime implements Runtime {
  #nowUs = START_US;
  #tasks: ScheduledTask[] = [];

  monotonicMs(): number {
    return this.#nowUs / 1000;
  }

  wallUs(): TimestampUs {
    return this.#nowUs as TimestampUs;
  }

  soon(task: () => void): void {
    queueMicrotask(task);
  }

  defer(task: () => void): void {
    this.after(0, task);
  }

  after(delayMs: number, task: () => void): Timer {
    const scheduled = { atUs: this.#nowUs + delayMs * 1000, task, cancelled: false };
    this.#tasks.push(scheduled);
    return {
      cancel() {
        scheduled.cancelled = true;
      },
    };
  }

  random(): number {
    return 0.5;
  }

  advance(ms: number): void {
    const untilUs = this.#nowUs + ms * 1000;
    for (;;) {
      this.#tasks = this.#tasks.filter(({ cancelled }) => !cancelled);
      const next = this.#tasks.reduce<ScheduledTask | undefined>(
        (least, each) => (least === undefined || each.atUs < least.atUs ? each : least),
        undefined,
      );
      if (next === undefined || next.atUs > untilUs) break;
      this.#nowUs = Math.max(this.#nowUs, next.atUs);
      next.cancelled = true;
      next.task();
    }
    this.#nowUs = untilUs;
  }

  /** The wall clock jumps back. */
  turnBack(ms: number): void {
    this.#nowUs -= ms * 1000;
  }
}

export const baseConfig: StreamConfig = plainStreamConfig({ duplicateWindowMs: 120_000 });

/** Records what the stream tells it; needs the messages whose subject is in `interest`. */
export class RecordingExtension implements StreamExtension {
  readonly events: string[] = [];
  interest: (subject: string) => boolean = () => true;
  pagesWritten: readonly (readonly [Buffer, Buffer])[] = [[Buffer.from('k'), Buffer.from('v')]];
  restored: readonly (readonly [Buffer, Buffer])[] = [];
  onOperation: (body: Buffer) => unknown = (body) => body.toString();

  applyOperation(body: Buffer): unknown {
    return this.onOperation(body);
  }
  applyProgress(body: Buffer): void {
    this.events.push(`progress ${body.toString()}`);
  }
  messagesStored(first: Seq, last: Seq): void {
    this.events.push(`stored ${first}-${last}`);
  }
  messageRemoved(seq: Seq, subject: Buffer, start: number, end: number): void {
    this.events.push(`removed ${seq} ${subject.toString('utf8', start, end)}`);
  }
  messagesRemovedBelow(seq: Seq): void {
    this.events.push(`below ${seq}`);
  }
  needs(subject: Buffer, start: number, end: number): boolean {
    return this.interest(subject.toString('utf8', start, end));
  }
  statusChanged(): void {
    this.events.push('status');
  }
  proposalComes(): void {
    // Nothing of its own to propose.
  }
  beforeHandover(): Promise<void> {
    return Promise.resolve();
  }

  staysLeader(): void {
    // It never stopped.
  }

  proposalsWelcome(): void {
    // Nothing of its own to propose.
  }
  configChanged(): void {
    this.events.push('config');
  }
  consumerCount(): number {
    return 0;
  }
  digest(): number {
    return 0;
  }
  beginCheckpoint(): void {
    this.events.push('begin');
  }
  writePages(sink: PageSink): boolean {
    for (const [key, value] of this.pagesWritten) sink.put(key, value);
    return true;
  }
  endCheckpoint(): void {
    this.events.push('end');
  }
  restore(pages: readonly (readonly [Buffer, Buffer])[]): void {
    this.restored = pages;
  }
  close(): void {
    this.events.push('close');
  }
}

export interface Publish {
  readonly subject: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: string;
}

export function encodeHeaders(headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return lines.length === 0 ? '' : `NATS/1.0\r\n${lines.join('')}\r\n`;
}

export function encodeMessages(messages: readonly Publish[]): Buffer {
  return Buffer.concat(
    messages.map(({ subject, headers, payload = '' }) => {
      const parts = [Buffer.from(subject), Buffer.from(encodeHeaders(headers)), Buffer.from(payload)] as const;
      const [subjectBytes, headersBytes, payloadBytes] = [parts[0].length, parts[1].length, parts[2].length];
      const buffer = Buffer.alloc(storedMessageBytes(subjectBytes, headersBytes, payloadBytes));
      writeMessagePrefix(buffer, 0, { subject: subjectBytes, headers: headersBytes, payload: payloadBytes });
      Buffer.concat(parts).copy(buffer, MESSAGE_PREFIX_BYTES);
      return buffer;
    }),
  );
}

export interface Fixture {
  readonly group: FakeGroup;
  readonly runtime: FakeRuntime;
  readonly extension: RecordingExtension;
  readonly stream: StreamInstance & StateMachine;
  /** Submits as one submission; the outcome is there once the group ran. */
  readonly submit: (messages: readonly Publish[]) => { outcome: SubmissionOutcome | undefined };
  /** Publishes one message and gives the acknowledgement as JSON. */
  readonly publish: (subject: string, headers?: Readonly<Record<string, string>>, payload?: string) => unknown;
}

export function openFixture(
  config: Partial<StreamConfig> = {},
  runtime = new FakeRuntime(),
  domain?: string,
  refusal?: () => ApiError | undefined,
  purgeStep?: number,
  reads?: ReadBudget,
): Fixture {
  const group = new FakeGroup();
  const extension = new RecordingExtension();
  const stream = createStream({
    account: 'A',
    config: { ...baseConfig, ...config },
    revision: 1,
    createdUs: START_US as TimestampUs,
    group,
    runtime,
    logger: silentLogger,
    domain,
    createExtension: () => extension,
    ...(refusal && { refusal }),
    ...(purgeStep !== undefined && { purgeStep }),
    ...(reads && { reads }),
  });
  group.attach(stream);
  const submit: Fixture['submit'] = (messages) => {
    const result: { outcome: SubmissionOutcome | undefined } = { outcome: undefined };
    stream.submit({
      messages: encodeMessages(messages),
      count: messages.length,
      settle(outcome) {
        if (result.outcome !== undefined) throw new Error('settled twice');
        result.outcome = outcome;
      },
    });
    return result;
  };
  return {
    group,
    runtime,
    extension,
    stream,
    submit,
    publish(subject, headers, payload) {
      const result = submit([{ subject, ...(headers && { headers }), ...(payload !== undefined && { payload }) }]);
      group.run();
      const { outcome } = result;
      if (outcome?.kind !== 'applied') return outcome;
      const exception = outcome.exceptions[0];
      return exception === undefined
        ? { stream: 'S', seq: outcome.firstSeq }
        : (JSON.parse(exception.reply!) as unknown);
    },
  };
}

/** The messages at or behind `from`, as text, as far as they are in memory. */
export function readAll(stream: StreamInstance, from = 1): string[] {
  const cursor = stream.openCursor({ position: from as Seq, filter: undefined, onReady: () => undefined });
  const found: string[] = [];
  while (cursor.advance() === 'message') found.push(describe(cursor.view));
  cursor.close();
  return found;
}

export function describe(message: StoredMessage): string {
  const subject = message.buffer.toString('utf8', message.subjectStart, message.headersStart);
  return `${message.seq} ${subject} ${message.buffer.toString('utf8', message.payloadStart, message.end)}`;
}

export function readOne(stream: StreamInstance, seq: number): string {
  const view = emptyStoredMessage();
  const step = stream.read(seq as Seq, view, () => undefined);
  return step === 'message' ? describe(view) : step;
}

/** Writes a whole checkpoint, in small steps with `between` run after each; true page sink semantics over `pages`. */
export function checkpoint(
  machine: StateMachine,
  pages: Map<string, Buffer>,
  options: { readonly between?: () => void; readonly stepBytes?: number; readonly durable?: boolean } = {},
): void {
  machine.beginCheckpoint();
  const written: [string, Buffer | undefined][] = [];
  const sink: PageSink = {
    put: (key, value) => written.push([key.toString('latin1'), Buffer.from(value)]),
    delete: (key) => written.push([key.toString('latin1'), undefined]),
  };
  while (!machine.writePages(sink, options.stepBytes ?? 65_536)) options.between?.();
  const durable = options.durable ?? true;
  if (durable) {
    for (const [key, value] of written) {
      if (value === undefined) pages.delete(key);
      else pages.set(key, value);
    }
  }
  machine.endCheckpoint(durable);
}

/** The pages as a restore gets them: in order of their keys. */
export async function* sortedPages(pages: ReadonlyMap<string, Buffer>): AsyncGenerator<readonly [Buffer, Buffer]> {
  const keys = [...pages.keys()].map((key) => Buffer.from(key, 'latin1')).sort((a, b) => Buffer.compare(a, b));
  for (const key of keys) {
    await Promise.resolve();
    yield [key, Buffer.from(pages.get(key.toString('latin1'))!)];
  }
}
