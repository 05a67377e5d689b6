/**
 * Owns the decoding of request bodies: a schema says which members there are and of which type, and what does not fit is
 * refused in the words of the reference server (streams.md 1.4). Members match whatever their case, later ones win, `null`
 * leaves a member unset, and the first flaw in the text is the one reported.
 */
import { parseGoTime } from '../../base/go-time.ts';
import { parseJson } from '../../base/json.ts';
import type { JsonValue } from '../../base/json.ts';
import type { TimestampUs } from '../../base/brand.ts';

/** Requests beyond this are refused unread: configurations are small, whatever `max_payload` allows. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

export type DecodeResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

/** How one type is read: `undefined` means unset, `null` that it does not fit (then `context.error` says why). */
export interface Shape<T> {
  /** As the reference server's texts name it. */
  readonly typeName: string;
  decode(value: JsonValue, context: DecodeContext): T | undefined | null;
}

export type Fields = Readonly<Record<string, Shape<unknown>>>;
/** What a schema decodes to: every member may be unset. */
export type Decoded<F extends Fields> = {
  readonly [K in keyof F]?: (F[K] extends Shape<infer T> ? T : never) | undefined;
};

/** Where the decoder is, and the first flaw that it found. */
export class DecodeContext {
  readonly rootType: string;
  /** Unknown members are a flaw. */
  readonly strict: boolean;
  readonly path: (string | number)[] = [];
  error: string | undefined;

  constructor(rootType: string, strict: boolean) {
    this.rootType = rootType;
    this.strict = strict;
  }

  fail(error: string): null {
    this.error ??= error;
    return null;
  }

  mismatch(value: JsonValue, typeName: string, digits = ''): null {
    const found = value.kind === 'number' && digits !== '' ? `number ${digits}` : value.kind;
    const place = `${this.rootType}.${this.path.join('.')}`;
    if (this.path.length === 0) {
      return this.fail(`json: cannot unmarshal ${found} into Go value of type server.${this.rootType}`);
    }
    const target = typeof this.path.at(-1) === 'number' ? place : `Go struct field ${place}`;
    return this.fail(`json: cannot unmarshal ${found} into ${target} of type ${typeName}`);
  }
}

/** Decodes `body` as the object that `fields` describe. `rootType` names it in error texts. Never throws. */
export function decodeRequest<F extends Fields>(
  body: Buffer,
  schema: { readonly rootType: string; readonly fields: F },
  strict: boolean,
): DecodeResult<Decoded<F>> {
  if (body.length > MAX_REQUEST_BYTES) return { ok: false, error: 'request too large' };
  const json = body.toString('utf8');
  // No value at all sets nothing: what then is missing is named by the checks of the call.
  if (/^\s*$/.test(json)) return { ok: true, value: {} };
  const parsed = parseJson(json);
  if (!parsed.ok) return parsed;
  const context = new DecodeContext(schema.rootType, strict);
  const value = struct(schema.rootType, schema.fields).decode(parsed.value, context);
  if (context.error !== undefined) return { ok: false, error: context.error };
  return { ok: true, value: value ?? {} };
}

export function struct<F extends Fields>(typeName: string, fields: F): Shape<Decoded<F>> {
  // A map, so that no member name can reach what every object inherits.
  const byName = new Map(Object.entries(fields).map(([name, shape]) => [name.toLowerCase(), { name, shape }]));
  return {
    typeName: `server.${typeName}`,
    decode(value, context) {
      if (value.kind === 'null') return undefined;
      if (value.kind !== 'object') return context.mismatch(value, this.typeName);
      const decoded: Record<string, unknown> = {};
      for (const [name, member] of value.members) {
        const field = byName.get(name.toLowerCase());
        if (field === undefined) {
          if (context.strict) context.fail(`json: unknown field ${JSON.stringify(name)}`);
          continue;
        }
        context.path.push(field.name);
        const result = field.shape.decode(member, context);
        context.path.pop();
        if (result !== undefined && result !== null) decoded[field.name] = result;
      }
      return decoded as Decoded<F>;
    },
  };
}

export const text: Shape<string> = {
  typeName: 'string',
  decode(value, context) {
    if (value.kind === 'null') return undefined;
    return value.kind === 'string' ? value.value : context.mismatch(value, this.typeName);
  },
};

export const flag: Shape<boolean> = {
  typeName: 'bool',
  decode(value, context) {
    if (value.kind === 'null') return undefined;
    return value.kind === 'bool' ? value.value : context.mismatch(value, this.typeName);
  },
};

/** `largest`: what higher numbers stand for. */
function integer(typeName: string, min: bigint, max: bigint, largest = Infinity): Shape<number> {
  return {
    typeName,
    decode(value, context) {
      if (value.kind === 'null') return undefined;
      if (value.kind !== 'number') return context.mismatch(value, typeName);
      if (!/^-?[0-9]{1,20}$/.test(value.text)) return context.mismatch(value, typeName, value.text);
      const exact = BigInt(value.text);
      if (exact < min || exact > max) return context.mismatch(value, typeName, value.text);
      return Math.min(Number(exact), largest);
    },
  };
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
export const int = integer('int', INT64_MIN, INT64_MAX);
export const int32 = integer('int32', -(2n ** 31n), 2n ** 31n - 1n);
export const int64 = integer('int64', INT64_MIN, INT64_MAX);
/** No sequence of ours is beyond 2^53: what a client names from there on is never reached. */
export const uint64 = integer('uint64', 0n, 2n ** 64n - 1n, Number.MAX_SAFE_INTEGER);
/** The same for what is no sequence. */
export const largeUint64 = integer('uint64', 0n, 2n ** 64n - 1n);
/** Nanoseconds. */
export const duration = integer('time.Duration', INT64_MIN, INT64_MAX);

export const time: Shape<TimestampUs> = {
  typeName: 'time.Time',
  decode(value, context) {
    if (value.kind === 'null') return undefined;
    if (value.kind !== 'string') return context.mismatch(value, this.typeName);
    const parsed = parseGoTime(value.value);
    return parsed.ok ? parsed.timeUs : context.fail(parsed.error);
  },
};

/** A member of one of a few strings. `null` is not one of them. `refusal` gets the raw text. */
export function choice<T extends string>(
  values: Readonly<Record<string, T>>,
  refusal: (raw: string) => string = (raw) => `can not unmarshal ${JSON.stringify(raw)}`,
  fold = false,
): Shape<T> {
  const byText = new Map(Object.entries(values));
  return {
    typeName: 'string',
    decode(value, context) {
      if (value.kind === 'string') {
        const chosen = byText.get(fold ? value.value.toLowerCase() : value.value);
        if (chosen !== undefined) return chosen;
      }
      return context.fail(refusal(rawText(value)));
    },
  };
}

export function list<T>(item: Shape<T>): Shape<readonly (T | undefined)[]> {
  return {
    typeName: `[]${item.typeName}`,
    decode(value, context) {
      if (value.kind === 'null') return undefined;
      if (value.kind !== 'array') return context.mismatch(value, this.typeName);
      return value.items.map((element, index) => {
        context.path.push(index);
        const decoded = item.decode(element, context);
        context.path.pop();
        return decoded ?? undefined;
      });
    },
  };
}

/** String to string, without a prototype. */
/** An object with members of any name. */
export function mapOf<T>(shape: Shape<T>): Shape<ReadonlyMap<string, T>> {
  return {
    typeName: `map[string]${shape.typeName}`,
    decode(value, context) {
      if (value.kind === 'null') return undefined;
      if (value.kind !== 'object') return context.mismatch(value, this.typeName);
      const decoded = new Map<string, T>();
      for (const [name, member] of value.members) {
        context.path.push(name);
        const result = shape.decode(member, context);
        context.path.pop();
        if (result !== undefined && result !== null) decoded.set(name, result);
      }
      return decoded;
    },
  };
}

export const textMap: Shape<Readonly<Record<string, string>>> = {
  typeName: 'map[string]string',
  decode(value, context) {
    if (value.kind === 'null') return undefined;
    if (value.kind !== 'object') return context.mismatch(value, this.typeName);
    const decoded = Object.create(null) as Record<string, string>;
    for (const [name, member] of value.members) {
      context.path.push(name);
      decoded[name] = text.decode(member, context) ?? '';
      context.path.pop();
    }
    return decoded;
  },
};

function rawText(value: JsonValue): string {
  switch (value.kind) {
    case 'null':
      return 'null';
    case 'bool':
      return String(value.value);
    case 'number':
      return value.text;
    case 'string':
    case 'array':
    case 'object':
      return value.raw;
  }
}
