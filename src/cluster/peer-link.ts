/**
 * Owns the link to one other node: three streams that we dialled and three that it dialled, up or down as a whole. When
 * any of the six breaks, all are closed and dialled again, so both sides agree on what a link's life was: whatever is
 * told once per life (interest, leaderships) is told again after each break.
 */
import type { NodeId } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime, Timer } from '../base/runtime.ts';
import { Outbox } from './outbox.ts';
import { Refusal, type Intake, type Outlet } from './grpc-endpoint.ts';
import { FRAME, LINKS, type Description, type LinkName } from './links.ts';
import { decodePacket, type Hello } from './wire.ts';

/** Beyond these a frame is not taken. One frame always fits, however large. */
const QUEUE_BYTES: { readonly [link in LinkName]: number } = {
  control: 64 * 1024 * 1024,
  traffic: 64 * 1024 * 1024,
  bulk: 32 * 1024 * 1024,
};
const REDIAL_MIN_MS = 100;
const REDIAL_MAX_MS = 1000;
/** Ticks (LIVENESS_TICK_MS apart) without a sign of life after which the link counts as broken. */
const SILENT_TICKS_MAX = 12;

/** What a link needs from those who own the sockets and the node. */
export interface PeerLinkHooks {
  dial(
    address: string,
    to: NodeId,
    link: number,
    session: number,
    on: { welcomed(by: Description): void; packet(packet: Buffer): void; ended(reason: string): void },
  ): Intake;
  up(): void;
  down(): void;
  readonly frame: (kind: number, body: Buffer) => boolean;
}

/** What we dialled in one attempt. */
interface IntakeSession {
  readonly streams: Intake[];
  welcomed: number;
  /** Counted, not timed: a tick that comes late because we ourselves stood still counts once. */
  silentTicks: number;
}

/** What the peer dialled in one attempt. */
interface OutletSession {
  readonly instance: string;
  readonly session: number;
  /** By position in LINKS. */
  readonly streams: ({ readonly outlet: Outlet; readonly outbox: Outbox } | undefined)[];
}

export class PeerLink {
  readonly node: NodeId;
  readonly #hooks: PeerLinkHooks;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  #address: string;
  #wanted = false;
  #up = false;
  #session = 0;
  #intake: IntakeSession | undefined;
  #outlet: OutletSession | undefined;
  #redial: Timer | undefined;
  #redialMs = REDIAL_MIN_MS;
  #lastContactMs: number | undefined;
  /** Why it broke since it was up last. */
  #lastReason: string | undefined;

  constructor(
    node: NodeId,
    address: string,
    context: { readonly runtime: Runtime; readonly logger: Logger; readonly hooks: PeerLinkHooks },
  ) {
    this.node = node;
    this.#address = address;
    this.#runtime = context.runtime;
    this.#logger = context.logger.child({ peer: node });
    this.#hooks = context.hooks;
  }

  get up(): boolean {
    return this.#up;
  }

  /** The process at the other end, as long as it keeps streams open here. */
  get instance(): string | undefined {
    return this.#outlet?.instance;
  }

  get lastContactMs(): number | undefined {
    return this.#lastContactMs === undefined ? undefined : this.#runtime.monotonicMs() - this.#lastContactMs;
  }

  /** Keeps the link from now on. A new address is used when dialling next: a link that works is left alone. */
  connect(address: string): void {
    this.#address = address;
    this.#wanted = true;
    if (this.#intake === undefined && this.#redial === undefined) this.#dial();
  }

  disconnect(reason: string): void {
    this.#wanted = false;
    this.#break(reason);
    this.#redial?.cancel();
    this.#redial = undefined;
  }

  send(link: LinkName, kind: number, body: Buffer, essential: boolean): boolean {
    if (!this.#up) return false;
    return this.#outboxOf(link)!.push(kind, body, essential);
  }

  pendingBytes(link: LinkName): number {
    return this.#outboxOf(link)?.pendingBytes ?? 0;
  }

  flushNow(): void {
    for (const stream of this.#outlet?.streams ?? []) stream?.outbox.flushNow();
  }

  /** Checks that a stream which the peer dials fits to what we know of it, and makes room for a new attempt. */
  expect(hello: Hello): void {
    const outlet = this.#outlet;
    if (outlet === undefined) return;
    if (outlet.instance !== hello.from.instance) {
      this.#break('the peer was restarted');
    } else if (hello.session > outlet.session) {
      this.#break('the peer dialled again');
    } else if (hello.session < outlet.session || outlet.streams[hello.link!] !== undefined) {
      throw new Refusal('superseded by a later attempt');
    }
  }

  /** The peer dialled a stream that `expect` let through. */
  opened(hello: Hello, outlet: Outlet): void {
    this.#outlet ??= { instance: hello.from.instance, session: hello.session, streams: [] };
    const maxBytes = QUEUE_BYTES[LINKS[hello.link!]!];
    const outbox = new Outbox(
      (packet, written) => {
        outlet.write(packet, written);
      },
      this.#runtime,
      maxBytes,
    );
    this.#outlet.streams[hello.link!] = { outlet, outbox };
    // It lives: no reason to wait with our own dialling.
    if (this.#wanted && this.#intake === undefined) this.#dial();
    this.#checkUp();
  }

  closed(hello: Hello): void {
    const outlet = this.#outlet;
    if (outlet?.session === hello.session && outlet.instance === hello.from.instance) this.#break('the peer hung up');
  }

  /** Called every LIVENESS_TICK_MS. */
  tick(): void {
    for (const stream of this.#outlet?.streams ?? []) stream?.outbox.ping();
    if (this.#intake !== undefined && ++this.#intake.silentTicks > SILENT_TICKS_MAX) this.#break('silence');
  }

  #outboxOf(link: LinkName): Outbox | undefined {
    return this.#outlet?.streams[LINKS.indexOf(link)]?.outbox;
  }

  #dial(): void {
    this.#redial?.cancel();
    this.#redial = undefined;
    const intake: IntakeSession = { streams: [], welcomed: 0, silentTicks: 0 };
    this.#intake = intake;
    const session = ++this.#session;
    for (let link = 0; link < LINKS.length; link++) {
      const stream = this.#hooks.dial(this.#address, this.node, link, session, {
        welcomed: () => {
          if (this.#intake !== intake) return;
          intake.welcomed++;
          this.#heard(intake);
          this.#checkUp();
        },
        packet: (packet) => {
          this.#heard(intake);
          if (!decodePacket(packet, this.#hooks.frame)) this.#break('malformed packet');
        },
        ended: (reason) => {
          if (this.#intake === intake) this.#break(reason);
        },
      });
      intake.streams.push(stream);
    }
  }

  #heard(intake: IntakeSession): void {
    intake.silentTicks = 0;
    this.#lastContactMs = this.#runtime.monotonicMs();
  }

  #checkUp(): void {
    const streams = this.#outlet?.streams;
    if (this.#up || this.#intake?.welcomed !== LINKS.length || streams === undefined) return;
    for (let link = 0; link < LINKS.length; link++) if (streams[link] === undefined) return;
    this.#up = true;
    this.#redialMs = REDIAL_MIN_MS;
    this.#lastReason = undefined;
    this.#logger.info({ address: this.#address }, 'peer.up');
    this.#hooks.up();
  }

  #break(reason: string): void {
    const intake = this.#intake;
    const outlet = this.#outlet;
    if (intake === undefined && outlet === undefined) return;
    const wasUp = this.#up;
    this.#intake = undefined;
    this.#outlet = undefined;
    this.#up = false;
    for (const stream of intake?.streams ?? []) stream.cancel();
    for (const stream of outlet?.streams ?? []) {
      stream?.outbox.close();
      stream?.outlet.end(reason);
    }
    if (this.#wanted) this.#redialLater();
    // A peer that stays away for one reason is worth one line.
    if (reason !== this.#lastReason) {
      this.#logger.info({ address: this.#address, reason }, wasUp ? 'peer.down' : 'peer.notReached');
    }
    this.#lastReason = reason;
    this.#hooks.down();
  }

  /** Jittered, so that two nodes that lost each other do not keep colliding. */
  #redialLater(): void {
    this.#redial?.cancel();
    const delayMs = this.#redialMs * (0.5 + this.#runtime.random() / 2);
    this.#redialMs = Math.min(this.#redialMs * 2, REDIAL_MAX_MS);
    this.#redial = this.#runtime.after(delayMs, () => {
      this.#redial = undefined;
      this.#dial();
    });
  }
}

/** True for frames that are told once in a link's life: they must not fall out of a full queue. */
export function isEssential(kind: number): boolean {
  return kind !== FRAME.raft && kind !== FRAME.request && kind < FRAME.traffic;
}
