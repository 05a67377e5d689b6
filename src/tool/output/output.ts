/** Owns where results go: text for people, or with --json the documents themselves. */
import { once } from 'node:events';
import { facts, table, type Column, type Section } from './table.ts';
import type { Style } from './style.ts';
import { harmlessLine } from './width.ts';

/** Where it is a terminal, it has columns. */
export type Destination = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

export interface OutputOptions {
  readonly json: boolean;
  readonly style: Style;
  readonly destination: Destination;
  /** Clears away what is in the way. */
  readonly beforeWrite?: () => void;
}

export class Output {
  readonly json: boolean;
  readonly style: Style;
  readonly #destination: Destination;
  readonly #beforeWrite: () => void;

  constructor(options: OutputOptions) {
    this.json = options.json;
    this.style = options.style;
    this.#destination = options.destination;
    this.#beforeWrite = options.beforeWrite ?? ((): void => undefined);
  }

  /** Resolves when more may be written. */
  async write(text: string | Uint8Array): Promise<void> {
    this.#beforeWrite();
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

  /** Nothing but names: a line each. */
  async names(names: readonly string[]): Promise<void> {
    await this.document(names, () => names.map((name) => `${harmlessLine(name)}\n`).join(''));
  }

  /** `empty` is said instead of a table without rows. */
  table<R>(columns: readonly Column<R>[], rows: readonly R[], empty: string): string {
    return rows.length === 0 ? `${empty}\n` : table(columns, rows, this.style, this.#room());
  }

  /** A terminal's width; elsewhere nothing is cut. */
  #room(): number {
    const { isTTY, columns } = this.#destination;
    return isTTY === true && columns !== undefined && columns > 0 ? columns : Infinity;
  }

  facts(sections: readonly Section[]): string {
    return facts(sections, this.style);
  }
}
