/** Owns where a new consumer begins. Runs when the creation is applied, so every replica finds the same position. */
import type { StreamReader, SubjectFilter } from '../../stream/index.ts';
import type { ConsumerConfig } from '../types.ts';

export interface StartPosition {
  /** First sequence that may be delivered. */
  readonly seq: number;
  /** `last_per_subject`: delivered before everything that is stored later. */
  readonly initial: Float64Array;
}

const NO_LIST = new Float64Array(0);
/** The list is as long as there are subjects, which the stream holds in memory as well. */
const ALL_SUBJECTS = Number.MAX_SAFE_INTEGER - 1;

export function startPosition(
  stream: StreamReader,
  config: ConsumerConfig,
  filter: SubjectFilter | undefined,
): StartPosition {
  const { firstSeq, lastSeq } = stream.state();
  switch (config.deliverPolicy) {
    case 'all':
      return { seq: Math.max(1, firstSeq), initial: NO_LIST };
    case 'new':
      return { seq: lastSeq + 1, initial: NO_LIST };
    case 'last': {
      const last = stream.lastSeqOf(filter);
      return { seq: last === 0 ? Math.max(1, firstSeq) : last, initial: NO_LIST };
    }
    case 'by_start_sequence':
      return { seq: Math.max(1, firstSeq, config.optStartSeq), initial: NO_LIST };
    case 'by_start_time':
      return {
        seq: config.optStartTimeUs === undefined ? Math.max(1, firstSeq) : stream.seqAtTime(config.optStartTimeUs),
        initial: NO_LIST,
      };
    case 'last_per_subject': {
      const initial = stream.lastSeqPerSubject(filter, ALL_SUBJECTS);
      return { seq: initial[0] ?? Math.max(1, lastSeq), initial };
    }
  }
}
