export { INTERRUPTED, runTool } from './program.ts';
