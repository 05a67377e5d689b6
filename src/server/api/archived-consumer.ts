/** Owns how a backup writes down a consumer (streams.md 3.11): its configuration as the API shows it, and its progress. */
import {
  checkSharing,
  normaliseConsumerConfig,
  type ArchivedConsumer,
  type ArchivedConsumerState,
  type ArchivedDelivery,
} from '../../consumer/index.ts';
import type { ApiBackend, LocalStream } from './backend.ts';
import { surroundingsOf } from './consumer-create.ts';
import { CONSUMER_CREATE_REQUEST, consumerConfigJson, toConsumerConfigRequest } from './consumer-wire.ts';
import { decodeRequest, int64, mapOf, struct, uint64 } from './decoder.ts';
import type { Decoded } from './decoder.ts';

const SEQUENCES = struct('SequencePair', { consumer_seq: uint64, stream_seq: uint64 });
const DELIVERY = struct('Pending', { sequence: uint64, timestamp: int64 });
const STATE = struct('ConsumerState', {
  delivered: SEQUENCES,
  ack_floor: SEQUENCES,
  pending: mapOf(DELIVERY),
  redelivered: mapOf(uint64),
});
const ARCHIVED_CONSUMER = {
  rootType: 'ArchivedConsumer',
  fields: { config: CONSUMER_CREATE_REQUEST.fields.config, state: STATE },
} as const;
type StateJson = NonNullable<Decoded<(typeof ARCHIVED_CONSUMER)['fields']>['state']>;

const MAX_PENDING = 1_000_000;

export function archivedConsumerJson({ config, state }: ArchivedConsumer): object {
  const redelivered = state.pending.filter(({ attempts }) => attempts > 1);
  const pending = state.pending.map(({ streamSeq, consumerSeq }): [string, object] => {
    return [String(streamSeq), { Sequence: consumerSeq, Timestamp: 0 }];
  });
  return {
    config: consumerConfigJson(config, config.metadata),
    state: {
      delivered: { consumer_seq: state.deliveredConsumerSeq, stream_seq: state.deliveredStreamSeq },
      ack_floor: { consumer_seq: state.floorConsumerSeq, stream_seq: state.floorStreamSeq },
      pending: pending.length > 0 ? Object.fromEntries(pending) : undefined,
      redelivered:
        redelivered.length > 0
          ? Object.fromEntries(redelivered.map(({ streamSeq, attempts }) => [String(streamSeq), attempts - 1]))
          : undefined,
    },
  };
}

export type ReadArchivedConsumer =
  { readonly ok: true; readonly consumer: ArchivedConsumer } | { readonly ok: false; readonly problem: string };

/** The consumer `name` of an archive, as it may be created in the stream that the archive is loaded into. */
export function readArchivedConsumer(
  at: Pick<LocalStream, 'stream' | 'consumers'> & { readonly backend: ApiBackend; readonly account: string },
  name: string,
  json: Buffer,
): ReadArchivedConsumer {
  // An archive may come from a server that knows more.
  const decoded = decodeRequest(json, ARCHIVED_CONSUMER, false);
  if (!decoded.ok) return { ok: false, problem: `consumer ${name}: ${decoded.error}` };
  const { config = {}, state } = decoded.value;
  const request = toConsumerConfigRequest(config, { name, generatedName: (config.name ?? '') === '' });
  const surroundings = surroundingsOf(at, name, undefined);
  const normalised = normaliseConsumerConfig(request, surroundings, false);
  const error = normalised.ok ? checkSharing(normalised.config, surroundings) : normalised.error;
  if (!normalised.ok || error !== undefined) return { ok: false, problem: `consumer ${name}: ${error!.description}` };
  const archived = readState(state ?? {});
  if (archived === undefined) return { ok: false, problem: `consumer ${name}: its state makes no sense` };
  return { ok: true, consumer: { config: normalised.config, state: archived } };
}

/** Undefined: no consumer can have been in such a state. */
function readState(state: StateJson): ArchivedConsumerState | undefined {
  const { delivered = {}, ack_floor: floor = {}, pending = new Map<string, undefined>() } = state;
  const deliveries: ArchivedDelivery[] = [];
  if (pending.size > MAX_PENDING) return undefined;
  for (const [key, delivery] of pending) {
    const attempts = 1 + (state.redelivered?.get(key) ?? 0);
    deliveries.push({ streamSeq: Number(key), consumerSeq: delivery?.sequence ?? 0, attempts });
  }
  deliveries.sort((a, b) => a.streamSeq - b.streamSeq);
  const archived = {
    deliveredConsumerSeq: delivered.consumer_seq ?? 0,
    deliveredStreamSeq: delivered.stream_seq ?? 0,
    floorConsumerSeq: floor.consumer_seq ?? 0,
    floorStreamSeq: floor.stream_seq ?? 0,
    pending: deliveries,
  };
  return isConsistent(archived) ? archived : undefined;
}

function isConsistent(state: ArchivedConsumerState): boolean {
  const { deliveredConsumerSeq, deliveredStreamSeq, floorConsumerSeq, floorStreamSeq, pending } = state;
  const numbers = [deliveredConsumerSeq, deliveredStreamSeq, floorConsumerSeq, floorStreamSeq];
  if (!numbers.every(Number.isSafeInteger)) return false;
  if (floorConsumerSeq > deliveredConsumerSeq || floorStreamSeq > deliveredStreamSeq) return false;
  return pending.every(
    ({ streamSeq, consumerSeq, attempts }) =>
      Number.isSafeInteger(streamSeq) &&
      streamSeq > floorStreamSeq &&
      streamSeq <= deliveredStreamSeq &&
      consumerSeq <= deliveredConsumerSeq &&
      Number.isSafeInteger(attempts),
  );
}
