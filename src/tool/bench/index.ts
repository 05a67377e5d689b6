import { group } from '../command.ts';
import { PUB, REQ, SUB } from './core.ts';
import { PUB as JS_PUB } from './js-publish.ts';
import { CONSUME, FETCH, GET, ORDERED, PUSH } from './js-read.ts';
import { KV_GET, KV_PUT } from './kv.ts';

const JS = group({
  summary: 'With streams',
  commands: { pub: JS_PUB, consume: CONSUME, fetch: FETCH, push: PUSH, ordered: ORDERED, get: GET },
  aliases: { publish: 'pub', pull: 'consume' },
  examples: ['bench js pub', 'bench js consume'],
});

const KV = group({
  summary: 'With key-value buckets',
  commands: { put: KV_PUT, get: KV_GET },
  examples: ['bench kv put --count 10000', 'bench kv get --count 10000'],
});

export const BENCH = group({
  summary: 'Measure how fast it is',
  commands: { pub: PUB, sub: SUB, req: REQ, js: JS, kv: KV },
  aliases: { publish: 'pub', subscribe: 'sub', request: 'req' },
  examples: ['bench pub bench.test', 'bench js pub --count 100000', 'bench js consume', 'bench kv put --window 50'],
});
