/** Owns the seam to authentication: who a connection is, decided from what it said in CONNECT. */
import type { CloseReason, ConnectOptions } from './protocol/index.ts';

/** What a user may do. Subjects are byte strings. Absent: everything. */
export interface Permissions {
  mayPublish(subject: string): boolean;
  maySubscribe(subject: string, queue: string | undefined): boolean;
  /** Undefined: no subject is denied at delivery. */
  readonly mayReceive?: ((subject: string) => boolean) | undefined;
  /** A message with this reply was delivered: the user may answer it, if it may answer at all. */
  readonly noteReply?: ((reply: string) => void) | undefined;
}

export interface Identity {
  readonly account: string;
  readonly isSystemAccount: boolean;
  /** As `/connz` shows it; empty for anonymous clients. */
  readonly user: string;
  readonly permissions?: Permissions | undefined;
  /** Where the account's or user's limits are below the server's. */
  readonly maxPayload?: number | undefined;
  readonly maxSubscriptions?: number | undefined;
}

export type AuthenticationOutcome =
  | { readonly kind: 'accepted'; readonly identity: Identity }
  | { readonly kind: 'refused'; readonly error: string; readonly reason: CloseReason };

export interface AuthenticationAttempt {
  readonly options: ConnectOptions;
  readonly nonce: string | undefined;
  readonly host: string;
}

export interface Authenticator {
  /** Shown as `auth_required` in the first INFO. */
  readonly advertised: boolean;
  /** Who a client is that has not sent CONNECT. Undefined: CONNECT must come first. */
  readonly anonymous: Identity | undefined;
  /** What a client must sign with its key, new for each connection. Undefined: no keys are in use. */
  challenge(): string | undefined;
  /** Calls `settle` once, at once or later; until then nothing more of the connection is parsed. */
  authenticate(attempt: AuthenticationAttempt, settle: (outcome: AuthenticationOutcome) => void): void;
}

export const GLOBAL_ACCOUNT = '$G';

/** Lets everybody into the global account. Credentials given all the same show up as the user's name. */
export const openAuthenticator: Authenticator = {
  advertised: false,
  anonymous: { account: GLOBAL_ACCOUNT, isSystemAccount: false, user: '' },
  challenge: () => undefined,
  authenticate: ({ options }, settle) => {
    const { user } = options.credentials;
    settle({ kind: 'accepted', identity: { account: GLOBAL_ACCOUNT, isSystemAccount: false, user } });
  },
};
