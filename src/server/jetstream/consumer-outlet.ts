/** Owns how a stream's consumers reach their subscribers: consumer/'s Outlet, on the subject router of this node. */
import { invariant } from '../../base/errors.ts';
import type { DeliveryTarget, Outlet } from '../../consumer/index.ts';
import type { StoredMessage } from '../../stream/index.ts';
import type { RouteHandle, Router } from '../router-types.ts';

/** Output waiting behind a target, above which its consumer pauses. Well below the size at which a client is dropped. */
const CONGESTED_BYTES = 4 * 1024 * 1024;

interface TargetOptions {
  readonly queue: string | undefined;
  readonly wildcards: boolean;
}

class RoutedTarget implements DeliveryTarget {
  readonly subject: string;
  readonly route: RouteHandle;
  readonly #options: TargetOptions;

  constructor(route: RouteHandle, options: TargetOptions) {
    this.subject = route.subject;
    this.route = route;
    this.#options = options;
  }

  get interested(): boolean {
    if (this.#options.queue !== undefined) return this.route.exactQueue(this.#options.queue) > 0;
    return this.#options.wildcards ? this.route.interested : this.route.exactPlain() > 0;
  }

  close(): void {
    this.route.close();
  }
}

export class RouterOutlet implements Outlet {
  readonly #router: Router;
  readonly #account: string;

  constructor(router: Router, account: string) {
    this.#router = router;
    this.#account = account;
  }

  openTarget(subject: string, options: TargetOptions & { readonly onChange: () => void }): DeliveryTarget {
    return new RoutedTarget(this.#router.openRoute(this.#account, subject, options.onChange), options);
  }

  deliver(target: DeliveryTarget, message: StoredMessage, reply: Buffer, replyBytes: number): boolean {
    return this.#router.deliver(routeOf(target), message, reply, replyBytes);
  }

  deliverParts(
    target: DeliveryTarget,
    parts: { readonly subject: Buffer; readonly headers: Buffer; readonly payload: Buffer; readonly reply: string },
  ): boolean {
    const { subject, headers, payload } = parts;
    const reply = Buffer.from(parts.reply, 'latin1');
    const message = {
      buffer: Buffer.concat([subject, headers, payload]),
      subjectStart: 0,
      headersStart: subject.length,
      payloadStart: subject.length + headers.length,
      end: subject.length + headers.length + payload.length,
    };
    return this.#router.deliver(routeOf(target), message, reply, reply.length);
  }

  status(target: DeliveryTarget, headers: Buffer, reply?: string): boolean {
    const message = { subject: target.subject, headers, payload: NO_PAYLOAD };
    const sent = this.#router.publish(this.#account, reply === undefined ? message : { ...message, reply });
    this.#router.flushSoon();
    return sent;
  }

  publish(subject: string, payload: Buffer): void {
    this.#router.publish(this.#account, { subject, payload });
    this.#router.flushSoon();
  }

  congested(target: DeliveryTarget): boolean {
    return routeOf(target).pendingBytes() > CONGESTED_BYTES;
  }
}

function routeOf(target: DeliveryTarget): RouteHandle {
  invariant(target instanceof RoutedTarget, 'a delivery target comes from this outlet');
  return target.route;
}

const NO_PAYLOAD = Buffer.alloc(0);
