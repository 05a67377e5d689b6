export { ACCOUNT } from './account.ts';
export { SERVER } from './server.ts';
