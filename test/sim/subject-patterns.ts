/** Owns what subjects with wildcards mean, token by token, as plainly as can be. */

/** Does `subject` match the filter? */
export function matchesPattern(filter: string, subject: string): boolean {
  return wildcardsOf(filter, subject) !== undefined;
}

/** What becomes of `subject` by the first of these that matches it; `$1` in a destination is the first wildcard's token. */
export function mappedSubject(
  subject: string,
  mappings: readonly { readonly src: string; readonly dest: string }[],
): string {
  for (const { src, dest } of mappings) {
    const wildcards = wildcardsOf(src, subject);
    if (wildcards === undefined) continue;
    return dest === '' ? subject : dest.replace(/\$(\d+)/g, (_, number: string) => wildcards[Number(number) - 1]!);
  }
  return subject;
}

/** What the wildcards stand for; undefined: the subject does not match. */
function wildcardsOf(filter: string, subject: string): string[] | undefined {
  const wanted = filter.split('.');
  const tokens = subject.split('.');
  const wildcards: string[] = [];
  for (const [at, token] of wanted.entries()) {
    if (token === '>') return at < tokens.length ? wildcards : undefined;
    if (at >= tokens.length) return undefined;
    if (token === '*') wildcards.push(tokens[at]!);
    else if (token !== tokens[at]) return undefined;
  }
  return wanted.length === tokens.length ? wildcards : undefined;
}
