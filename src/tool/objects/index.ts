import { group } from '../command.ts';
import { GET, LINK, PUT, RM, WATCH } from './content.ts';
import { ADD, INFO, LS, RM_BUCKET, SEAL } from './manage.ts';

export const OBJECT = group({
  summary: 'Object store: files in buckets',
  commands: {
    add: ADD,
    put: PUT,
    get: GET,
    ls: LS,
    info: INFO,
    watch: WATCH,
    link: LINK,
    rm: RM,
    seal: SEAL,
    'rm-bucket': RM_BUCKET,
  },
  aliases: { list: 'ls', del: 'rm', delete: 'rm', status: 'info', 'delete-bucket': 'rm-bucket' },
  examples: ['object add files', 'object put files package.json', 'object get files package.json --output ./copy.json'],
});
