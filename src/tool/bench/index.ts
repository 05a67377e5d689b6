import { group } from '../command.ts';
import { PUB, REQ, SUB } from './core.ts';
import { JS_CONSUME, JS_FETCH, JS_PUB } from './jetstream.ts';
import { KV_GET, KV_PUT } from './kv.ts';

export const BENCH = group({
  summary: 'Measure how fast it is',
  commands: {
    pub: PUB,
    sub: SUB,
    req: REQ,
    'js-pub': JS_PUB,
    'js-consume': JS_CONSUME,
    'js-fetch': JS_FETCH,
    'kv-put': KV_PUT,
    'kv-get': KV_GET,
  },
  examples: ['bench pub bench.test', 'bench js-pub --count 100000', 'bench js-consume'],
});
