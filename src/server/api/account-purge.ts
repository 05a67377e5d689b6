/** Owns ACCOUNT.PURGE (streams.md 3.13): the operator removes all streams of an account, whether it exists or not. */
import { streamFailed } from '../../base/api-errors.ts';
import { failure, success } from './call.ts';
import type { Endpoint } from './call.ts';

export const ACCOUNT_PURGE: Endpoint = {
  subject: 'ACCOUNT.PURGE.*',
  responseType: 'account_purge_response',
  place: 'metaLeader',
  systemOnly: true,
  async handle({ backend, args, turns }) {
    const account = args[0]!;
    if (/[\\/]/.test(account)) return failure(streamFailed('account name can not contain path separators'));
    await backend.catalogueBarrier();
    await turns.run(account, async () => {
      for (const { name } of backend.catalogue.streams(account)) {
        const { kind } = await backend.change({ kind: 'deleteStream', account, name });
        if (kind === 'applied') backend.announce(account, name, 'delete');
      }
    });
    return success({ initiated: true });
  },
};
