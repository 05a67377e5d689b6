export { Api, parseAnswer } from './api.ts';
export { COMMON_OPTIONS, type CommonOptions } from './common-options.ts';
export { connectionSettings, type ConnectionSettings, type Environment } from './settings.ts';
export { SavedContexts, type SavedContext } from './saved-context.ts';
