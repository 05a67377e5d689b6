/** Owns matching a subject against thousands of patterns: a tree of their tokens, so that none is looked at by itself. */
import { byteString } from './byte-string.ts';

interface Node {
  readonly children: Map<string, Node>;
  /** A pattern ends here. */
  ends: boolean;
  /** A pattern goes on with `>`. */
  open: boolean;
}

const emptyNode = (): Node => ({ children: new Map(), ends: false, open: false });

export class SubjectTree {
  readonly #root = emptyNode();

  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) this.#add(byteString(pattern).split('.'));
  }

  /** Whether the literal subject in `buffer[start, end)` matches one of the patterns. */
  matches(buffer: Buffer, start: number, end: number): boolean {
    return start < end && leadsOn(this.#root, buffer.toString('latin1', start, end), 0);
  }

  #add(tokens: readonly string[]): void {
    let node = this.#root;
    for (const [index, token] of tokens.entries()) {
      if (token === '>' && index === tokens.length - 1) {
        node.open = true;
        return;
      }
      let child = node.children.get(token);
      if (child === undefined) node.children.set(token, (child = emptyNode()));
      node = child;
    }
    node.ends = true;
  }
}

/** Whether a pattern matches `subject` from its token at `start` on. */
function leadsOn(node: Node, subject: string, start: number): boolean {
  if (node.open) return true;
  const dot = subject.indexOf('.', start);
  const end = dot < 0 ? subject.length : dot;
  const literal = node.children.get(subject.slice(start, end));
  const any = node.children.get('*');
  if (dot < 0) return literal?.ends === true || any?.ends === true;
  if (literal !== undefined && leadsOn(literal, subject, dot + 1)) return true;
  return any !== undefined && leadsOn(any, subject, dot + 1);
}
