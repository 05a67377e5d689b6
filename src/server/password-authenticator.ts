/** Owns telling who a client is by user and password, or by the token, that the configuration names. */
import { timingSafeEqual } from 'node:crypto';
import { compare } from 'bcryptjs';
import type { AccountOptions, SecurityOptions } from './config/index.ts';
import {
  GLOBAL_ACCOUNT,
  openAuthenticator,
  type AuthenticationAttempt,
  type AuthenticationOutcome,
  type Authenticator,
  type Identity,
} from './connection-auth.ts';
import { ERR } from './protocol/index.ts';

const BCRYPT_HASH = /^\$2[abxy]\$\d+\$/;
/** bcrypt reads no more than this of a password; whatever is longer is not one. */
const MAX_BCRYPT_BYTES = 72;
const REFUSED: AuthenticationOutcome = {
  kind: 'refused',
  error: ERR.authorization,
  reason: 'Authentication Failure',
};

interface KnownUser {
  readonly password: string;
  readonly identity: Identity;
}

/** What the configuration asks for: nobody has to say who they are as long as there is nobody to be. */
export function createAuthenticator(security: SecurityOptions): Authenticator {
  return security.anonymous.kind === 'anybody' ? openAuthenticator : new PasswordAuthenticator(security);
}

class PasswordAuthenticator implements Authenticator {
  readonly advertised = true;
  /** Who they are is decided by CONNECT. */
  readonly anonymous = undefined;
  readonly #token: string | undefined;
  readonly #users = new Map<string, KnownUser>();
  readonly #global: Identity;
  /** Clients without credentials. Undefined: refused. */
  readonly #withoutCredentials: Identity | undefined;

  constructor(security: SecurityOptions) {
    const { accounts, systemAccount, token, anonymous } = security;
    this.#token = token;
    for (const account of accounts) {
      for (const { user, password } of account.users) {
        this.#users.set(user, { password, identity: identityOf(account, user, systemAccount) });
      }
    }
    this.#global = identityOf(
      accounts.find(({ name }) => name === GLOBAL_ACCOUNT)!,
      '',
      systemAccount,
    );
    if (anonymous.kind === 'user') this.#withoutCredentials = this.#users.get(anonymous.user)?.identity;
    else if (anonymous.kind === 'global') this.#withoutCredentials = this.#global;
  }

  challenge(): undefined {
    return undefined;
  }

  authenticate({ options }: AuthenticationAttempt, settle: (outcome: AuthenticationOutcome) => void): void {
    const { user, pass, authToken, nkey, jwt } = options.credentials;
    const given = [user, pass, authToken, nkey, jwt].some((credential) => credential !== '');
    if (!given && this.#withoutCredentials !== undefined) {
      settle({ kind: 'accepted', identity: this.#withoutCredentials });
    } else if (this.#token !== undefined) {
      // Old clients give the token as the user.
      check(this.#token, authToken === '' ? user : authToken, this.#global, settle);
    } else {
      const known = this.#users.get(user);
      check(known?.password, pass, known?.identity, settle);
    }
  }
}

function identityOf(account: AccountOptions, user: string, systemAccount: string): Identity {
  return {
    account: account.name,
    isSystemAccount: account.name === systemAccount,
    user,
    maxPayload: account.maxPayloadBytes >= 0 ? account.maxPayloadBytes : undefined,
    maxSubscriptions: account.maxSubscriptions >= 0 ? account.maxSubscriptions : undefined,
  };
}

/** `expected` is the secret, or its hash; undefined matches nothing. */
function check(
  expected: string | undefined,
  given: string,
  identity: Identity | undefined,
  settle: (outcome: AuthenticationOutcome) => void,
): void {
  const decide = (matches: boolean): void => {
    settle(matches && identity !== undefined ? { kind: 'accepted', identity } : REFUSED);
  };
  if (expected === undefined || !BCRYPT_HASH.test(expected)) {
    decide(expected !== undefined && equalInConstantTime(expected, given));
  } else if (Buffer.byteLength(given) > MAX_BCRYPT_BYTES) {
    decide(false);
  } else {
    // A malformed hash matches nothing.
    compare(given, expected.replace(/^\$2x/, '$2a')).then(decide, () => {
      decide(false);
    });
  }
}

function equalInConstantTime(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
