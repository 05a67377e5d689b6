import { group } from '../command.ts';
import { ADD, EDIT, RM } from './configure.ts';
import { CLUSTER, PAUSE, RESET, RESUME, UNPIN } from './control.ts';
import { INFO, LS, REPORT } from './look.ts';
import { NEXT, SUB } from './receive.ts';

export const CONSUMER = group({
  summary: 'Consumers of streams',
  commands: {
    add: ADD,
    edit: EDIT,
    info: INFO,
    ls: LS,
    report: REPORT,
    next: NEXT,
    sub: SUB,
    pause: PAUSE,
    resume: RESUME,
    unpin: UNPIN,
    reset: RESET,
    rm: RM,
    cluster: CLUSTER,
  },
  aliases: { create: 'add', update: 'edit', list: 'ls', delete: 'rm', del: 'rm', subscribe: 'sub' },
  examples: ['consumer add ORDERS worker', 'consumer next ORDERS worker', 'consumer report ORDERS'],
});
