/** Owns how streams that take from others reach them: as clients of their account would, over this node's router. */
import { byteString } from '../../base/byte-string.ts';
import type { Runtime } from '../../base/runtime.ts';
import { randomToken } from '../../base/short-hash.ts';
import type { ClusterNode } from '../../cluster/index.ts';
import type { GroupId } from '../../raft/index.ts';
import type { UpstreamPort } from '../../sourcing/index.ts';
import type { Router } from '../router-types.ts';

const REPLY_PREFIX = '$JSC.R.';
const NO_PAYLOAD = Buffer.alloc(0);

interface StreamWatch {
  readonly account: string;
  readonly stream: string;
  readonly changed: () => void;
}

export class UpstreamNetwork {
  readonly #router: Router;
  readonly #runtime: Runtime;
  readonly #cluster: ClusterNode;
  readonly #watches = new Set<StreamWatch>();

  /** Attaches to the cluster, which must not have been started yet. */
  constructor(options: { readonly router: Router; readonly runtime: Runtime; readonly cluster: ClusterNode }) {
    this.#router = options.router;
    this.#runtime = options.runtime;
    this.#cluster = options.cluster;
    this.#cluster.onLeaderChange((group, leader) => {
      if (leader !== undefined) this.#tell(group);
    });
    this.#cluster.onCatalogueChange(({ previous, current }) => {
      if (current !== undefined && current.group !== previous?.group) this.#tell(current.group);
    });
  }

  portFor(account: string): UpstreamPort {
    return {
      request: (request, answered) => this.#request(account, request, answered),
      subscribe: (subject, receiver) => this.#router.subscribeInPlace(account, subject, receiver),
      publish: (subject, headers) => {
        this.#router.publish(account, { subject: byteString(subject), headers, payload: NO_PAYLOAD });
        this.#router.flushSoon();
      },
      watchStream: (stream, changed) => {
        const watch = { account, stream, changed };
        this.#watches.add(watch);
        return () => this.#watches.delete(watch);
      },
    };
  }

  #request(
    account: string,
    request: Parameters<UpstreamPort['request']>[0],
    answered: Parameters<UpstreamPort['request']>[1],
  ): () => void {
    const { subject, headers, body, timeoutMs } = request;
    const reply = REPLY_PREFIX + randomToken(() => this.#runtime.random());
    const finish = (answer: Parameters<typeof answered>[0]): void => {
      cancel();
      answered(answer);
    };
    const unsubscribe = this.#router.subscribe(account, reply, finish);
    const timer = this.#runtime.after(timeoutMs, () => {
      finish(undefined);
    });
    const cancel = (): void => {
      unsubscribe();
      timer.cancel();
    };
    this.#router.publish(account, { subject: byteString(subject), reply, headers, payload: body });
    this.#router.flushSoon();
    return cancel;
  }

  #tell(group: GroupId): void {
    const assignment = this.#cluster.catalogue.streamOfGroup(group);
    if (assignment === undefined) return;
    for (const { account, stream, changed } of [...this.#watches]) {
      if (account === assignment.account && stream === assignment.name) changed();
    }
  }
}
