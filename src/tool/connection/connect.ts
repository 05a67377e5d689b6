/** Owns making a connection with the client library. Loaded when a command needs one. */
import { readFile } from 'node:fs/promises';
import {
  connect,
  credsAuthenticator,
  nkeyAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { describe, ToolError } from '../failure.ts';
import type { ConnectionSettings } from './settings.ts';

export interface ConnectOptions {
  /** Stays connected for as long as it takes: whoever only watches wants to go on after a server's restart. */
  readonly lasting: boolean;
  /** Told what the server complains about out of turn, such as missing permissions. */
  readonly complain: (problem: string) => void;
}

/** @throws {ToolError} */
export async function openConnection(settings: ConnectionSettings, options: ConnectOptions): Promise<NatsConnection> {
  const wanted = await libraryOptions(settings, options);
  let connection: NatsConnection;
  try {
    connection = await connect(wanted);
  } catch (error) {
    throw new ToolError(`cannot connect to ${settings.servers.join(', ')}: ${describe(unwrap(error))}`, {
      cause: error,
    });
  }
  void report(connection, options.complain);
  return connection;
}

/** The library wraps the system's error, whose code is what we have words for. */
function unwrap(error: unknown): unknown {
  return error instanceof Error && error.name === 'ConnectionError' && error.cause instanceof Error
    ? error.cause
    : error;
}

async function libraryOptions(
  settings: ConnectionSettings,
  { lasting }: ConnectOptions,
): Promise<NodeConnectionOptions> {
  const options: NodeConnectionOptions = {
    servers: [...settings.servers],
    noRandomize: true,
    name: settings.name,
    timeout: settings.timeoutMs,
    reconnect: lasting,
    maxReconnectAttempts: -1,
  };
  if (settings.user !== undefined) options.user = settings.user;
  if (settings.password !== undefined) options.pass = settings.password;
  if (settings.token !== undefined) options.token = settings.token;
  if (settings.inboxPrefix !== undefined) options.inboxPrefix = settings.inboxPrefix;
  if (settings.credsFile !== undefined) options.authenticator = credsAuthenticator(await readFile(settings.credsFile));
  else if (settings.nkeyFile !== undefined) {
    const seed = (await readFile(settings.nkeyFile, 'utf8')).trim();
    options.authenticator = nkeyAuthenticator(new TextEncoder().encode(seed));
  }
  const { tls } = settings;
  if (tls !== undefined) {
    options.tls = { handshakeFirst: tls.handshakeFirst, rejectUnauthorized: tls.rejectUnauthorized };
    if (tls.certFile !== undefined) options.tls.certFile = tls.certFile;
    if (tls.keyFile !== undefined) options.tls.keyFile = tls.keyFile;
    if (tls.caFile !== undefined) options.tls.caFile = tls.caFile;
  }
  return options;
}

/** Ends with the connection. */
async function report(connection: NatsConnection, complain: (problem: string) => void): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'error') complain(describe(status.error));
    else if (status.type === 'disconnect') complain(`disconnected from ${status.server}, trying again`);
    else if (status.type === 'reconnect') complain(`connected again to ${status.server}`);
  }
}
