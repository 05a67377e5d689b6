/**
 * Owns finding out whether a subject collides with any of many others, wildcards on both sides included, without comparing
 * it with each: they are kept as a tree of tokens.
 */

interface Branch {
  readonly next: Map<string, Branch>;
  /** The subject that ends here, if one does. */
  subject: string | undefined;
}

function newBranch(): Branch {
  return { next: new Map(), subject: undefined };
}

/** Branches looked at for one set of subjects: wildcards in the middle can make it look at all of them each time. */
const MAX_STEPS = 2_000_000;

export class SubjectOverlap {
  readonly #root = newBranch();
  #steps = 0;

  constructor(subjects: readonly string[] = []) {
    for (const subject of subjects) this.add(subject);
  }

  /** True when looking has become too expensive to go on; then `find` finds nothing any more. */
  get exhausted(): boolean {
    return this.#steps > MAX_STEPS;
  }

  add(subject: string): void {
    let branch = this.#root;
    for (const token of subject.split('.')) {
      let next = branch.next.get(token);
      if (next === undefined) branch.next.set(token, (next = newBranch()));
      branch = next;
    }
    branch.subject = subject;
  }

  /** One of the subjects that `subject` collides with. */
  find(subject: string): string | undefined {
    const tokens = subject.split('.');
    let reached = [this.#root];
    for (const token of tokens) {
      const next: Branch[] = [];
      for (const branch of reached) {
        if (this.exhausted) return undefined;
        const rest = branch.next.get('>')?.subject;
        if (rest !== undefined) return rest;
        if (token === '>') {
          const below = anySubject(branch);
          if (below !== undefined) return below;
        } else {
          this.#follow(branch, token, next);
        }
      }
      reached = next;
    }
    return reached.find((branch) => branch.subject !== undefined)?.subject;
  }

  #follow(branch: Branch, token: string, into: Branch[]): void {
    if (token === '*') {
      this.#steps += branch.next.size;
      for (const next of branch.next.values()) into.push(next);
      return;
    }
    this.#steps++;
    const same = branch.next.get(token);
    const any = branch.next.get('*');
    if (same !== undefined) into.push(same);
    if (any !== undefined) into.push(any);
  }
}

/** Some subject behind the branch, its own not counted. */
function anySubject(branch: Branch): string | undefined {
  let at = branch;
  for (;;) {
    const [next] = at.next.values();
    if (next === undefined) return undefined;
    if (next.subject !== undefined) return next.subject;
    at = next;
  }
}
