/** Owns which waiting pull requests the replicas know of: the next leader tells those inboxes that it took over. */
import type { ProgressLog } from '../state/progress-log.ts';

/** Of one consumer. Those beyond learn of a new leader by missing heartbeats, or when their time is over. */
const MAX_RECORDED = 512;

/** Notes in `log` how `recorded` becomes what `inboxes` says. */
export function recordInboxes(recorded: Set<string>, inboxes: Iterable<string>, log: ProgressLog): void {
  const waiting = new Set<string>();
  for (const inbox of inboxes) {
    if (waiting.size === MAX_RECORDED) break;
    waiting.add(inbox);
  }
  for (const inbox of [...recorded]) {
    if (waiting.has(inbox)) continue;
    recorded.delete(inbox);
    log.unwait(inbox);
  }
  for (const inbox of waiting) {
    if (recorded.has(inbox)) continue;
    recorded.add(inbox);
    log.wait(inbox);
  }
}
