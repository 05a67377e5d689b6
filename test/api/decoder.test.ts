/** Decoding of request bodies: texts, ranges, and that nothing hostile gets through or throws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import {
  choice,
  decodeRequest,
  duration,
  flag,
  int32,
  int64,
  list,
  struct,
  text,
  textMap,
  time,
  uint64,
} from '../../src/server/api/decoder.ts';
import { parseJson } from '../../src/base/json.ts';
import { CONSUMER_CREATE_REQUEST } from '../../src/server/api/consumer-wire.ts';
import { STREAM_CONFIG_REQUEST } from '../../src/server/api/stream-wire.ts';

const SCHEMA = {
  rootType: 'Thing',
  fields: {
    name: text,
    small: int32,
    big: int64,
    seq: uint64,
    wait: duration,
    on: flag,
    at: time,
    tags: list(text),
    meta: textMap,
    kind: choice({ a: 'a', b: 'b' } as const),
    inner: struct('Inner', { deep: int64 }),
  },
} as const;

function decode(body: string, strict = true): ReturnType<typeof decodeRequest<typeof SCHEMA.fields>> {
  return decodeRequest(Buffer.from(body), SCHEMA, strict);
}

function errorOf(body: string): string | undefined {
  const result = decode(body);
  return result.ok ? undefined : result.error;
}

test('a body of every type decodes, null leaves members unset', () => {
  const body = `{"name":"n","small":-5,"big":9007199254740991,"seq":7,"wait":1000,"on":true,"at":"2026-01-02T03:04:05.678901Z",
    "tags":["x",null],"meta":{"k":"v"},"kind":"b","inner":{"deep":1}}`;
  const result = decode(body);
  assert.ok(result.ok);
  assert.deepEqual(
    { ...result.value, meta: { ...result.value.meta } },
    {
      name: 'n',
      small: -5,
      big: 9007199254740991,
      seq: 7,
      wait: 1000,
      on: true,
      at: Date.UTC(2026, 0, 2, 3, 4, 5) * 1000 + 678_901,
      tags: ['x', undefined],
      meta: { k: 'v' },
      kind: 'b',
      inner: { deep: 1 },
    },
  );
  assert.deepEqual(decode('{"name":null,"small":null,"tags":null,"inner":null}'), { ok: true, value: {} });
  assert.deepEqual(decode('null'), { ok: true, value: {} });
});

test('a body without any value sets nothing', () => {
  assert.deepEqual(decode(''), { ok: true, value: {} });
  assert.deepEqual(decode(' \n'), { ok: true, value: {} });
});

test('members match whatever their case, and later ones win', () => {
  const result = decode('{"NAME":"a","Name":"b"}');
  assert.deepEqual(result, { ok: true, value: { name: 'b' } });
});

test('flaws are named in the words of the reference server, and the first one wins', () => {
  const cases: readonly (readonly [body: string, error: string])[] = [
    ['{"name":', 'unexpected EOF'],
    ['{"name":"', 'unexpected EOF'],
    ['garbage', `invalid character 'g' looking for beginning of value at offset 1`],
    ['{"name" "A"}', `invalid character '"' after object key at offset 9`],
    [`{'name':"A"}`, `invalid character '\\'' looking for beginning of object key string at offset 2`],
    ['{"name":tru}', `invalid character '}' in literal true (expecting 'e') at offset 12`],
    ['{"small":01}', `invalid character '1' after object key:value pair at offset 11`],
    ['{"small":-}', `invalid character '}' in numeric literal at offset 11`],
    ['{"name":"A\\x"}', 'invalid escape sequence `\\x` in string at offset 12'],
    ['{"name":"A"} trailing', `invalid character 'a' in literal true (expecting 'u') at offset 16`],
    ['[]', 'json: cannot unmarshal array into Go value of type server.Thing'],
    ['{"bogus":1,"small":"x"}', 'json: unknown field "bogus"'],
    ['{"small":"x","bogus":1}', 'json: cannot unmarshal string into Go struct field Thing.small of type int32'],
    ['{"small":3000000000}', 'json: cannot unmarshal number 3000000000 into Go struct field Thing.small of type int32'],
    ['{"big":1e3}', 'json: cannot unmarshal number 1e3 into Go struct field Thing.big of type int64'],
    ['{"seq":-1}', 'json: cannot unmarshal number -1 into Go struct field Thing.seq of type uint64'],
    [
      '{"seq":18446744073709551616}',
      'json: cannot unmarshal number 18446744073709551616 into Go struct field Thing.seq of type uint64',
    ],
    ['{"wait":"1s"}', 'json: cannot unmarshal string into Go struct field Thing.wait of type time.Duration'],
    ['{"on":1}', 'json: cannot unmarshal number into Go struct field Thing.on of type bool'],
    ['{"at":3}', 'json: cannot unmarshal number into Go struct field Thing.at of type time.Time'],
    ['{"at":"zz"}', 'parsing time "zz" as "2006-01-02T15:04:05Z07:00": cannot parse "zz" as "2006"'],
    ['{"tags":"x"}', 'json: cannot unmarshal string into Go struct field Thing.tags of type []string'],
    ['{"tags":["x",1]}', 'json: cannot unmarshal number into Thing.tags.1 of type string'],
    ['{"meta":{"x":1}}', 'json: cannot unmarshal number into Go struct field Thing.meta.x of type string'],
    ['{"inner":[]}', 'json: cannot unmarshal array into Go struct field Thing.inner of type server.Inner'],
    ['{"inner":{"deep":"x"}}', 'json: cannot unmarshal string into Go struct field Thing.inner.deep of type int64'],
    ['{"kind":"c"}', String.raw`can not unmarshal "\"c\""`],
    ['{"kind":null}', 'can not unmarshal "null"'],
  ];
  for (const [body, error] of cases) assert.equal(errorOf(body), error, body);
});

test('without strictness unknown members are let pass, wrong types are not', () => {
  assert.deepEqual(decode('{"bogus":{"x":[1]},"name":"n"}', false), { ok: true, value: { name: 'n' } });
  assert.equal(decode('{"name":1}', false).ok, false);
});

test('a sequence keeps its range up to the last of uint64', () => {
  assert.equal(errorOf('{"seq":18446744073709551615}'), undefined);
});

test('nesting is bounded', () => {
  const deep = '['.repeat(100_000);
  assert.deepEqual(parseJson(deep), { ok: false, error: 'exceeded max depth' });
});

test('metadata may have a member called __proto__, and no prototype changes', () => {
  const result = decode('{"meta":{"__proto__":"x","constructor":"y"},"__proto__":{"polluted":true}}', false);
  assert.ok(result.ok);
  assert.deepEqual(Object.entries(result.value.meta ?? {}), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  assert.equal('polluted' in {}, false);
});

test('valid JSON parses to the same thing as JSON.parse says', () => {
  const shape = (value: ReturnType<typeof parseJson>): unknown => (value.ok ? plain(value.value) : value.error);
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (json) => {
      assert.deepEqual(shape(parseJson(json)), JSON.parse(json));
    }),
    { numRuns: 300 },
  );
});

test('no body whatsoever throws, or touches Object.prototype', () => {
  const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
  const names = [...Object.keys(STREAM_CONFIG_REQUEST.fields), '__proto__', 'constructor', 'config', 'toString'];
  const hostile = fc.oneof(
    fc.string(),
    fc.json(),
    fc.dictionary(fc.constantFrom(...names), fc.jsonValue()).map((value) => JSON.stringify(value)),
    fc.tuple(fc.json(), fc.nat()).map(([json, cut]) => json.slice(0, cut % (json.length + 1))),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  fc.assert(
    fc.property(hostile, fc.boolean(), (body, strict) => {
      decodeRequest(Buffer.from(body), STREAM_CONFIG_REQUEST, strict);
      decodeRequest(Buffer.from(`{"config":${body}}`), CONSUMER_CREATE_REQUEST, strict);
    }),
    { numRuns: 500 },
  );
  assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), before);
});

type Parsed = Extract<ReturnType<typeof parseJson>, { ok: true }>['value'];

function plain(value: Parsed): unknown {
  switch (value.kind) {
    case 'null':
      return null;
    case 'bool':
    case 'string':
      return value.value;
    case 'number':
      return Number(value.text);
    case 'array':
      return value.items.map(plain);
    case 'object': {
      const result = {};
      for (const [name, member] of value.members) {
        // As JSON.parse does it: an own property, whatever its name.
        Object.defineProperty(result, name, {
          value: plain(member),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return result;
    }
  }
}
