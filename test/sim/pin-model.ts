/** Owns what clients of a consumer with a pinned client may expect: one at a time, and a pin that is over never comes back. */

export class PinModel {
  readonly #complain: (violation: string) => void;
  readonly #holders = new Map<string, number>();
  readonly #over = new Set<string>();
  #current: string | undefined;

  constructor(complain: (violation: string) => void) {
    this.#complain = complain;
  }

  delivered(pin: string, client: number): void {
    if (pin === '') this.#complain(`client ${client} got a message without a pin`);
    const holder = this.#holders.get(pin) ?? client;
    this.#holders.set(pin, holder);
    if (holder !== client) this.#complain(`pin ${pin} of client ${holder} came to client ${client}`);
    if (this.#over.has(pin)) this.#complain(`pin ${pin} came back after ${this.#current ?? 'nothing'}`);
    if (this.#current !== undefined && this.#current !== pin) this.#over.add(this.#current);
    this.#current = pin;
  }
}
