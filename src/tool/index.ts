export { runTool } from './program.ts';
