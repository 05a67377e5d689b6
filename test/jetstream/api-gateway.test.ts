/** API calls that come in while nobody leads: the gateway alone, whose other parts are told what to say. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import type { NodeId } from '../../src/base/brand.ts';
import { NotLeaderError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { ApiResponse } from '../../src/server/api/index.ts';
import { ApiGateway } from '../../src/server/jetstream/api-gateway.ts';
import { encodeApiResponse } from '../../src/server/jetstream/api-frames.ts';
import type { Publication, Publisher } from '../../src/server/router-types.ts';
import { ManualRuntime } from '../protocol/manual-runtime.ts';

type Options = ConstructorParameters<typeof ApiGateway>[0];

const SELF = 'n1' as NodeId;
const OTHER = 'n2' as NodeId;
const LEADERLESS: ApiResponse = { kind: 'leaderless' };
const answer = (text: string): ApiResponse => ({ kind: 'json', body: Buffer.from(text) });

/** A gateway on n1. `target`: whom the API names; what each node says next is in `says`, the last of it again and again. */
class Bench {
  readonly runtime = new ManualRuntime();
  readonly published: string[] = [];
  readonly asked: NodeId[] = [];
  target = SELF;
  readonly says: { here: ApiResponse[]; there: (ApiResponse | Error)[] } = { here: [LEADERLESS], there: [LEADERLESS] };
  readonly #gateway: ApiGateway;

  constructor() {
    const next = <T>(list: T[]): T => (list.length > 1 ? list.shift()! : list[0]!);
    const parts = {
      runtime: this.runtime,
      logger: silentLogger,
      api: {
        nodeFor: () => this.target,
        notBefore: () => undefined,
        handle: () => {
          this.asked.push(SELF);
          return Promise.resolve(next(this.says.here));
        },
        unavailable: () => answer('unavailable'),
      },
      cluster: {
        node: SELF,
        request: (to: NodeId) => {
          this.asked.push(to);
          const said = next(this.says.there);
          return said instanceof Error ? Promise.reject(said) : Promise.resolve(encodeApiResponse(said));
        },
      },
      router: {
        publish: (_account: string, { payload }: { readonly payload: Buffer }) =>
          this.published.push(payload.toString()),
        flushSoon: () => undefined,
      },
      advisories: { apiCall: () => undefined },
    };
    this.#gateway = new ApiGateway(parts as unknown as Options);
  }

  call(): void {
    const subject = '$JS.API.STREAM.CREATE.S';
    const buffer = Buffer.from(`${subject}inbox`);
    const end = buffer.length;
    const rest = { headersStart: end, headersEnd: end, payloadStart: end, payloadEnd: end };
    const publication: Publication = {
      ...{ buffer, subjectStart: 0, subjectEnd: subject.length, replyStart: subject.length, replyEnd: end },
      ...rest,
    };
    this.#gateway.handle(publication, { account: 'A' } as Publisher);
  }

  /** Lets so much time pass, and what waited for it happen. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      await nextTurn();
      this.runtime.advance(50);
    }
    await nextTurn();
  }
}

test('a call that comes in during an election is carried out by the new leader, wherever that is', async () => {
  const bench = new Bench();
  bench.says.there = [new NotLeaderError('n2 is not connected', true), LEADERLESS, answer('done')];
  bench.call();
  await bench.pass(100);
  assert.deepEqual(bench.published, []);
  bench.target = OTHER;
  await bench.pass(200);
  assert.deepEqual(bench.published, ['done']);
  assert.deepEqual(bench.asked.slice(-4), [SELF, OTHER, OTHER, OTHER]);
});

test('with no leader for long a call is answered before its client gives up, and asked no more', async () => {
  const bench = new Bench();
  bench.call();
  await bench.pass(3900);
  assert.deepEqual(bench.published, []);
  await bench.pass(200);
  assert.deepEqual(bench.published, ['unavailable']);
  const asked = bench.asked.length;
  await bench.pass(500);
  assert.equal(bench.asked.length, asked);
});

test('a call that may have been carried out is not repeated', async () => {
  const bench = new Bench();
  bench.target = OTHER;
  bench.says.there = [new NotLeaderError('the link to n2 broke', false), answer('done')];
  bench.call();
  await bench.pass(500);
  assert.deepEqual(bench.asked, [OTHER]);
  assert.deepEqual(bench.published, ['unavailable']);
});
