/** Owns reading the parameters of a monitoring request. Complaints have the words of the reference server. */

/** Answered with 400 and the message as text. */
export class BadParameter extends Error {
  override readonly name = 'BadParameter';
}

const TRUE_WORDS = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE_WORDS = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False', '']);

export class Query {
  readonly #parameters: URLSearchParams;

  constructor(parameters: URLSearchParams) {
    this.#parameters = parameters;
  }

  /** Empty if missing. */
  text(name: string): string {
    return this.#parameters.get(name) ?? '';
  }

  /** Missing and empty mean false. @throws {BadParameter} */
  boolean(name: string): boolean {
    const value = this.text(name);
    if (TRUE_WORDS.has(value)) return true;
    if (FALSE_WORDS.has(value)) return false;
    throw new BadParameter(
      `Error decoding boolean for '${name}': strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
    );
  }

  /** Missing, empty and negative mean the fallback. @throws {BadParameter} */
  count(name: string, fallback: number): number {
    const value = this.text(name);
    if (value === '') return fallback;
    if (!/^[+-]?\d{1,15}$/.test(value)) {
      throw new BadParameter(
        `Error decoding int for '${name}': strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`,
      );
    }
    return Number(value) < 0 ? fallback : Number(value);
  }

  /** A connection's id; 0 means none was given. @throws {BadParameter} */
  id(name: string): number {
    const value = this.text(name);
    if (value === '') return 0;
    if (!/^\d{1,15}$/.test(value)) {
      throw new BadParameter(
        `Error decoding uint64 for '${name}': strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`,
      );
    }
    return Number(value);
  }

  /** `subs`: a boolean or `detail`. @throws {BadParameter} */
  detail(name: string): 'none' | 'list' | 'detail' {
    if (this.text(name).toLowerCase() === 'detail') return 'detail';
    return this.boolean(name) ? 'list' : 'none';
  }

  /** @throws {BadParameter} */
  page(): Page {
    const limit = this.count('limit', 0);
    return { offset: this.count('offset', 0), limit: limit === 0 ? DEFAULT_LIMIT : limit };
  }
}

const DEFAULT_LIMIT = 1024;

export interface Page {
  readonly offset: number;
  readonly limit: number;
}

export function cut<T>(items: readonly T[], page: Page): readonly T[] {
  return items.slice(page.offset, page.offset + page.limit);
}
