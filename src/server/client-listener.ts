/** Owns the TCP listener for clients: accepting them, numbering them, and turning away those beyond the limit. */
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../base/logger.ts';
import type { Runtime } from '../base/runtime.ts';
import type { ConnectionOrigin } from './connection.ts';

/** As many half-open connections may wait for us: thousands of clients reconnect at once after a restart. */
const BACKLOG = 4096;
/** How many of them are greeted per turn, so that those who are connected do not wait for all of them. */
const GREETED_PER_TURN = 64;

type SocketHandler = (socket: Socket, origin: Omit<ConnectionOrigin, 'connectionId'>) => void;

export class ClientListener {
  readonly #server: Server;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly #onSocket: SocketHandler;
  /** Accepted, not yet greeted. */
  #waiting: Socket[] = [];
  #greeting = false;
  #address: AddressInfo | undefined;

  constructor(options: { readonly runtime: Runtime; readonly logger: Logger; readonly onSocket: SocketHandler }) {
    this.#runtime = options.runtime;
    this.#logger = options.logger;
    this.#onSocket = options.onSocket;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      // It may be reset while it waits; without a listener that would end the process.
      socket.on('error', () => socket.destroy());
      this.#waiting.push(socket);
      if (!this.#greeting) this.#greetSome();
    });
  }

  /** The port that clients reach us at; 0 while not listening. */
  get port(): number {
    return this.#address?.port ?? 0;
  }

  /** Resolves once clients can connect. @throws whatever `listen` failed with, e.g. EADDRINUSE */
  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => {
          // Out of file descriptors, mostly. Node keeps listening, and clients try again.
          this.#logger.error({ error: error.message }, 'client_accept_failed');
        });
        this.#address = this.#server.address() as AddressInfo;
        resolve();
      });
    });
  }

  /** Accepts nobody any more; open connections stay. */
  close(): void {
    if (this.#address === undefined) return;
    this.#address = undefined;
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting = [];
  }

  #greetSome(): void {
    const sockets = this.#waiting.splice(0, GREETED_PER_TURN);
    this.#greeting = sockets.length > 0;
    for (const socket of sockets) this.#greet(socket);
    if (!this.#greeting) return;
    this.#runtime.defer(() => {
      this.#greetSome();
    });
  }

  #greet(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    // Gone already: there is nobody to talk to.
    if (remoteAddress === undefined || remotePort === undefined) socket.destroy();
    else this.#onSocket(socket, { host: remoteAddress.replace(/^::ffff:/, ''), port: remotePort });
  }
}
