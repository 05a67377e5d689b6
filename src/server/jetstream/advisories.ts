/**
 * Owns the events about streams and API calls that go to whoever listens (streams.md 9). Consumers tell their own.
 */
import { byteString } from '../../base/byte-string.ts';
import type { NodeId, TimestampUs } from '../../base/brand.ts';
import { formatRfc3339 } from '../../base/rfc3339.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import type { AbandonReason, StreamState } from '../../stream/index.ts';
import { peerId, streamStateJson, type ApiRequest, type StreamAction } from '../api/index.ts';
import type { Publisher, RouteHandle, Router } from '../router-types.ts';

const PREFIX = '$JS.EVENT.ADVISORY';
const AUDIT_SUBJECT = `${PREFIX}.API`;
const TYPE_PREFIX = 'io.nats.jetstream.advisory.v1.';
const ID_ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 22;
const STREAM_EVENTS: Readonly<Record<StreamAction, string>> = {
  create: 'CREATED',
  modify: 'UPDATED',
  delete: 'DELETED',
};

const QUORUM_LOST_INTERVAL_MS = 10_000;
/** Of streams and consumers: beyond, a loss may be told once more too soon. */
const MAX_REMEMBERED_LOSSES = 10_000;

export interface AdvisoryOptions {
  readonly router: Router;
  readonly runtime: Runtime;
  readonly node: NodeId;
  /** Empty: a single server. */
  readonly clusterName: string;
  /** Empty: none. */
  readonly domain: string;
  readonly systemAccount: string;
}

export class Advisories {
  readonly #options: AdvisoryOptions;
  /** Who listens to the audit of an account: asked with each call, so that nothing is made for nobody. */
  readonly #auditRoutes = new Map<string, RouteHandle>();

  readonly #quorumLostMs = new Map<string, number>();

  constructor(options: AdvisoryOptions) {
    this.#options = options;
  }

  streamAction(account: string, stream: string, action: StreamAction): void {
    this.#publish(account, `${PREFIX}.STREAM.${STREAM_EVENTS[action]}.${stream}`, 'stream_action', { stream, action });
  }

  snapshotCreated(account: string, stream: string, state: StreamState): void {
    const subject = `${PREFIX}.STREAM.SNAPSHOT_CREATE.${stream}`;
    this.#publish(account, subject, 'snapshot_create', { stream, state: streamStateJson(state, {}) });
  }

  snapshotCompleted(
    account: string,
    stream: string,
    { startUs, problem }: { readonly startUs: TimestampUs; readonly problem: string | undefined },
  ): void {
    this.#publish(account, `${PREFIX}.STREAM.SNAPSHOT_COMPLETE.${stream}`, 'snapshot_complete', {
      stream,
      ...this.#period(startUs),
      error: problem,
    });
  }

  restoreCreated(account: string, stream: string): void {
    this.#publish(account, `${PREFIX}.STREAM.RESTORE_CREATE.${stream}`, 'restore_create', { stream });
  }

  /** Also when it failed. `bytes`: of the archive, as received. */
  restoreCompleted(
    account: string,
    stream: string,
    { startUs, bytes }: { readonly startUs: TimestampUs; readonly bytes: number },
  ): void {
    this.#publish(account, `${PREFIX}.STREAM.RESTORE_COMPLETE.${stream}`, 'restore_complete', {
      stream,
      ...this.#period(startUs),
      bytes,
    });
  }

  #period(startUs: TimestampUs): object {
    return { start: formatRfc3339(startUs), end: formatRfc3339(this.#options.runtime.wallUs()) };
  }

  /** `replicas` describes all members. Told in the stream's account, and to the operator. */
  leaderElected({ account, name }: StreamAssignment, replicas: readonly object[]): void {
    const { node: leader, systemAccount } = this.#options;
    const subject = `${PREFIX}.STREAM.LEADER_ELECTED.${name}`;
    const members = { stream: name, leader, replicas };
    this.#publish(account, subject, 'stream_leader_elected', members);
    this.#publish(systemAccount, subject, 'stream_leader_elected', { account, ...members });
  }

  /** The same for a consumer. */
  consumerLeaderElected({ account, name }: StreamAssignment, consumer: string, replicas: readonly object[]): void {
    const { node: leader, systemAccount } = this.#options;
    const subject = `${PREFIX}.CONSUMER.LEADER_ELECTED.${name}.${consumer}`;
    const members = { stream: name, consumer, leader, replicas };
    this.#publish(account, subject, 'consumer_leader_elected', members);
    this.#publish(systemAccount, subject, 'consumer_leader_elected', { account, ...members });
  }

  /** Its leader here has heard from no majority of its members for too long. Not more often than every 10 s. */
  quorumLost({ account, name }: StreamAssignment, replicas: readonly object[]): void {
    if (!this.#mayTellLoss(`${name} ${account}`)) return;
    const subject = `${PREFIX}.STREAM.QUORUM_LOST.${name}`;
    const members = { stream: name, replicas };
    this.#publish(account, subject, 'stream_quorum_lost', members);
    this.#publish(this.#options.systemAccount, subject, 'stream_quorum_lost', { account, ...members });
  }

  /** The same for a consumer. */
  consumerQuorumLost({ account, name }: StreamAssignment, consumer: string, replicas: readonly object[]): void {
    if (!this.#mayTellLoss(`${name} ${account} ${consumer}`)) return;
    const subject = `${PREFIX}.CONSUMER.QUORUM_LOST.${name}.${consumer}`;
    const members = { stream: name, consumer, replicas };
    this.#publish(account, subject, 'consumer_quorum_lost', members);
    this.#publish(this.#options.systemAccount, subject, 'consumer_quorum_lost', { account, ...members });
  }

  #mayTellLoss(key: string): boolean {
    const nowMs = this.#options.runtime.monotonicMs();
    const last = this.#quorumLostMs.get(key);
    if (last !== undefined && nowMs - last < QUORUM_LOST_INTERVAL_MS) return false;
    if (this.#quorumLostMs.size >= MAX_REMEMBERED_LOSSES) this.#quorumLostMs.clear();
    this.#quorumLostMs.set(key, nowMs);
    return true;
  }

  /** This node leads the meta group. */
  domainLeaderElected(replicas: readonly object[]): void {
    const { node, clusterName: cluster, systemAccount } = this.#options;
    const members = { leader: peerId(node), replicas, cluster };
    this.#publish(systemAccount, `${PREFIX}.DOMAIN.LEADER_ELECTED`, 'domain_leader_elected', members);
  }

  /** This node has hardly any room left. */
  outOfStorage(): void {
    const { node: server, clusterName, systemAccount } = this.#options;
    const members = { server, server_id: peerId(server), cluster: clusterName };
    this.#publish(systemAccount, `${PREFIX}.SERVER.OUT_OF_STORAGE`, 'server_out_of_space', members);
  }

  serverRemoved(server: NodeId): void {
    const members = { server, server_id: peerId(server), cluster: this.#options.clusterName };
    this.#publish(this.#options.systemAccount, `${PREFIX}.SERVER.REMOVED`, 'server_removed', members);
  }

  /** Told in the stream's account, and to the operator. */
  batchAbandoned({ account, name }: StreamAssignment, batch: string, reason: AbandonReason): void {
    const subject = `${PREFIX}.STREAM.BATCH_ABANDONED.${name}`;
    const members = { stream: name, batch, reason };
    this.#publish(account, subject, 'stream_batch_abandoned', members);
    this.#publish(this.#options.systemAccount, subject, 'stream_batch_abandoned', { account, ...members });
  }

  /** A call was answered with `response`. */
  apiCall(request: ApiRequest, response: Buffer, publisher: Publisher): void {
    if (!this.#auditRoute(request.account).taken) return;
    const { node: server, clusterName } = this.#options;
    const { name, user, host, lang, version, importer } = publisher.description;
    const client = {
      host: host || undefined,
      id: importer === undefined ? publisher.connectionId : undefined,
      acc: importer ?? publisher.account,
      svc: importer === undefined ? undefined : publisher.account,
      user: user || undefined,
      name: name || undefined,
      lang,
      ver: version,
      server,
      cluster: clusterName || undefined,
      kind: 'Client',
      client_type: 'nats',
    };
    this.#publish(request.account, AUDIT_SUBJECT, 'api_audit', {
      server,
      client,
      subject: request.subject,
      request: request.body.length === 0 ? undefined : request.body.toString('utf8'),
      response: response.toString('utf8'),
    });
  }

  #auditRoute(account: string): RouteHandle {
    let route = this.#auditRoutes.get(account);
    if (route === undefined) {
      route = this.#options.router.openRoute(account, AUDIT_SUBJECT, () => undefined);
      this.#auditRoutes.set(account, route);
    }
    return route;
  }

  #publish(account: string, subject: string, type: string, members: object): void {
    const { router, runtime, domain } = this.#options;
    const body = {
      type: TYPE_PREFIX + type,
      id: this.newId(),
      timestamp: formatRfc3339(runtime.wallUs()),
      ...members,
      domain: domain || undefined,
    };
    router.publish(account, { subject: byteString(subject), payload: Buffer.from(JSON.stringify(body)) });
    router.flushSoon();
  }

  /** Unlike any other: 22 letters and digits. */
  newId(): string {
    let id = '';
    while (id.length < ID_LENGTH) id += ID_ALPHABET[Math.floor(this.#options.runtime.random() * ID_ALPHABET.length)]!;
    return id;
  }
}
