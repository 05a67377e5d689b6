import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import { compileSubjectTransform, type SubjectTransform } from '../../src/base/subject-transform.ts';

function compiled(src: string, dest: string, random = () => 0): SubjectTransform {
  const result = compileSubjectTransform(src, dest, random);
  assert.ok(result.ok, `${src} -> ${dest}: ${result.ok ? '' : result.reason}`);
  return result.transform;
}

function assertMaps(src: string, dest: string, pairs: Readonly<Record<string, string | undefined>>): void {
  const transform = compiled(src, dest);
  for (const [subject, expected] of Object.entries(pairs)) {
    assert.equal(transform.applyToText(subject), expected, `${src} -> ${dest} of ${subject}`);
  }
}

function assertRefused(src: string, dest: string, reason: string): void {
  const result = compileSubjectTransform(src, dest, () => 0);
  assert.deepEqual(result, { ok: false, reason }, `${src} -> ${dest}`);
}

test('a placeholder stands for what the wildcard of its number matched', () => {
  assertMaps('a.*.*', 'b.$2.{{wildcard(1)}}', { 'a.x.y': 'b.y.x', 'a.x': undefined, 'a.x.y.z': undefined });
  assertMaps('a.*', 'b.{{ Wildcard( 1 ) }}', { 'a.x': 'b.x' });
  assertMaps('a.*.*.c', 'x.$1.$2.$1', { 'a.1.2.c': 'x.1.2.1', 'a.1.2.d': undefined });
});

test('a number below one stands for the first token, as it does for the reference server', () => {
  assertMaps('a.*', 'b.$0', { 'a.x': 'b.a' });
  assertMaps('a.*', 'b.$-1', { 'a.x': 'b.a' });
});

test('what only looks like a placeholder is text', () => {
  assertMaps('a.*', 'b.x$1.$x.$1x.{{', { 'a.q': 'b.x$1.$x.$1x.{{' });
  assertMaps('a.*', 'b.pre{{wildcard(1)}}', { 'a.q': 'b.pre{{wildcard(1)}}' });
});

test('an open end goes over to the destination', () => {
  assertMaps('a.>', 'c.>', { 'a.x': 'c.x', 'a.x.y': 'c.x.y', a: undefined });
  assertMaps('', 'b.>', { 'a.x': 'b.a.x', b: 'b.b' });
  assertMaps('a.*.>', 'c.$1.>', { 'a.x.y.z': 'c.x.y.z' });
  assertMaps('a.>', '>', { 'a.x.y': 'x.y' });
});

test('partitions are those of the reference server', () => {
  assertMaps('a.*', 'b.{{partition(3,1)}}', { 'a.x': 'b.0', 'a.y': 'b.1', 'a.foo': 'b.0', 'a.hello': 'b.0' });
  assertMaps('a.*', 'b.{{partition(5)}}', { 'a.x': 'b.1', 'a.y': 'b.0', 'a.foo': 'b.3', 'a.hello': 'b.1' });
  assertMaps('a.*.*', 'b.{{partition(7,1,2)}}', { 'a.x.y': 'b.4', 'a.y.x': 'b.1', 'a.foo.bar': 'b.0' });
  assertMaps('a.*', 'b.{{partition(-1,1)}}', { 'a.x': 'b.4245442695' });
  assertMaps('a.*', 'b.{{partition(0)}}', { 'a.x': 'b.0' });
  assertMaps('a', '{{partition(10)}}', { a: '0' });
});

test('split cuts at a separator', () => {
  assertMaps('a.*', 'b.{{split(1,-)}}', { 'a.x-y': 'b.x.y', 'a.-x-': 'b.x', 'a.x': 'b.x' });
  assertMaps('a.*', 'b.{{split(1,ab)}}', { 'a.xabyabz': 'b.x.y.z' });
  assertMaps('a.*', 'b.{{split(1,)}}', { 'a.xyz': 'b.x.y.z' });
});

test('split never makes an empty token', () => {
  assertMaps('a.*', 'b.{{split(1,-)}}', { 'a.--x--y--': 'b.x.y', 'a.-': 'b.-', 'a.---': 'b.---' });
});

test('a token is cut at a position, into slices, or down to an end of it', () => {
  assertMaps('a.*', 'b.{{splitFromLeft(1,3)}}', { 'a.12345': 'b.123.45', 'a.123': 'b.123', 'a.12': 'b.12' });
  assertMaps('a.*', 'b.{{splitFromRight(1,3)}}', { 'a.12345': 'b.12.345', 'a.123': 'b.123', 'a.1234': 'b.1.234' });
  assertMaps('a.*', 'b.{{sliceFromLeft(1,3)}}', { 'a.1234567890': 'b.123.456.789.0', 'a.123456': 'b.123.456' });
  assertMaps('a.*', 'b.{{sliceFromRight(1,3)}}', { 'a.1234567890': 'b.1.234.567.890', 'a.123456': 'b.123.456' });
  assertMaps('a.*', 'b.{{left(1,3)}}', { 'a.12345': 'b.123', 'a.12': 'b.12' });
  assertMaps('a.*', 'b.{{right(1,3)}}', { 'a.12345': 'b.345', 'a.123': 'b.123' });
  assertMaps('a.*', 'b.{{left(1,0)}}', { 'a.12345': 'b.12345' });
  assertMaps('a.*', 'b.{{splitfromleft(1,-1)}}', { 'a.12345': 'b.12345' });
});

test('random draws from its source', () => {
  assert.equal(compiled('a.*', 'b.{{random(10)}}', () => 0.75).applyToText('a.x'), 'b.7');
  assertMaps('a', 'b.{{random(-2)}}', { a: 'b.0' });
});

test('a subject that would be too long is left alone', () => {
  const dest = Array.from({ length: 40 }, () => '$1').join('.');
  assert.equal(compiled('*', dest).applyToText('x'.repeat(2000)), undefined);
});

test('a mapping that can not work is refused in the words of the reference server', () => {
  const wrong = 'invalid mapping destination: ';
  assertRefused('a..', 'b', 'invalid subject a..');
  assertRefused('a.*', 'b..', `${wrong}invalid transform`);
  assertRefused('a', 'b c', `${wrong}invalid transform`);
  assertRefused('a.*', 'b.*', 'invalid subject');
  assertRefused('a.>', 'b', 'invalid subject');
  assertRefused('a', 'b.>', 'invalid subject');
  assertRefused('a.*', 'b.$2', `${wrong}wildcard index out of range in $2: [2]`);
  assertRefused('a', 'b.$1', `${wrong}wildcard index out of range in $1`);
  assertRefused('a.>', 'b.$1.>', `${wrong}wildcard index out of range in $1: [1]`);
  assertRefused('a.*', 'b.{{foo(1)}}', `${wrong}unknown function in {{foo(1)}}`);
  const badArgument = `${wrong}function argument is invalid or in the wrong format in `;
  for (const call of [
    '{{wildcard(x)}}',
    '{{partition()}}',
    '{{partition(2147483648,1)}}',
    '{{split(x,-)}}',
    '{{random()}}',
  ]) {
    assertRefused('a.*', `b.${call}`, badArgument + call);
  }
  const tooFew = `${wrong}not enough arguments passed to the function in `;
  for (const call of ['{{wildcard()}}', '{{split(1)}}', '{{left(1)}}', '{{random(1,2)}}']) {
    assertRefused('a.*', `b.${call}`, tooFew + call);
  }
  const tooMany = `${wrong}too many arguments passed to the function in `;
  for (const call of ['{{wildcard(1,2)}}', '{{split(1,-,-)}}']) assertRefused('a.*', `b.${call}`, tooMany + call);
});

/** As plain as can be: strings, lists, and one function per kind of destination token. */
function plainly(src: string, dest: string, subject: string): string | undefined {
  const source = src.split('.');
  const tokens = subject.split('.');
  const open = source.at(-1) === '>';
  const fixed = open ? source.slice(0, -1) : source;
  if (open ? tokens.length <= fixed.length : tokens.length !== fixed.length) return undefined;
  if (fixed.some((token, i) => token !== '*' && token !== tokens[i])) return undefined;
  const captured = tokens.filter((_, i) => fixed[i] === '*');
  const chunks = (text: string, size: number): string[] => text.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
  const reversed = (text: string): string => Buffer.from(text).reverse().toString();
  const mapped = dest.split('.').flatMap((token) => {
    const [, name, args] = /^\{\{(\w+)\((.*)\)\}\}$/.exec(token) ?? [];
    const [first, second] = (args ?? '').split(',');
    const text = captured[Number(first) - 1] ?? '';
    const size = Number(second);
    const whole = !(size > 0 && size < text.length);
    if (token === '>') return tokens.slice(fixed.length);
    if (/^\$\d$/.test(token)) return [captured[Number(token.slice(1)) - 1]!];
    if (name === undefined) return [token];
    if (name === 'split')
      return text.split(second!).some((part) => part !== '') ? text.split(second!).filter(Boolean) : [text];
    if (whole) return [text];
    if (name === 'splitFromLeft') return [text.slice(0, size), text.slice(size)];
    if (name === 'splitFromRight') return [text.slice(0, -size), text.slice(-size)];
    if (name === 'sliceFromLeft') return chunks(text, size);
    if (name === 'sliceFromRight') return chunks(reversed(text), size).map(reversed).reverse();
    return [name === 'left' ? text.slice(0, size) : text.slice(-size)];
  });
  return mapped.join('.');
}

test('every mapping gives what a plain implementation gives', () => {
  const word = fc.stringMatching(/^[ab-]{1,6}$/);
  const call = fc
    .tuple(
      fc.constantFrom('splitFromLeft', 'splitFromRight', 'sliceFromLeft', 'sliceFromRight', 'left', 'right'),
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: -1, max: 7 }),
    )
    .map(([name, index, size]) => `{{${name}(${index},${size})}}`);
  const token = fc.oneof(word, fc.constantFrom('$1', '$2', '{{split(1,-)}}', '{{split(2,ab)}}'), call);
  const mapping = fc.record({
    source: fc.array(fc.oneof(word, fc.constant('*')), { maxLength: 2 }).map((rest) => ['*', '*', ...rest]),
    dest: fc.array(token, { minLength: 1, maxLength: 4 }),
    open: fc.boolean(),
  });
  fc.assert(
    fc.property(mapping, fc.array(word, { minLength: 1, maxLength: 6 }), ({ source, dest, open }, words) => {
      const src = [...source, ...(open ? ['>'] : [])].join('.');
      const target = [...dest, ...(open ? ['>'] : [])].join('.');
      const subject = words.join('.');
      assert.equal(compiled(src, target).applyToText(subject), plainly(src, target, subject), `${src} -> ${target}`);
    }),
  );
});
