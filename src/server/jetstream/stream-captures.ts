/** Owns which subjects are captured by which stream, on every node: one ingest per stream of the catalogue. */
import { byteString } from '../../base/byte-string.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { ClusterNode, StreamAssignment } from '../../cluster/index.ts';
import type { GroupId } from '../../raft/index.ts';
import type { StreamConfig } from '../../stream/index.ts';
import type { Router } from '../router-types.ts';
import { PublishAckWriter } from './publish-ack.ts';
import { StreamIngest } from './stream-ingest.ts';
import type { SubmissionExchange } from './submission-exchange.ts';

interface Capture {
  readonly ingest: StreamIngest;
  subjects: readonly string[];
  withdraw: () => void;
}

export class StreamCaptures {
  readonly #cluster: ClusterNode;
  readonly #router: Router;
  readonly #runtime: Runtime;
  readonly #exchange: SubmissionExchange;
  readonly #domain: string;
  readonly #captures = new Map<GroupId, Capture>();

  constructor(options: {
    readonly cluster: ClusterNode;
    readonly router: Router;
    readonly runtime: Runtime;
    readonly exchange: SubmissionExchange;
    readonly domain: string;
  }) {
    this.#cluster = options.cluster;
    this.#router = options.router;
    this.#runtime = options.runtime;
    this.#exchange = options.exchange;
    this.#domain = options.domain;
  }

  start(): void {
    const { catalogue } = this.#cluster;
    for (const account of catalogue.accounts()) {
      for (const assignment of catalogue.streams(account)) this.#update(assignment);
    }
    this.#cluster.onCatalogueChange(({ previous, current }) => {
      if (previous !== undefined && previous.group !== current?.group) this.#withdraw(previous.group);
      if (current !== undefined) this.#update(current);
    });
    this.#cluster.onLeaderChange((group) => this.#captures.get(group)?.ingest.leaderChanged());
  }

  /** See `StreamIngest.settled`: publishes to that stream that came in on this node. */
  async settled(account: string, stream: string): Promise<void> {
    const assignment = this.#cluster.catalogue.stream(account, stream);
    if (assignment !== undefined) await this.#captures.get(assignment.group)?.ingest.settled();
  }

  #update(assignment: StreamAssignment): void {
    const config = assignment.config as unknown as StreamConfig;
    const capture = this.#captures.get(assignment.group);
    if (capture === undefined) {
      this.#add(assignment, config);
      return;
    }
    capture.ingest.setNoAck(config.noAck);
    const subjects = capturedSubjects(config);
    if (sameSubjects(capture.subjects, subjects)) return;
    const withdrawOld = capture.withdraw;
    capture.subjects = subjects;
    capture.withdraw = this.#router.addCapture(assignment.account, subjects, capture.ingest);
    withdrawOld();
  }

  #add(assignment: StreamAssignment, config: StreamConfig): void {
    const { account, name, group } = assignment;
    const ingest = new StreamIngest({
      runtime: this.#runtime,
      router: this.#router,
      port: this.#exchange.portFor(group),
      acks: new PublishAckWriter(this.#router, { account, stream: name, domain: this.#domain }),
      noAck: config.noAck,
    });
    const subjects = capturedSubjects(config);
    const withdraw = this.#router.addCapture(account, subjects, ingest);
    this.#captures.set(group, { ingest, subjects, withdraw });
  }

  #withdraw(group: GroupId): void {
    const capture = this.#captures.get(group);
    if (capture === undefined) return;
    this.#captures.delete(group);
    capture.withdraw();
    capture.ingest.close();
  }
}

/** What is published while an archive is loaded would come before its messages. */
function capturedSubjects(config: StreamConfig): readonly string[] {
  return config.restoring === true ? [] : config.subjects.map(byteString);
}

function sameSubjects(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((subject, i) => subject === b[i]);
}
