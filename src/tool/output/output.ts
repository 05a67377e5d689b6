/** Owns where results go: text for people, or with --json the documents themselves. */
import { once } from 'node:events';
import { facts, table, type Column, type Section } from './table.ts';
import type { Style } from './style.ts';

export class Output {
  readonly json: boolean;
  readonly style: Style;
  readonly #destination: NodeJS.WritableStream;

  constructor(options: { readonly json: boolean; readonly style: Style; readonly destination: NodeJS.WritableStream }) {
    this.json = options.json;
    this.style = options.style;
    this.#destination = options.destination;
  }

  /** Resolves when more may be written. */
  async write(text: string | Uint8Array): Promise<void> {
    if (!this.#destination.write(text)) await once(this.#destination, 'drain');
  }

  /** For people only: nothing of it is printed with --json. */
  async say(line: string): Promise<void> {
    if (!this.json) await this.write(`${line}\n`);
  }

  /** One result: the document as it is, or what `text` makes of it. */
  async document(document: unknown, text: () => string): Promise<void> {
    await this.write(this.json ? `${JSON.stringify(document, null, 2)}\n` : text());
  }

  /** One of many results: a line with its document, or what `text` makes of it. */
  async item(document: unknown, text: () => string): Promise<void> {
    await this.write(this.json ? `${JSON.stringify(document)}\n` : text());
  }

  /** `empty` is said instead of a table without rows. */
  table<R>(columns: readonly Column<R>[], rows: readonly R[], empty: string): string {
    return rows.length === 0 ? `${empty}\n` : table(columns, rows, this.style);
  }

  facts(sections: readonly Section[]): string {
    return facts(sections, this.style);
  }
}
