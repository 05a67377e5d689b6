/** Owns what a client may say in CONNECT: which fields there are, their types and defaults. */

/** `verbose` and `pedantic` default to true, as they do in the reference server; every official client sends them. */
export interface ConnectOptions {
  readonly verbose: boolean;
  readonly pedantic: boolean;
  readonly echo: boolean;
  readonly protocol: number;
  readonly headers: boolean;
  readonly noResponders: boolean;
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  readonly credentials: Credentials;
}

/** Empty strings: not given. */
export interface Credentials {
  readonly user: string;
  readonly pass: string;
  readonly authToken: string;
  readonly nkey: string;
  readonly sig: string;
  readonly jwt: string;
  /** Given by very old clients, and refused. */
  readonly account: string;
}

const NO_CREDENTIALS: Credentials = { user: '', pass: '', authToken: '', nkey: '', sig: '', jwt: '', account: '' };

/** In force until a CONNECT says otherwise. */
export const DEFAULT_OPTIONS: ConnectOptions = {
  verbose: true,
  pedantic: true,
  echo: true,
  protocol: 0,
  headers: false,
  noResponders: false,
  name: '',
  lang: '',
  version: '',
  credentials: NO_CREDENTIALS,
};

/** JSON is parsed by recursion in native code: deeper nesting than any client sends is refused before it. */
const MAX_NESTING = 32;

/** Undefined: not a JSON object, or a field has the wrong type. Unknown fields are ignored. */
export function parseConnectOptions(json: Buffer): ConnectOptions | undefined {
  const fields = parseObject(json.toString('utf8'));
  if (fields === undefined) return undefined;
  const read = new FieldReader(fields);
  const options: ConnectOptions = {
    verbose: read.boolean('verbose', DEFAULT_OPTIONS.verbose),
    pedantic: read.boolean('pedantic', DEFAULT_OPTIONS.pedantic),
    echo: read.boolean('echo', DEFAULT_OPTIONS.echo),
    protocol: read.integer('protocol', DEFAULT_OPTIONS.protocol),
    headers: read.boolean('headers', DEFAULT_OPTIONS.headers),
    noResponders: read.boolean('no_responders', DEFAULT_OPTIONS.noResponders),
    name: read.text('name'),
    lang: read.text('lang'),
    version: read.text('version'),
    credentials: {
      user: read.text('user'),
      pass: read.text('pass'),
      authToken: read.text('auth_token'),
      nkey: read.text('nkey'),
      sig: read.text('sig'),
      jwt: read.text('jwt'),
      account: read.text('account'),
    },
  };
  return read.wellTyped ? options : undefined;
}

/** The fields by lower-case name: keys are matched without case, and the last of several counts. */
function parseObject(text: string): Map<string, unknown> | undefined {
  if (nestedTooDeeply(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: the caller closes the connection, there is nothing to tell the client.
    return undefined;
  }
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  // As in Go, null is an object without fields.
  return new Map(Object.entries(value ?? {}).map(([key, field]) => [key.toLowerCase(), field as unknown]));
}

/** Counts brackets without regard to strings, which may refuse a name full of brackets: nobody has one. */
function nestedTooDeeply(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    if (depth > MAX_NESTING) return true;
  }
  return false;
}

class FieldReader {
  wellTyped = true;
  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(fields: ReadonlyMap<string, unknown>) {
    this.#fields = fields;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.#fields.get(name) ?? fallback;
    if (typeof value === 'boolean') return value;
    this.wellTyped = false;
    return fallback;
  }

  integer(name: string, fallback: number): number {
    const value = this.#fields.get(name) ?? fallback;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    this.wellTyped = false;
    return fallback;
  }

  text(name: string): string {
    const value = this.#fields.get(name) ?? '';
    if (typeof value === 'string') return value;
    this.wellTyped = false;
    return '';
  }
}
