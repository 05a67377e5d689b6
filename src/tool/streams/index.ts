import { group } from '../command.ts';
import { BACKUP } from './backup.ts';
import { CLUSTER } from './cluster.ts';
import { ADD, COPY, EDIT, SEAL } from './configure.ts';
import { FIND } from './find.ts';
import { INFO, LS, REPORT, SUBJECTS } from './look.ts';
import { PURGE, RM } from './remove.ts';
import { RESTORE } from './restore.ts';
import { GAPS, STATE } from './state.ts';
import { DELETE_MESSAGE, GET } from './stored-message.ts';
import { VIEW } from './view.ts';

export const STREAM = group({
  summary: 'Streams: create, look into, change, back up',
  commands: {
    add: ADD,
    edit: EDIT,
    info: INFO,
    ls: LS,
    report: REPORT,
    find: FIND,
    state: STATE,
    subjects: SUBJECTS,
    gaps: GAPS,
    view: VIEW,
    get: GET,
    rmm: DELETE_MESSAGE,
    purge: PURGE,
    rm: RM,
    seal: SEAL,
    copy: COPY,
    backup: BACKUP,
    restore: RESTORE,
    cluster: CLUSTER,
  },
  aliases: { create: 'add', update: 'edit', list: 'ls', delete: 'rm', del: 'rm', 'delete-message': 'rmm', cp: 'copy' },
  examples: [
    'stream add ORDERS --subjects "orders.>"',
    'stream info ORDERS',
    'stream edit ORDERS --max-age 30d --force',
  ],
});
