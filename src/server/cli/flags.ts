/**
 * Owns the syntax of flags and their table. The syntax is that of Go's flag package, as scripts for the reference server
 * use it: `-x v`, `--x v` and `-x=v` mean the same, booleans take a value only after `=`, the first word that is no flag
 * ends the flags.
 */
import { emptyOverrides, parseAddress, parseRoute, type FlagOverrides, type RouteAddress } from '../config/index.ts';

/** What the flags ask for. */
export interface ParsedFlags {
  readonly overrides: FlagOverrides;
  readonly configFile: string | undefined;
  readonly testConfig: boolean;
  readonly showVersion: boolean;
  readonly showHelp: boolean;
  readonly showTlsHelp: boolean;
  /** `command[=pid]`. */
  readonly signal: string | undefined;
  /** Words after the flags. */
  readonly words: readonly string[];
  /** Well-formed, but not to be had: reported like problems of the file. */
  readonly problems: readonly string[];
}

/** The flags can't be read. `message` has the words of Go's flag package. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

/** Filled in while flags are read. */
interface Target {
  overrides: FlagOverrides;
  configFile: string | undefined;
  testConfig: boolean;
  showVersion: boolean;
  showHelp: boolean;
  showTlsHelp: boolean;
  signal: string | undefined;
  problems: string[];
}

type Flag =
  | { readonly kind: 'boolean'; readonly apply: (target: Target, value: boolean) => void }
  | { readonly kind: 'text'; readonly apply: (target: Target, value: string) => void }
  | { readonly kind: 'integer'; readonly apply: (target: Target, value: number) => void };

const on = (apply: (target: Target, value: boolean) => void): Flag => ({ kind: 'boolean', apply });
const text = (apply: (target: Target, value: string) => void): Flag => ({ kind: 'text', apply });
const integer = (apply: (target: Target, value: number) => void): Flag => ({ kind: 'integer', apply });

/** A flag that would have to protect something: refused, never ignored. */
function refused(name: string, kind: 'boolean' | 'text' | 'integer'): Flag {
  const apply = (target: Target, value: unknown): void => {
    if (value !== false) target.problems.push(`flag -${name} is not supported by this version`);
  };
  return { kind, apply };
}

const ignored = (kind: 'text' | 'integer'): Flag => ({ kind, apply: () => undefined });

const ROWS: readonly (readonly [names: string, flag: Flag])[] = [
  ['a addr net', text((target, value) => (target.overrides.host = value))],
  ['p port', integer((target, value) => (target.overrides.port = value))],
  ['n name server_name', text(setServerName)],
  ['c config', text((target, value) => (target.configFile = value))],
  ['t', on((target, value) => (target.testConfig = value))],
  ['P pid', text((target, value) => (target.overrides.pidFile = value))],
  ['ports_file_dir', text((target, value) => (target.overrides.portsFileDir = value))],
  ['m http_port', integer((target, value) => (target.overrides.httpPort = value))],
  ['ms https_port', refused('ms', 'integer')],
  ['sl signal', text((target, value) => (target.signal = value))],
  ['js jetstream', on((target, value) => (target.overrides.jetStream.enabled = value))],
  ['sd store_dir', text((target, value) => (target.overrides.storeDir = value))],
  ['client_advertise', text((target, value) => (target.overrides.clientAdvertise = value))],

  ['cluster cluster_listen', text(setClusterUrl)],
  ['cluster_name', text((target, value) => (target.overrides.cluster.name = value))],
  ['cluster_advertise', text((target, value) => (target.overrides.cluster.advertise = value))],
  ['routes', text(setRoutes)],
  ['no_advertise', on((target, value) => (target.overrides.cluster.noAdvertise = value))],
  ['connect_retries', ignored('integer')],

  ['l log', text((target, value) => (target.overrides.logFile = value))],
  ['log_size_limit', integer((target, value) => (target.overrides.logSizeLimitBytes = value))],
  ['T logtime', on((target, value) => (target.overrides.logTime = value))],
  ['logtime_utc', on((target, value) => (target.overrides.logTimeUtc = value))],
  ['D debug', on((target, value) => (target.overrides.debug = value))],
  ['V trace VV', on((target, value) => (target.overrides.trace = value))],
  ['DV DVV', on((target, value) => Object.assign(target.overrides, { debug: value, trace: value }))],
  ['s syslog', refused('syslog', 'boolean')],
  ['r remote_syslog', refused('remote_syslog', 'text')],
  ['max_traced_msg_len', ignored('integer')],
  ['profile', ignored('integer')],

  ['user', text((target, value) => (target.overrides.security.user = value))],
  ['pass', text((target, value) => (target.overrides.security.password = value))],
  ['auth', text((target, value) => (target.overrides.security.token = value))],
  ['tls', refused('tls', 'boolean')],
  ['tlsverify', refused('tlsverify', 'boolean')],
  ['tlscert', refused('tlscert', 'text')],
  ['tlskey', refused('tlskey', 'text')],
  ['tlscacert', refused('tlscacert', 'text')],

  ['v version', on((target, value) => (target.showVersion = value))],
  ['h help', on((target, value) => (target.showHelp = value))],
  ['help_tls', on((target, value) => (target.showTlsHelp = value))],
];

const FLAGS: ReadonlyMap<string, Flag> = new Map(
  ROWS.flatMap(([names, flag]) => names.split(' ').map((name) => [name, flag] as const)),
);

function setServerName(target: Target, value: string): void {
  if (/\s/.test(value)) target.problems.push('server name cannot contain spaces');
  else target.overrides.serverName = value;
}

/** `nats://[user:pass@]host:port`; an empty value asks for no cluster, whatever the file says. */
function setClusterUrl(target: Target, value: string): void {
  const { cluster } = target.overrides;
  if (value === '') {
    cluster.port = 0;
    return;
  }
  const match = /^nats(?:-route)?:\/\/(?:([^:@/]+):([^@/]+)@)?([^/@]+)\/?$/.exec(value);
  const address = match === null ? undefined : parseAddress(match[3]!);
  if (match === null || address === undefined) {
    target.problems.push(`could not parse cluster url "${value}"`);
    return;
  }
  if (address.host !== undefined) cluster.host = address.host;
  // Port 0 in a URL asks the system for one.
  cluster.port = address.port === 0 ? -1 : address.port;
  if (match[1] !== undefined && match[2] !== undefined) {
    cluster.authorization = { user: match[1], password: match[2], timeoutMs: CLUSTER_AUTH_TIMEOUT_MS };
  }
}

const CLUSTER_AUTH_TIMEOUT_MS = 2000;

function setRoutes(target: Target, value: string): void {
  const routes: RouteAddress[] = [];
  for (const url of value.split(',')) {
    if (url.trim() === '') continue;
    const route = parseRoute(url);
    if (route === undefined) target.problems.push(`error parsing route url "${url.trim()}"`);
    else routes.push(route);
  }
  target.overrides.cluster.routes = routes;
}

/** @throws {FlagError} */
export function parseFlags(words: readonly string[]): ParsedFlags {
  const target: Target = {
    overrides: emptyOverrides(),
    configFile: undefined,
    testConfig: false,
    showVersion: false,
    showHelp: false,
    showTlsHelp: false,
    signal: undefined,
    problems: [],
  };
  let next = 0;
  while (next < words.length) {
    const word = words[next]!;
    if (!word.startsWith('-') || word === '-') break;
    next += 1;
    if (word === '--') break;
    next += readFlag(word, words[next], target);
  }
  return { ...target, words: words.slice(next) };
}

/** Returns how many words after the flag belong to it. */
function readFlag(word: string, following: string | undefined, target: Target): 0 | 1 {
  const [, name = '', , inline] = /^--?([^=]*)(=([^]*))?$/.exec(word) ?? [];
  const flag = FLAGS.get(name);
  if (name === '' || name.startsWith('-')) throw new FlagError(`bad flag syntax: ${word}`);
  if (flag === undefined) throw new FlagError(`flag provided but not defined: -${name}`);
  if (flag.kind === 'boolean') {
    flag.apply(target, readBoolean(name, inline));
    return 0;
  }
  const value = inline ?? following;
  if (value === undefined) throw new FlagError(`flag needs an argument: -${name}`);
  if (flag.kind === 'integer') flag.apply(target, readInteger(name, value));
  else flag.apply(target, value);
  return inline === undefined ? 1 : 0;
}

const TRUE_WORDS = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE_WORDS = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

function readBoolean(name: string, value: string | undefined): boolean {
  if (value === undefined || TRUE_WORDS.has(value)) return true;
  if (FALSE_WORDS.has(value)) return false;
  throw new FlagError(`invalid boolean value "${value}" for -${name}: parse error`);
}

function readInteger(name: string, value: string): number {
  const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new FlagError(`invalid value "${value}" for flag -${name}: parse error`);
  return number;
}
