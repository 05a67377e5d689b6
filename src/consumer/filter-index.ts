/** Owns the way from a subject to the consumers that want it. */
import { byteString } from '../base/byte-string.ts';

/** Subjects whose consumers are remembered, until a filter changes. */
const MAX_CACHED_SUBJECTS = 4096;

interface Node<T> {
  readonly number: number;
  readonly children: Map<string, Node<T>>;
  readonly exact: Set<T>;
  readonly rest: Set<T>;
}

/** Finds those who want a subject without asking each: a tree of subject tokens, and a memory of recent answers. */
export class FilterIndex<T> {
  #nodes = 0;
  readonly #root: Node<T> = this.#emptyNode();
  readonly #cache = new Map<string, readonly T[]>();
  /** By the sets that an answer is made of. */
  readonly #answers = new Map<string, readonly T[]>();
  #filters = 0;

  get empty(): boolean {
    return this.#filters === 0;
  }

  add(filter: string, value: T): void {
    const tokens = byteString(filter).split('.');
    let node = this.#root;
    const open = tokens.at(-1) === '>';
    for (const token of open ? tokens.slice(0, -1) : tokens) {
      let child = node.children.get(token);
      if (child === undefined) node.children.set(token, (child = this.#emptyNode()));
      node = child;
    }
    (open ? node.rest : node.exact).add(value);
    this.#filters++;
    this.#forgetAnswers();
  }

  remove(filter: string, value: T): void {
    const tokens = byteString(filter).split('.');
    const open = tokens.at(-1) === '>';
    if (open) tokens.pop();
    if (this.#removeFrom(this.#root, tokens, 0, open, value)) this.#filters--;
    this.#forgetAnswers();
  }

  /**
   * Those who want the literal subject in `buffer[start, end)`: each at most once, in no particular order. Subjects that
   * the same filters let through get the same list, until a filter changes.
   */
  match(buffer: Buffer, start: number, end: number): readonly T[] {
    const subject = buffer.toString('latin1', start, end);
    const known = this.#cache.get(subject);
    if (known !== undefined) return known;
    const found: Found<T> = { key: '', sets: [] };
    this.#collect(this.#root, subject.split('.'), 0, found);
    if (this.#cache.size >= MAX_CACHED_SUBJECTS) this.#cache.clear();
    const answer = this.#answerOf(found);
    this.#cache.set(subject, answer);
    return answer;
  }

  #answerOf({ key, sets }: Found<T>): readonly T[] {
    let answer = this.#answers.get(key);
    if (answer !== undefined) return answer;
    const values = new Set<T>();
    for (const set of sets) for (const value of set) values.add(value);
    answer = [...values];
    if (this.#answers.size >= MAX_CACHED_SUBJECTS) this.#answers.clear();
    this.#answers.set(key, answer);
    return answer;
  }

  #forgetAnswers(): void {
    this.#cache.clear();
    this.#answers.clear();
  }

  #emptyNode(): Node<T> {
    return { number: this.#nodes++, children: new Map(), exact: new Set(), rest: new Set() };
  }

  #collect(node: Node<T>, tokens: readonly string[], depth: number, found: Found<T>): void {
    if (depth === tokens.length) {
      note(found, node.exact, `${node.number}.`);
      return;
    }
    note(found, node.rest, `${node.number}>`);
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

/** The sets that a subject leads to, and a name for all of them together. */
interface Found<T> {
  key: string;
  readonly sets: ReadonlySet<T>[];
}

function note<T>(found: Found<T>, set: ReadonlySet<T>, name: string): void {
  if (set.size === 0) return;
  found.key += name;
  found.sets.push(set);
}
