/** Owns the trie of subject filters: one node per token, `*` and `>` apart from the literal ones. */

const DOT = 0x2e;

class TrieNode<T> {
  value: T | undefined;
  literals: Map<string, TrieNode<T>> | undefined;
  /** The child for `*`. */
  any: TrieNode<T> | undefined;
  /** The child for `>`, always a leaf. */
  rest: TrieNode<T> | undefined;

  get empty(): boolean {
    return this.value === undefined && this.literals === undefined && this.any === undefined && this.rest === undefined;
  }

  child(token: string): TrieNode<T> | undefined {
    if (token === '*') return this.any;
    return token === '>' ? this.rest : this.literals?.get(token);
  }

  obtainChild(token: string): TrieNode<T> {
    if (token === '*') return (this.any ??= new TrieNode());
    if (token === '>') return (this.rest ??= new TrieNode());
    this.literals ??= new Map();
    let child = this.literals.get(token);
    if (child === undefined) {
      child = new TrieNode();
      this.literals.set(token, child);
    }
    return child;
  }

  removeChild(token: string): void {
    if (token === '*') this.any = undefined;
    else if (token === '>') this.rest = undefined;
    else {
      this.literals?.delete(token);
      if (this.literals?.size === 0) this.literals = undefined;
    }
  }
}

/** What a subject's last token means for its matches. */
export type MatchScope =
  /** Empty tokens: nothing matches. */
  | 'malformed'
  /** Any other last token gives the same matches. */
  | 'prefix'
  | 'subject';

export class SubjectTrie<T> {
  readonly #root = new TrieNode<T>();
  #size = 0;
  #decidedBytes = 0;
  #level: TrieNode<T>[] = [];
  #nextLevel: TrieNode<T>[] = [];

  get size(): number {
    return this.#size;
  }

  /** How many bytes of the subject matched last, through a dot, decided its matches alone; 0: more than one can say. */
  get decidedBytes(): number {
    return this.#decidedBytes;
  }

  get(filter: string): T | undefined {
    let node: TrieNode<T> | undefined = this.#root;
    for (const token of filter.split('.')) {
      node = node.child(token);
      if (node === undefined) return undefined;
    }
    return node.value;
  }

  set(filter: string, value: T): void {
    let node = this.#root;
    for (const token of filter.split('.')) node = node.obtainChild(token);
    if (node.value === undefined) this.#size++;
    node.value = value;
  }

  delete(filter: string): void {
    const tokens = filter.split('.');
    const path = [this.#root];
    for (const token of tokens) {
      const child = path.at(-1)!.child(token);
      if (child === undefined) return;
      path.push(child);
    }
    const leaf = path.at(-1)!;
    if (leaf.value !== undefined) this.#size--;
    leaf.value = undefined;
    for (let depth = tokens.length; depth > 0 && path[depth]!.empty; depth--) {
      path[depth - 1]!.removeChild(tokens[depth - 1]!);
    }
  }

  /**
   * Appends the values of all filters that match the literal subject in `buffer[start, end)`. Goes level by level, not by
   * recursion: a subject may have thousands of tokens.
   */
  match(buffer: Buffer, start: number, end: number, found: T[]): MatchScope {
    let scope: MatchScope = 'prefix';
    let level = this.#level;
    let nextLevel = this.#nextLevel;
    this.#decidedBytes = 0;
    level.push(this.#root);
    for (let tokenStart = start; ;) {
      let tokenEnd = tokenStart;
      while (tokenEnd < end && buffer[tokenEnd] !== DOT) tokenEnd++;
      if (tokenEnd === tokenStart) {
        found.length = 0;
        scope = 'malformed';
        break;
      }
      if (this.#decidedBytes === 0 && !level.some(tellsTokensApart)) this.#decidedBytes = tokenStart - start;
      const last = tokenEnd === end;
      if (last && level.some((node) => node.literals !== undefined)) scope = 'subject';
      this.#descend(level, nextLevel, buffer.toString('latin1', tokenStart, tokenEnd), found);
      [level, nextLevel] = [nextLevel, level];
      nextLevel.length = 0;
      if (last) break;
      tokenStart = tokenEnd + 1;
    }
    if (scope !== 'malformed') for (const node of level) if (node.value !== undefined) found.push(node.value);
    level.length = 0;
    nextLevel.length = 0;
    this.#level = level;
    this.#nextLevel = nextLevel;
    return scope;
  }

  #descend(level: readonly TrieNode<T>[], nextLevel: TrieNode<T>[], token: string, found: T[]): void {
    for (const node of level) {
      if (node.rest?.value !== undefined) found.push(node.rest.value);
      const literal = node.literals?.get(token);
      if (literal !== undefined) nextLevel.push(literal);
      if (node.any !== undefined) nextLevel.push(node.any);
    }
  }

  /** The values stored under literal subjects that `filter` matches. */
  matchedBy(filter: string): T[] {
    let level = [this.#root];
    const tokens = filter.split('.');
    for (const token of tokens) {
      if (token === '>') return level.flatMap((node) => [...subtree(node)].slice(node.value === undefined ? 0 : 1));
      level = level.flatMap((node) => {
        if (token === '*') return [...(node.literals?.values() ?? [])];
        const child = node.literals?.get(token);
        return child === undefined ? [] : [child];
      });
    }
    return level.flatMap((node) => (node.value === undefined ? [] : [node.value]));
  }

  /** Every value, in no order that means anything. */
  values(): Generator<T> {
    return subtree(this.#root);
  }
}

function tellsTokensApart<T>(node: TrieNode<T>): boolean {
  return node.literals !== undefined || node.any !== undefined;
}

/** The node's own value first, if it has one. */
function* subtree<T>(root: TrieNode<T>): Generator<T> {
  const open = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.value !== undefined) yield node.value;
    if (node.any !== undefined) open.push(node.any);
    if (node.rest !== undefined) open.push(node.rest);
    for (const child of node.literals?.values() ?? []) open.push(child);
  }
}
