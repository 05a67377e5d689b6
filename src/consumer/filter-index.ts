/** Owns the way from a subject to the consumers that want it. */

/** Subjects whose consumers are remembered, until a filter changes. */
const MAX_CACHED_SUBJECTS = 4096;

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  readonly exact: Set<T>;
  readonly rest: Set<T>;
}

function emptyNode<T>(): Node<T> {
  return { children: new Map(), exact: new Set(), rest: new Set() };
}

/** Finds those who want a subject without asking each: a tree of subject tokens, and a memory of recent answers. */
export class FilterIndex<T> {
  readonly #root: Node<T> = emptyNode();
  readonly #cache = new Map<string, readonly T[]>();
  #filters = 0;

  get empty(): boolean {
    return this.#filters === 0;
  }

  add(filter: string, value: T): void {
    const tokens = bytewise(filter).split('.');
    let node = this.#root;
    const open = tokens.at(-1) === '>';
    for (const token of open ? tokens.slice(0, -1) : tokens) {
      let child = node.children.get(token);
      if (child === undefined) node.children.set(token, (child = emptyNode()));
      node = child;
    }
    (open ? node.rest : node.exact).add(value);
    this.#filters++;
    this.#cache.clear();
  }

  remove(filter: string, value: T): void {
    const tokens = bytewise(filter).split('.');
    const open = tokens.at(-1) === '>';
    if (open) tokens.pop();
    if (this.#removeFrom(this.#root, tokens, 0, open, value)) this.#filters--;
    this.#cache.clear();
  }

  /** Those who want the literal subject in `buffer[start, end)`: each at most once, in no particular order. */
  match(buffer: Buffer, start: number, end: number): readonly T[] {
    const subject = buffer.toString('latin1', start, end);
    const known = this.#cache.get(subject);
    if (known !== undefined) return known;
    const found = new Set<T>();
    this.#collect(this.#root, subject.split('.'), 0, found);
    if (this.#cache.size >= MAX_CACHED_SUBJECTS) this.#cache.clear();
    const result = [...found];
    this.#cache.set(subject, result);
    return result;
  }

  #collect(node: Node<T>, tokens: readonly string[], depth: number, found: Set<T>): void {
    if (depth === tokens.length) {
      for (const value of node.exact) found.add(value);
      return;
    }
    for (const value of node.rest) found.add(value);
    const token = tokens[depth]!;
    const literal = node.children.get(token);
    if (literal !== undefined) this.#collect(literal, tokens, depth + 1, found);
    const any = token === '*' ? undefined : node.children.get('*');
    if (any !== undefined) this.#collect(any, tokens, depth + 1, found);
  }

  #removeFrom(node: Node<T>, tokens: readonly string[], depth: number, open: boolean, value: T): boolean {
    if (depth === tokens.length) return (open ? node.rest : node.exact).delete(value);
    const token = tokens[depth]!;
    const child = node.children.get(token);
    if (child === undefined || !this.#removeFrom(child, tokens, depth + 1, open, value)) return false;
    if (child.children.size + child.exact.size + child.rest.size === 0) node.children.delete(token);
    return true;
  }
}

/** One character per byte, as subjects are compared here. */
function bytewise(text: string): string {
  return Buffer.from(text).toString('latin1');
}
