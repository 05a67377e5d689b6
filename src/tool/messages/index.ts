export { PUB } from './pub.ts';
export { REPLY } from './reply.ts';
export { REQ } from './req.ts';
export { SUB } from './sub.ts';
