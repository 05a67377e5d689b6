/**
 * Owns what imports and exports must agree on: an import is of something that its account is offered, under a mapping that
 * can be taken back, and no message can go round through imports. Refusals are in the words of the reference server.
 */
import { compileSubjectTransform } from '../../base/subject-transform.ts';
import { hasWildcards, isSubjectSubset, isValidSubject, subjectsCollide } from '../../base/subjects.ts';
import type { ExportOptions, ImportOptions, ServiceResponse } from './options.ts';
import type { Position, Problems } from './problems.ts';
import type { ExportDraft, ImportDraft, SharedKind } from './sharing.ts';

/** How long a service may take for its next answer. */
const DEFAULT_RESPONSE_MS = 120_000;

interface SharingDraft {
  readonly name: string;
  readonly exports: readonly ExportDraft[];
  readonly imports: readonly ImportDraft[];
}

/** By the name of the account. */
export interface Sharing {
  readonly exports: ReadonlyMap<string, readonly ExportOptions[]>;
  readonly imports: ReadonlyMap<string, readonly ImportOptions[]>;
}

interface PlacedImport {
  readonly importer: string;
  readonly options: ImportOptions;
  readonly position: Position;
}

/** Adds to `problems`; the result is meaningful only if there are none. */
export function assembleSharing(accounts: readonly SharingDraft[], problems: Problems): Sharing {
  const names = new Set(accounts.map(({ name }) => name));
  const exports = new Map(
    accounts.map(({ name, exports: drafts }) => [
      name,
      drafts.flatMap((draft) => assembleExport(draft, names, problems) ?? []),
    ]),
  );
  const placed = accounts.flatMap(({ name, imports }) =>
    imports.flatMap((draft) => {
      const options = assembleImport(name, draft, exports, problems);
      return options === undefined ? [] : [{ importer: name, options, position: draft.position }];
    }),
  );
  refuseDuplicates(placed, problems);
  refuseCycles(placed, problems);
  return { exports, imports: byImporter(placed) };
}

function byImporter(placed: readonly PlacedImport[]): ReadonlyMap<string, readonly ImportOptions[]> {
  const imports = new Map<string, ImportOptions[]>();
  for (const { importer, options } of placed) imports.set(importer, [...(imports.get(importer) ?? []), options]);
  return imports;
}

function assembleExport(draft: ExportDraft, names: ReadonlySet<string>, problems: Problems): ExportOptions | undefined {
  const { kind, subject, accounts = [], accountTokenPosition = 0, position } = draft;
  // As for the reference server, one that names no subject offers nothing.
  if (kind === undefined || subject === undefined) return undefined;
  for (const name of accounts) {
    if (!names.has(name)) problems.error(position, `"${name}" account not defined for ${kind} export`);
  }
  const named = subject.split('.')[accountTokenPosition - 1];
  if (!isValidSubject(subject) || (accountTokenPosition > 0 && named !== '*')) {
    problems.error(position, `Error adding ${kind} export "${subject}": sublist: invalid subject`);
  }
  const { responseType: type = 'singleton', responseMs: timeoutMs = DEFAULT_RESPONSE_MS } = draft;
  const allowed = accounts.length === 0 ? undefined : accounts;
  return { kind, subject, accounts: allowed, response: { type, timeoutMs }, accountTokenPosition };
}

function assembleImport(
  importer: string,
  draft: ImportDraft,
  exports: ReadonlyMap<string, readonly ExportOptions[]>,
  problems: Problems,
): ImportOptions | undefined {
  const { kind, account, subject: written, position } = draft;
  if (kind === undefined || !account || !written) return undefined;
  const offered = exports.get(account);
  if (offered === undefined) {
    problems.error(position, `"${account}" account not defined for ${kind} import`);
    return undefined;
  }
  const refuse = (reason: string): undefined => {
    problems.error(position, `Error adding ${kind} import "${written}": ${reason}`);
  };
  const subject = withoutPlaceholders(written);
  const response = authorization(offered, kind, subject, importer);
  if (!isValidSubject(subject)) {
    refuse('sublist: invalid subject');
    return;
  }
  if (response === undefined) {
    refuse(`${kind} import not authorized`);
    return;
  }
  if (kind === 'stream' && draft.prefix !== undefined && hasWildcards(draft.prefix)) {
    refuse('stream import prefix can not contain wildcard tokens');
    return;
  }
  const localMapping = withPlaceholders(localSubject(draft, subject));
  const local = withoutPlaceholders(localMapping);
  if (!isValidSubject(local)) {
    refuse('sublist: invalid subject');
    return;
  }
  const mapping = mappingBetween(subject, localMapping);
  if (!mapping.ok) {
    const [from, to] = kind === 'stream' ? [subject, local] : [local, subject];
    const what = `failed to create mapping transform for ${kind} import subject from "${from}" to "${to}"`;
    refuse(`${what}: ${mapping.reason}`);
    return;
  }
  const common = { account, subject, local, localMapping, remoteMapping: mapping.back };
  return kind === 'stream' ? { kind, ...common } : { kind, ...common, share: draft.share ?? false, response };
}

function localSubject({ kind, prefix, to }: ImportDraft, subject: string): string {
  if (to !== undefined && to !== '') return to;
  if (kind === 'service' || prefix === undefined || prefix === '') return subject;
  return prefix.endsWith('.') ? prefix + subject : `${prefix}.${subject}`;
}

/** How the export answers that lets `importer` have this; undefined: none does. */
function authorization(
  offered: readonly ExportOptions[],
  kind: SharedKind,
  subject: string,
  importer: string,
): ServiceResponse | undefined {
  const ofKind = offered.filter((each) => each.kind === kind);
  const found =
    ofKind.findLast((each) => each.subject === subject) ??
    ofKind.find((each) => isSubjectSubset(subject, each.subject));
  if (found === undefined) return undefined;
  const { accounts, accountTokenPosition, response } = found;
  if (accountTokenPosition > 0) return subject.split('.')[accountTokenPosition - 1] === importer ? response : undefined;
  return accounts === undefined || accounts.includes(importer) ? response : undefined;
}

const PLACEHOLDER = /^(?:\$(\d+)|\{\{\s*[wW]ildcard\s*\(\s*(\d+)\s*\)\s*\}\})$/;

/** Placeholders become the wildcards that they stand for. */
function withoutPlaceholders(subject: string): string {
  return mapTokens(subject, (token) => (PLACEHOLDER.test(token) ? '*' : token));
}

/** Wildcards become placeholders, counted from left to right. */
function withPlaceholders(subject: string): string {
  let wildcards = 0;
  return mapTokens(subject, (token) => (token === '*' ? `$${++wildcards}` : token));
}

function mapTokens(subject: string, map: (token: string) => string): string {
  return subject.split('.').map(map).join('.');
}

/** Checks `localMapping` of the wildcards of `subject`; `back` maps what it makes to `subject` again. */
function mappingBetween(
  subject: string,
  localMapping: string,
): { readonly ok: true; readonly back: string } | { readonly ok: false; readonly reason: string } {
  const used: number[] = [];
  for (const token of localMapping.split('.')) {
    const placeholder = PLACEHOLDER.exec(token);
    if (placeholder !== null) used.push(Number(placeholder[1] ?? placeholder[2]));
    else if (/^\{\{.*\}\}$/.test(token)) {
      const reason = `the only mapping function allowed for import transforms is {{Wildcard()}} in ${token}`;
      return { ok: false, reason: `invalid mapping destination: ${reason}` };
    }
  }
  const compiled = compileSubjectTransform(subject, localMapping, () => 0);
  if (!compiled.ok) return compiled;
  const wildcards = subject.split('.').filter((token) => token === '*').length;
  for (let n = 1; n <= wildcards; n++) {
    if (used.includes(n) && used.length === wildcards) continue;
    const reason = `not using all of the token wildcard(s) in ${localMapping}`;
    return { ok: false, reason: `invalid mapping destination: ${reason}` };
  }
  let wildcard = 0;
  return {
    ok: true,
    back: mapTokens(subject, (token) => (token === '*' ? `$${used.indexOf(++wildcard) + 1}` : token)),
  };
}

function refuseDuplicates(placed: readonly PlacedImport[], problems: Problems): void {
  for (const [index, { importer, options, position }] of placed.entries()) {
    const { kind, account, subject, local } = options;
    const before = placed.slice(0, index).find((other) => {
      return other.importer === importer && other.options.kind === kind && other.options.local === local;
    })?.options;
    if (before?.account !== account) continue;
    if (kind === 'service') {
      const earlier = `previously used in import for account "${account}", subject "${before.subject}"`;
      problems.error(position, `Duplicate service import subject "${local}", ${earlier}`);
    } else if (before.subject === subject) {
      problems.error(position, `Error adding stream import "${subject}": stream import already exists`);
    }
  }
}

/**
 * Differs from the reference server, which may or may not refuse an import of something that only looks alike, by the
 * order in which it comes to its accounts; and which takes an account's imports from itself under the same name.
 */
function refuseCycles(placed: readonly PlacedImport[], problems: Problems): void {
  /** Imports that a message to the origin's subject goes on through. */
  const next = ({ options }: PlacedImport): PlacedImport[] =>
    placed.filter(
      ({ importer, options: other }) =>
        importer === options.account && other.kind === options.kind && subjectsCollide(options.subject, other.local),
    );
  for (const start of placed) {
    const seen = new Set<PlacedImport>();
    const open = [start];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const each of next(at)) {
        if (seen.has(each)) continue;
        seen.add(each);
        open.push(each);
      }
    }
    if (!seen.has(start)) continue;
    const { kind, subject } = start.options;
    problems.error(start.position, `Error adding ${kind} import "${subject}": import forms a cycle`);
    return;
  }
}
