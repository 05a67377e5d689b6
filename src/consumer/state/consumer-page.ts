/** Owns the checkpoint form of consumers: one page each, and pages of their own for long initial lists. */
import type { TimestampUs } from '../../base/brand.ts';
import { invariant } from '../../base/errors.ts';
import { ByteReader, ByteWriter } from './compact-bytes.ts';
import { ReplicatedConsumer } from './replicated-state.ts';
import type { ConsumerConfig } from '../types.ts';

const VERSION = 2;
/** Sequences of an initial list in one page. */
export const LIST_PAGE_SEQS = 16_384;

export function encodeConsumer(state: ReplicatedConsumer): Buffer {
  const writer = new ByteWriter();
  writer.byte(VERSION);
  writer.number(state.id);
  writer.number(state.createdUs);
  writer.text(JSON.stringify(state.config));
  writer.number(state.deliveredConsumerSeq);
  writer.number(state.deliveredStreamSeq);
  writer.number(state.floorConsumerSeq);
  writer.number(state.floorStreamSeq);
  writer.number(state.passedOverBelow);
  writer.number(state.initial.length);
  writer.number(state.waiting.size);
  for (const inbox of state.waiting) writer.text(inbox);
  writer.text(state.pin.id);
  writer.number(state.pin.sinceUs);
  writer.number(state.exhausted.size);
  for (const [seq, attempts] of state.exhausted) {
    writer.number(seq);
    writer.number(attempts);
  }
  encodePending(writer, state);
  return writer.copy();
}

function encodePending(writer: ByteWriter, { pending }: ReplicatedConsumer): void {
  writer.number(pending.size);
  let lastSeq = 0;
  let lastDelivery = 0;
  let lastMs = 0;
  for (let at = pending.head; at < pending.tail; at++) {
    const attempts = pending.attemptsAt(at);
    if (attempts === 0) continue;
    writer.number(pending.seqAt(at) - lastSeq);
    writer.signed(pending.firstDeliveryAt(at) - lastDelivery);
    writer.signed(pending.deliveredMsAt(at) - lastMs);
    writer.number(attempts);
    lastSeq = pending.seqAt(at);
    lastDelivery = pending.firstDeliveryAt(at);
    lastMs = pending.deliveredMsAt(at);
  }
}

/** The consumer without its initial list, and how long that is. */
export function decodeConsumer(page: Buffer): { readonly state: ReplicatedConsumer; readonly initialLength: number } {
  const reader = new ByteReader(page);
  const version = reader.byte();
  invariant(version === VERSION, `unknown version ${version} of a consumer page`);
  const id = reader.number();
  const createdUs = reader.number() as TimestampUs;
  const config = JSON.parse(reader.text()) as ConsumerConfig;
  const state = new ReplicatedConsumer({ id, name: config.name, createdUs }, config, 1);
  state.deliveredConsumerSeq = reader.number();
  state.deliveredStreamSeq = reader.number();
  state.floorConsumerSeq = reader.number();
  state.floorStreamSeq = reader.number();
  state.passedOverBelow = reader.number();
  const initialLength = reader.number();
  for (let left = reader.number(); left > 0; left--) state.waiting.add(reader.text());
  state.pin = { id: reader.text(), sinceUs: reader.number() as TimestampUs };
  for (let left = reader.number(); left > 0; left--) state.exhausted.set(reader.number(), reader.number());
  decodePending(reader, state);
  return { state, initialLength };
}

function decodePending(reader: ByteReader, { pending }: ReplicatedConsumer): void {
  let seq = 0;
  let firstDelivery = 0;
  let deliveredMs = 0;
  for (let left = reader.number(); left > 0; left--) {
    seq += reader.number();
    firstDelivery += reader.signed();
    deliveredMs += reader.signed();
    pending.add(seq, firstDelivery, deliveredMs, reader.number());
  }
}

/** One page of an initial list: the sequences from position `from` on. */
export function encodeList(initial: Float64Array, from: number): Buffer {
  const writer = new ByteWriter();
  let last = 0;
  for (const seq of initial.subarray(from, from + LIST_PAGE_SEQS)) {
    writer.number(seq - last);
    last = seq;
  }
  return writer.copy();
}

export function decodeList(page: Buffer, initial: Float64Array, from: number): void {
  const reader = new ByteReader(page);
  let seq = 0;
  for (let at = from; !reader.atEnd; at++) {
    seq += reader.number();
    initial[at] = seq;
  }
}
