/**
 * Owns what clients did to the keys of a bucket at the same time, and whether some order of it explains everything.
 *
 * A key is a register whose every write has a revision of its own, so there is only one order that can: by revision. The
 * history is linearizable if no operation that began after another had ended comes before it in that order, and none
 * shows a revision whose write had not begun.
 */

/** Shows or makes a revision of a key. `end` of a write that was not answered: infinity. */
export interface Operation {
  readonly kind:
    | 'write'
    /** A read, or a refusal that names the revision, by the leader. */
    | 'read'
    /** By the replica of the node that was asked. */
    | 'directRead';
  readonly key: string;
  /** Where the client is connected. */
  readonly node: number;
  readonly begin: number;
  readonly end: number;
  /** Of a write: undefined if it was not answered, or refused. Of a read: 0 if there is none. */
  readonly revision: number | undefined;
  /** Of a write: unlike that of any other. */
  readonly value?: string;
  /** Of a write that demands the revision before its own. */
  readonly expected?: number;
}

/** What the bucket holds in the end: every revision of every key, in order. */
export type Stored = readonly { readonly key: string; readonly revision: number; readonly value: string }[];

/** What no order explains, in words; empty: the history is linearizable, as far as is promised. */
export function violations(operations: readonly Operation[], stored: Stored): string[] {
  const writes = new Map(operations.flatMap((each) => (each.value === undefined ? [] : [[each.value, each] as const])));
  const found = [...wrongWrites(operations, stored, writes)];
  const complete = operations.map((operation) => {
    if (operation.kind !== 'write' || operation.revision !== undefined) return operation;
    return { ...operation, revision: stored.find(({ value }) => value === operation.value)?.revision };
  });
  const began = new Map(stored.map(({ revision, value }) => [revision, writes.get(value)?.begin ?? 0]));
  for (const operation of complete) {
    const { kind, revision, end } = operation;
    if (kind === 'write' || revision === undefined || revision === 0) continue;
    if (!began.has(revision)) found.push(`${shown(operation)}: nobody wrote it`);
    else if (began.get(revision)! > end) found.push(`${shown(operation)}: its write began later`);
  }
  for (const key of new Set(complete.map((each) => each.key))) {
    const ofKey = complete.filter((each) => each.key === key && each.revision !== undefined);
    found.push(...outOfOrder(ofKey.filter(({ kind }) => kind !== 'directRead')));
    // What a client reads directly is not older than what any client of the same node knows.
    for (const node of new Set(ofKey.map((each) => each.node))) {
      found.push(...outOfOrder(ofKey.filter((each) => each.node === node)));
    }
  }
  return [...new Set(found)];
}

/** Acknowledged and not stored, stored twice, or over another revision than was demanded. */
function* wrongWrites(
  operations: readonly Operation[],
  stored: Stored,
  writes: ReadonlyMap<string, Operation>,
): Generator<string> {
  const byRevision = new Map(stored.map((each) => [each.revision, each]));
  for (const operation of operations) {
    const { kind, revision, value, key } = operation;
    if (kind !== 'write' || revision === undefined) continue;
    const there = byRevision.get(revision);
    if (there?.value !== value || there?.key !== key) yield `${shown(operation)}: not what is stored`;
  }
  const last = new Map<string, number>();
  const seen = new Set<string>();
  for (const { key, revision, value } of stored) {
    const expected = writes.get(value)?.expected;
    const before = last.get(key) ?? 0;
    if (seen.has(value)) yield `${key}@${revision}: ${value} is stored twice`;
    if (expected !== undefined && expected !== before) {
      yield `${key}@${revision}: follows ${before} instead of ${expected}`;
    }
    seen.add(value);
    last.set(key, revision);
  }
}

/** Operations that come before one that had ended when they began. */
function* outOfOrder(operations: readonly Operation[]): Generator<string> {
  const byBegin = [...operations].sort((a, b) => a.begin - b.begin);
  const byEnd = [...operations].sort((a, b) => a.end - b.end);
  let ended = 0;
  let newest: Operation | undefined;
  for (const operation of byBegin) {
    for (; ended < byEnd.length && byEnd[ended]!.end < operation.begin; ended++) {
      if (newest === undefined || byEnd[ended]!.revision! > newest.revision!) newest = byEnd[ended];
    }
    const floor = newest === undefined ? 0 : newest.revision! + (operation.kind === 'write' ? 1 : 0);
    if (operation.revision! < floor) yield `${shown(operation)}: after ${shown(newest!)} had ended`;
  }
}

function shown({ kind, key, node, revision, value, begin, end }: Operation): string {
  const what = value === undefined ? '' : ` ${value}`;
  return `${kind} of ${key}@${revision}${what} through node ${node} at ${begin.toFixed(1)}-${end.toFixed(1)}`;
}
