/**
 * Owns our use of gRPC: the server, the clients, their options, and how the handshake travels. Loaded only by nodes of
 * a cluster; a standalone server never imports it.
 *
 * Differs from what one would expect in one point: a stream carries frames from the server's side to the client's. Only
 * a client of grpc-js can widen its receive window (a server is stuck with 64 KiB), and this way a stranger can't send
 * us anything at all: our server reads nothing but empty requests.
 */
import * as grpc from '@grpc/grpc-js';
import { invariant } from '../base/errors.ts';
import type { Runtime } from '../base/runtime.ts';
import type { Description } from './links.ts';
import type { TlsOptions } from './options.ts';
import { decodeDescription, decodeHello, decodeNodes, encodeDescription, encodeHello, type Hello } from './wire.ts';

const HELLO_KEY = 'millrace-hello-bin';
const WELCOME_KEY = 'millrace-welcome-bin';
/** Room for a peer that is busy with its own start. */
const GREET_TIMEOUT_MS = 3000;
/** A record (MAX_RECORD_BYTES in raft/) or the largest message, and the frame around it. */
export const MAX_FRAME_BYTES = 88 * 1024 * 1024;
const MAX_PACKET_BYTES = 96 * 1024 * 1024;
const MAX_REQUEST_BYTES = 1024;
const RECEIVE_WINDOW_BYTES = 8 * 1024 * 1024;

// Connections that carry nothing at the moment (bulk most of the time) are known to be dead by these.
const KEEPALIVE: grpc.ChannelOptions = { 'grpc.keepalive_time_ms': 5000, 'grpc.keepalive_timeout_ms': 3000 };

const CLIENT_OPTIONS: grpc.ChannelOptions = {
  ...KEEPALIVE,
  'grpc.max_receive_message_length': MAX_PACKET_BYTES,
  'grpc.max_send_message_length': MAX_REQUEST_BYTES,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  // Control, traffic and bulk to one address would share one connection otherwise.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc-node.flow_control_window': RECEIVE_WINDOW_BYTES,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
};

const SERVER_OPTIONS: grpc.ServerOptions = {
  ...KEEPALIVE,
  'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
  'grpc.max_send_message_length': MAX_PACKET_BYTES,
};

const same = (bytes: Buffer): Buffer => bytes;
const EMPTY = Buffer.alloc(0);

const GREET = {
  path: '/millrace.Peer/Greet',
  requestStream: false,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};
const ATTACH = { ...GREET, path: '/millrace.Peer/Attach', responseStream: true };

/** A stream that a peer dialled: we write to it. */
export interface Outlet {
  write(packet: Buffer, written: () => void): void;
  /** The peer learns `reason`. `onEnd` is not called any more. */
  end(reason: string): void;
}

/** A stream that we dialled: it delivers to us until it ends, or `cancel` is called; nothing is called after that. */
export interface Intake {
  cancel(): void;
}

/** How we describe ourselves, and who gets the stream and hears of its end. */
export interface Acceptance {
  readonly welcome: Description;
  open(outlet: Outlet): void;
  ended(): void;
}

/** What the server asks when a peer calls. Both throw a `Refusal` to turn it away. */
export interface EndpointHandler {
  greeted(hello: Hello, remoteHost: string): Buffer;
  attached(hello: Hello, remoteHost: string): Acceptance;
}

/** A peer is turned away; it learns the message. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

export class GrpcEndpoint {
  readonly #runtime: Runtime;
  readonly #tls: TlsOptions | undefined;
  readonly #server = new grpc.Server(SERVER_OPTIONS);

  constructor(runtime: Runtime, tls: TlsOptions | undefined) {
    this.#runtime = runtime;
    this.#tls = tls;
  }

  /** @returns the port, for those who asked for any (0). */
  async listen(host: string, port: number, handler: EndpointHandler): Promise<number> {
    this.#server.addService(
      { greet: GREET, attach: ATTACH },
      {
        greet: (call: grpc.ServerUnaryCall<Buffer, Buffer>, reply: grpc.sendUnaryData<Buffer>) => {
          answerGreet(call, reply, handler);
        },
        attach: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
          acceptAttach(call, handler);
        },
      },
    );
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, this.#serverCredentials(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
  }

  async greet(address: string, hello: Hello): Promise<readonly Description[]> {
    const client = this.#client(address);
    try {
      return await new Promise((resolve, reject) => {
        const metadata = helloMetadata(hello);
        const call = client.makeUnaryRequest(GREET.path, same, same, EMPTY, metadata, (error, reply) => {
          timeout.cancel();
          const nodes = reply === undefined ? undefined : decodeNodes(reply);
          if (nodes !== undefined) resolve(nodes);
          else reject(new Error(error === null ? 'malformed answer' : reasonOf(error)));
        });
        const timeout = this.#runtime.after(GREET_TIMEOUT_MS, () => {
          call.cancel();
        });
      });
    } finally {
      client.close();
    }
  }

  /** Dials one stream. `welcomed` comes first and once; then packets; `ended` is the last call. */
  attach(
    address: string,
    hello: Hello,
    on: { welcomed(by: Description): void; packet(packet: Buffer): void; ended(reason: string): void },
  ): Intake {
    const client = this.#client(address);
    const call = client.makeServerStreamRequest(ATTACH.path, same, same, EMPTY, helloMetadata(hello));
    let open = true;
    const close = (): void => {
      open = false;
      call.cancel();
      client.close();
    };
    const ended = (reason: string): void => {
      if (!open) return;
      close();
      on.ended(reason);
    };
    call.on('metadata', (metadata) => {
      const bytes = binaryValue(metadata, WELCOME_KEY);
      const welcome = bytes === undefined ? undefined : decodeDescription(bytes);
      if (!open) return;
      // A refusal has no welcome: its reason follows as the call's error.
      if (welcome !== undefined) on.welcomed(welcome);
    });
    call.on('data', (packet: Buffer) => {
      if (open) on.packet(packet);
    });
    call.on('error', (error: grpc.ServiceError) => {
      ended(reasonOf(error));
    });
    call.on('end', () => {
      ended('stream ended');
    });
    return { cancel: close };
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #client(address: string): grpc.Client {
    const tls = this.#tls;
    const credentials =
      tls === undefined
        ? grpc.credentials.createInsecure()
        : grpc.credentials.createSsl(tls.ca, tls.key, tls.certificate);
    return new grpc.Client(address, credentials, CLIENT_OPTIONS);
  }

  #serverCredentials(): grpc.ServerCredentials {
    const tls = this.#tls;
    if (tls === undefined) return grpc.ServerCredentials.createInsecure();
    return grpc.ServerCredentials.createSsl(tls.ca, [{ private_key: tls.key, cert_chain: tls.certificate }], true);
  }
}

function answerGreet(
  call: grpc.ServerUnaryCall<Buffer, Buffer>,
  reply: grpc.sendUnaryData<Buffer>,
  handler: EndpointHandler,
): void {
  try {
    reply(null, handler.greeted(helloOf(call.metadata), remoteHost(call.getPeer())));
  } catch (error) {
    reply(refusalStatus(error));
  }
}

function acceptAttach(call: grpc.ServerWritableStream<Buffer, Buffer>, handler: EndpointHandler): void {
  let accepted;
  try {
    accepted = handler.attached(helloOf(call.metadata), remoteHost(call.getPeer()));
  } catch (error) {
    call.emit('error', refusalStatus(error));
    return;
  }
  let open = true;
  const ended = (): void => {
    if (!open) return;
    open = false;
    accepted.ended();
  };
  call.on('cancelled', ended);
  call.on('close', ended);
  const metadata = new grpc.Metadata();
  metadata.set(WELCOME_KEY, encodeDescription(accepted.welcome));
  call.sendMetadata(metadata);
  accepted.open({
    write(packet, written) {
      // After the end nobody waits for `written` any more.
      if (open) call.write(packet, written);
    },
    end(reason) {
      if (!open) return;
      open = false;
      call.emit('error', { code: grpc.status.UNAVAILABLE, details: reason });
    },
  });
}

function helloMetadata(hello: Hello): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set(HELLO_KEY, encodeHello(hello));
  return metadata;
}

function helloOf(metadata: grpc.Metadata): Hello {
  const bytes = binaryValue(metadata, HELLO_KEY);
  const hello = bytes === undefined ? undefined : decodeHello(bytes);
  if (hello === undefined) throw new Refusal('refused');
  return hello;
}

function binaryValue(metadata: grpc.Metadata, key: string): Buffer | undefined {
  const value = metadata.get(key)[0];
  return Buffer.isBuffer(value) ? value : undefined;
}

/** grpc-js writes the time of the attempt into its texts: without it equal reasons are equal. */
function reasonOf(error: grpc.ServiceError): string {
  return error.details.replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)/g, '');
}

/** Only a Refusal is expected here; anything else is our bug. */
function refusalStatus(error: unknown): Partial<grpc.StatusObject> {
  invariant(error instanceof Refusal, `handshake failed: ${String(error)}`);
  return { code: grpc.status.PERMISSION_DENIED, details: error.message };
}

/** `127.0.0.1:4222`, `[::1]:4222` and the like without the port. */
function remoteHost(peer: string): string {
  const end = peer.lastIndexOf(':');
  return end < 0 ? peer : peer.slice(0, end);
}
