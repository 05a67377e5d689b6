/** Owns reading what accounts share: their `exports` and `imports`, as written. What of it goes together: import-rules.ts. */
import type { Position } from './problems.ts';
import { duration, flag, integer, text, texts, type Reader, type Reading } from './readers.ts';
import { readSection, section, set, unsupported, type OptionHandler, type Section } from './section.ts';
import { kindName } from './values.ts';

/** How many answers a service gives to a request. */
export type ResponseType = 'singleton' | 'stream' | 'chunked';
export type SharedKind = 'stream' | 'service';

export interface ExportDraft {
  kind?: SharedKind;
  subject?: string;
  /** Undefined or empty: everybody. */
  accounts?: readonly string[];
  responseType?: ResponseType;
  responseMs?: number;
  /** The token, counted from 1, that must name the importing account. */
  accountTokenPosition?: number;
  position: Position;
}

export interface ImportDraft {
  kind?: SharedKind;
  /** Who exports it. */
  account?: string;
  subject?: string;
  prefix?: string;
  to?: string;
  share?: boolean;
  position: Position;
}

const RESPONSE_TYPES: ReadonlyMap<string, ResponseType> = new Map([
  ['single', 'singleton'],
  ['singleton', 'singleton'],
  ['stream', 'stream'],
  ['chunk', 'chunked'],
  ['chunked', 'chunked'],
]);

function sharedSubject(kind: SharedKind): OptionHandler<ExportDraft> {
  return (draft, { value, position, problems }) => {
    if (value.kind !== 'string') {
      problems.error(position, `Expected ${kind} name to be string, got ${kindName(value.kind)}`);
    } else if (draft.kind !== undefined) {
      problems.error(position, `Detected ${kind} "${value.value}" but already saw a ${draft.kind}`);
    } else {
      draft.kind = kind;
      draft.subject = value.value;
    }
  };
}

const responseType: Reader<ResponseType> = ({ value, position, problems }) => {
  if (value.kind !== 'string') {
    problems.error(position, `Expected response type to be string, got ${kindName(value.kind)}`);
    return undefined;
  }
  const type = RESPONSE_TYPES.get(value.value.toLowerCase());
  if (type === undefined) problems.error(position, `Unknown response type: "${value.value}"`);
  return type;
};

const exportSection = section<ExportDraft>([
  ['stream', sharedSubject('stream')],
  ['service', sharedSubject('service')],
  ['accounts', set('accounts', texts)],
  ['response response_type', set('responseType', responseType)],
  ['threshold response_threshold response_max_time response_time', set('responseMs', duration({ min: 1 }))],
  ['account_token_position', set('accountTokenPosition', integer({ min: 0 }))],
  ['latency allow_trace', unsupported()],
]);

/** `{ account, subject }` of an import. */
const originSection = section<ImportDraft>([
  ['account', set('account', text)],
  ['subject', set('subject', text)],
]);

function origin(kind: SharedKind): OptionHandler<ImportDraft> {
  return (draft, { name, value, position, problems }) => {
    if (draft.kind !== undefined) {
      problems.error(position, `Detected ${kind} but already saw a ${draft.kind}`);
      return;
    }
    if (value.kind !== 'map') {
      const word = kind === 'stream' ? 'Stream' : 'Service';
      problems.error(position, `${word} entry should be an account map, got ${kindName(value.kind)}`);
      return;
    }
    draft.kind = kind;
    readSection(value, originSection, draft, problems, `${name}.`);
    if (!draft.account || !draft.subject) problems.error(position, 'Expect an account name and a subject');
  };
}

const importSection = section<ImportDraft>([
  ['stream', origin('stream')],
  ['service', origin('service')],
  ['prefix', set('prefix', text)],
  ['to', set('to', text)],
  ['share', set('share', flag)],
  ['allow_trace', unsupported()],
]);

export function readExports(into: ExportDraft[], reading: Reading): void {
  readItems('Export', exportSection, into, reading);
  for (const each of into) {
    const answers = each.responseType !== undefined || each.responseMs !== undefined;
    if (answers && each.kind === 'stream') {
      reading.problems.error(each.position, 'Detected response directive on non-service');
    }
  }
}

export function readImports(into: ImportDraft[], reading: Reading): void {
  readItems('Import', importSection, into, reading);
  for (const { kind, prefix, to, position } of into) {
    if (kind === 'stream' && prefix !== undefined && to !== undefined) {
      reading.problems.error(position, "Stream import can not have a 'prefix' and a 'to' property");
    }
  }
}

function readItems<Draft extends { position: Position }>(
  what: 'Export' | 'Import',
  options: Section<Draft | { position: Position }>,
  into: Draft[],
  { name, value, position, problems }: Reading,
): void {
  if (value.kind !== 'array') {
    problems.error(position, `${what}s should be an array, got ${kindName(value.kind)}`);
    return;
  }
  for (const item of value.items) {
    if (item.kind !== 'map') {
      problems.error(item.position, `${what} Items should be a map with type entry, got ${kindName(item.kind)}`);
      continue;
    }
    const draft = { position: item.position } as Draft;
    readSection(item, options as Section<Draft>, draft, problems, `${name}.`);
    into.push(draft);
  }
}
