/** Owns the TCP listener for clients: accepting them, numbering them, and turning away those beyond the limit. */
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../base/logger.ts';
import type { ConnectionOrigin } from './connection.ts';

/** As many half-open connections may wait for us: thousands of clients reconnect at once after a restart. */
const BACKLOG = 4096;

export class ClientListener {
  readonly #server: Server;
  readonly #logger: Logger;
  #address: AddressInfo | undefined;

  constructor(options: {
    readonly logger: Logger;
    readonly onSocket: (socket: Socket, origin: Omit<ConnectionOrigin, 'connectionId'>) => void;
  }) {
    this.#logger = options.logger;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const { remoteAddress, remotePort } = socket;
      // Gone already: there is nobody to talk to.
      if (remoteAddress === undefined || remotePort === undefined) socket.destroy();
      else options.onSocket(socket, { host: remoteAddress.replace(/^::ffff:/, ''), port: remotePort });
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
  }
}
