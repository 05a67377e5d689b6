/** Owns bugs as they could be in streams that take from others, planted from outside. */
import type { Seq } from '../../src/base/brand.ts';
import type { Delivery, UpstreamPort } from '../../src/sourcing/index.ts';
import type { StreamInstance } from '../../src/stream/index.ts';
import { altered, type PlantedBug } from './planted-bugs.ts';

/** One in so many deliveries never arrives. */
const LOST_EVERY = 60;
const DELIVERY_COUNT_TOKEN = 6;
const DELIVERY_TOKENS = 9;

/** Deliveries get lost, and those behind them count on as if nothing were missing. */
function leakyPort(port: UpstreamPort): UpstreamPort {
  return altered(port, {
    subscribe: (subject, receiver) => {
      let lost = 0;
      let deliveries = 0;
      return port.subscribe(
        subject,
        altered(receiver, {
          receive: (delivery) => {
            const { replyBuffer, replyStart, replyEnd } = delivery;
            const tokens = replyBuffer.toString('latin1', replyStart, replyEnd).split('.');
            if (tokens.length === DELIVERY_TOKENS && ++deliveries % LOST_EVERY === 0) lost++;
            else receiver.receive(tokens.length === DELIVERY_TOKENS ? countedDown(delivery, tokens, lost) : delivery);
          },
        }),
      );
    },
  });
}

function countedDown(delivery: Delivery, tokens: readonly string[], by: number): Delivery {
  const count = String(Number(tokens[DELIVERY_COUNT_TOKEN]) - by);
  const reply = Buffer.from(tokens.with(DELIVERY_COUNT_TOKEN, count).join('.'));
  return { ...delivery, replyBuffer: reply, replyStart: 0, replyEnd: reply.length };
}

/** Goes on one message too far whenever it begins anew. */
function hastyMirror(instance: StreamInstance): StreamInstance {
  return altered(instance, {
    state: () => {
      const state = instance.state();
      return state.lastSeq === 0 ? state : { ...state, lastSeq: (state.lastSeq + 1) as Seq };
    },
  });
}

function hastySource(instance: StreamInstance): StreamInstance {
  return altered(instance, {
    sourcePosition: (index) => {
      const position = instance.sourcePosition(index);
      return position && { ...position, seq: position.seq + 1 };
    },
  });
}

export const PLANTED_TAKER_BUGS: readonly PlantedBug[] = [
  {
    what: 'a delivery from upstream that nobody misses',
    interference: () => ({ port: leakyPort }),
    change: (plan) => plan,
  },
  {
    what: 'a mirror that begins anew one message too far',
    interference: () => ({ taker: hastyMirror }),
    change: (plan) => plan,
  },
  {
    what: 'a source that begins anew one message too far',
    interference: () => ({ taker: hastySource }),
    change: (plan) => plan,
  },
];
