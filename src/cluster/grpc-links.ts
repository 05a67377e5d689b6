/** Owns the links of one process to all others over gRPC, and who is let in. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { NodeId } from '../base/brand.ts';
import { invariant } from '../base/errors.ts';
import type { Timer } from '../base/runtime.ts';
import type { RaftTransport } from '../raft/index.ts';
import { completeAddress } from './addresses.ts';
import { GrpcEndpoint, MAX_FRAME_BYTES, Refusal, type Acceptance } from './grpc-endpoint.ts';
import { FRAME, type Description, type LinkListener, type LinkName, type Links } from './links.ts';
import type { LinkOptions } from './options.ts';
import { isEssential, PeerLink } from './peer-link.ts';
import { encodeNodes, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, type Hello } from './wire.ts';

const LIVENESS_TICK_MS = 250;
/** Peers are few and proven; this bounds what a broken one can make us keep. */
const MAX_PEERS = 1024;
const STOP_GRACE_MS = 50;

export class GrpcLinks implements Links {
  readonly raft: RaftTransport = {
    send: (to, frame, link) => {
      this.send(to, link, FRAME.raft, frame);
    },
    pendingBytes: (to, link) => this.pendingBytes(to, link),
  };
  readonly #options: LinkOptions;
  readonly #endpoint: GrpcEndpoint;
  readonly #secretDigest: Buffer;
  readonly #peers = new Map<NodeId, PeerLink>();
  #listener: LinkListener | undefined;
  #ticker: Timer | undefined;
  #stopped = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#endpoint = new GrpcEndpoint(options.runtime, options.tls);
    this.#secretDigest = digest(options.secret ?? '');
  }

  async start(listener: LinkListener): Promise<number> {
    invariant(this.#listener === undefined, 'links are started once');
    this.#listener = listener;
    this.#tick();
    const { host, port } = this.#options.listen;
    return this.#endpoint.listen(host, port, {
      greeted: (hello, remoteHost) => {
        this.#introduce(hello, remoteHost);
        return encodeNodes(listener.known());
      },
      attached: (hello, remoteHost) => this.#attached(hello, remoteHost, listener),
    });
  }

  greet(address: string): Promise<readonly Description[]> {
    return this.#endpoint.greet(address, this.#hello({ to: '', link: undefined, session: 0 }));
  }

  connect(node: NodeId, address: string): void {
    if (!this.#stopped) this.#peer(node, address)?.connect(address);
  }

  disconnect(node: NodeId): void {
    this.#peers.get(node)?.disconnect('disconnected');
    this.#peers.delete(node);
  }

  isUp(node: NodeId): boolean {
    return this.#peers.get(node)?.up ?? false;
  }

  lastContactMs(node: NodeId): number | undefined {
    return this.#peers.get(node)?.lastContactMs;
  }

  send(to: NodeId, link: LinkName, kind: number, body: Buffer): boolean {
    if (body.length > MAX_FRAME_BYTES) return false;
    return this.#peers.get(to)?.send(link, kind, body, isEssential(kind)) ?? false;
  }

  pendingBytes(to: NodeId, link: LinkName): number {
    return this.#peers.get(to)?.pendingBytes(link) ?? 0;
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#ticker?.cancel();
    for (const peer of this.#peers.values()) peer.flushNow();
    await new Promise<void>((resolve) => {
      this.#options.runtime.after(STOP_GRACE_MS, resolve);
    });
    for (const peer of this.#peers.values()) peer.disconnect('stopped');
    this.#endpoint.stop();
  }

  readonly #tick = (): void => {
    this.#ticker = this.#options.runtime.after(LIVENESS_TICK_MS, this.#tick);
    for (const peer of this.#peers.values()) peer.tick();
  };

  #hello(how: { readonly to: string; readonly link: number | undefined; readonly session: number }): Hello {
    invariant(this.#listener !== undefined, 'links are used before they were started');
    return {
      protocol: PROTOCOL_VERSION,
      oldestProtocol: OLDEST_PROTOCOL_VERSION,
      cluster: this.#options.clusterName,
      secret: this.#options.secret ?? '',
      from: this.#listener.describe(),
      ...how,
    };
  }

  #peer(node: NodeId, address: string): PeerLink | undefined {
    const known = this.#peers.get(node);
    if (known !== undefined || this.#peers.size >= MAX_PEERS) return known;
    const listener = this.#listener!;
    const peer = new PeerLink(node, address, {
      runtime: this.#options.runtime,
      logger: this.#options.logger,
      hooks: {
        dial: (at, to, link, session, on) =>
          this.#endpoint.attach(at, this.#hello({ to, link, session }), {
            ...on,
            welcomed: (by) => {
              if (by.node === to) on.welcomed(by);
              else on.ended(`${at} is ${by.node}`);
            },
          }),
        up: () => {
          listener.up(node);
        },
        down: () => {
          listener.down(node);
        },
        frame: (kind, body) => listener.frame(node, kind, body),
      },
    });
    this.#peers.set(node, peer);
    return peer;
  }

  #attached(hello: Hello, remoteHost: string, listener: LinkListener): Acceptance {
    if (hello.link === undefined) throw new Refusal('refused');
    const from = this.#introduce(hello, remoteHost);
    if (from.node === this.#options.node) throw new Refusal('this is the server itself');
    const peer = this.#peer(from.node, from.address);
    if (peer === undefined) throw new Refusal('too many peers');
    peer.expect(hello);
    return {
      welcome: listener.describe(),
      open: (outlet) => {
        peer.opened(hello, outlet);
      },
      ended: () => {
        peer.closed(hello);
      },
    };
  }

  /** The whole handshake: who fails it gets nothing. A stranger doesn't even learn why. */
  #introduce(hello: Hello, remoteHost: string): Description {
    if (this.#stopped || !timingSafeEqual(digest(hello.secret), this.#secretDigest)) throw new Refusal('refused');
    if (hello.protocol < OLDEST_PROTOCOL_VERSION || hello.oldestProtocol > PROTOCOL_VERSION) {
      throw new Refusal(`protocol ${hello.protocol} is not spoken here`);
    }
    if (hello.cluster !== this.#options.clusterName) throw new Refusal('this is another cluster');
    if (hello.to !== '' && hello.to !== this.#options.node) throw new Refusal(`this is ${this.#options.node}`);
    const from = { ...hello.from, address: completeAddress(hello.from.address, remoteHost) };
    // A second server under the same name must not push out one that works. If the name's owner was restarted instead,
    // its old streams are about to break, and it will ask again.
    const peer = this.#peers.get(from.node);
    if (peer?.up === true && peer.instance !== from.instance) {
      throw new Refusal('a server of this name is connected already');
    }
    const refused = this.#listener!.admit(from);
    if (refused !== undefined) throw new Refusal(refused);
    this.#listener!.introduced(from);
    return from;
  }
}

/** Equal lengths for the constant-time comparison. */
function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
