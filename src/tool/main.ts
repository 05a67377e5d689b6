/** Owns the process of a command: its words, its streams, its exit code. */
import { runTool } from './index.ts';

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
process.exitCode = await runTool(process.argv.slice(2), process);
// What failed or was broken off may still wait for something: stdin, or a server that never says a word.
process.stdout.write('', () => process.exit());
