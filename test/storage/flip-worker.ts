/** Judges one damaged directory after the other for flips.ts. A process of its own: LevelDB may abort on damaged data. */
import { judge } from './flips.ts';

process.on('message', (request: { readonly directory: string; readonly expected: readonly string[] }) => {
  void judge(request.directory, request.expected).then((result) => process.send?.(result));
});
