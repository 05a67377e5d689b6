/** The door of api/. */
export { Api } from './api.ts';
export type * from './backend.ts';
export { routeOf } from './routes.ts';
export type { Route } from './routes.ts';
