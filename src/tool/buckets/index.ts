import { group } from '../command.ts';
import { ADD, COMPACT, EDIT, LS, RM_BUCKET, STATUS } from './manage.ts';
import { GET, HISTORY, KEYS, WATCH } from './read.ts';
import { CREATE, DEL, PURGE, PUT, REVERT, UPDATE } from './write.ts';

export const KV = group({
  summary: 'Key-value buckets',
  commands: {
    add: ADD,
    put: PUT,
    get: GET,
    create: CREATE,
    update: UPDATE,
    revert: REVERT,
    del: DEL,
    purge: PURGE,
    ls: LS,
    keys: KEYS,
    history: HISTORY,
    watch: WATCH,
    status: STATUS,
    edit: EDIT,
    compact: COMPACT,
    'rm-bucket': RM_BUCKET,
  },
  aliases: { delete: 'del', rm: 'del', list: 'ls', info: 'status', view: 'status', 'delete-bucket': 'rm-bucket' },
  examples: ['kv add settings', 'kv put settings theme dark', 'kv get settings theme', 'kv watch settings'],
});
