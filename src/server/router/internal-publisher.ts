/** Owns the publisher of messages that are made inside the server: nobody's connection, and never held back. */
import type { Publisher } from '../router-types.ts';

export function internalPublisher(account: string): Publisher {
  return {
    connectionId: 0,
    account,
    pause: () => undefined,
    resume: () => undefined,
    description: { name: '', user: '', host: '', lang: '', version: '' },
  };
}
