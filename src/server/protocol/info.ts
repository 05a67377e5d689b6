/** Owns the INFO line: its fields under their names on the wire. */

/** What a server says about itself. Undefined and false fields are left out, as clients expect. */
export interface ServerInfo {
  readonly serverId: string;
  readonly serverName: string;
  readonly version: string;
  readonly gitCommit?: string | undefined;
  /** Shown as `go`, where tools look for the runtime's version. */
  readonly runtimeVersion: string;
  readonly host: string;
  readonly port: number;
  readonly jetstream: boolean;
  readonly cluster?: string | undefined;
  readonly domain?: string | undefined;
  readonly xkey: string;
  readonly apiLevel: number;
  readonly tlsRequired?: boolean | undefined;
  readonly tlsAvailable?: boolean | undefined;
  readonly tlsVerify?: boolean | undefined;
  /** `host:port` of every client listener of the cluster. Empty: not told. */
  readonly connectUrls: readonly string[];
  readonly lameDuck: boolean;
}

/** What differs from connection to connection. */
export interface ConnectionInfo {
  readonly clientId: number;
  readonly clientIp: string;
  readonly maxPayload: number;
  readonly authRequired: boolean;
  readonly nonce: string | undefined;
  /** Given once the client is known: makes it the INFO that follows the first PONG. */
  readonly account?: { readonly name: string; readonly isSystem: boolean } | undefined;
}

export function formatInfo(server: ServerInfo, connection: ConnectionInfo): Buffer {
  const { account } = connection;
  const fields = {
    server_id: server.serverId,
    server_name: server.serverName,
    version: server.version,
    proto: 1,
    git_commit: server.gitCommit,
    go: server.runtimeVersion,
    host: server.host,
    port: server.port,
    headers: true,
    auth_required: whenTrue(connection.authRequired),
    tls_required: whenTrue(server.tlsRequired),
    tls_verify: whenTrue(server.tlsVerify),
    tls_available: whenTrue(server.tlsAvailable),
    max_payload: connection.maxPayload,
    jetstream: whenTrue(server.jetstream),
    client_id: connection.clientId,
    client_ip: connection.clientIp,
    nonce: connection.nonce,
    cluster: server.cluster,
    domain: server.domain,
    connect_urls: server.connectUrls.length > 0 ? server.connectUrls : undefined,
    ldm: whenTrue(server.lameDuck),
    api_lvl: server.apiLevel,
    xkey: server.xkey,
    connect_info: whenTrue(account !== undefined),
    remote_account: account?.name,
    acc_is_sys: whenTrue(account?.isSystem),
  };
  return Buffer.from(`INFO ${JSON.stringify(fields)} \r\n`);
}

function whenTrue(flag: boolean | undefined): true | undefined {
  return flag === true ? true : undefined;
}
