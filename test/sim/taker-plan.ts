/** Owns which streams of a simulation take from others, and what, drawn by chance. */
import type { StreamConfig, StreamSource } from '../../src/stream/index.ts';
import { plainStreamConfig } from '../harness/stream-config.ts';
import type { Random } from './random.ts';

/** What clients publish to; deliveries to takers are not among them. */
export const CLIENT_SUBJECTS: readonly string[] = ['a', 'b', 'k.*', 'at.*'];

/** One to three streams; each may take from the origins and from those before it. */
export function drawTakers(random: Random, origins: readonly string[]): StreamConfig[] {
  const takers: StreamConfig[] = [];
  const count = random.integer(1, 4);
  for (let at = 0; at < count; at++) {
    const upstream = [...origins, ...takers.map(({ name }) => name)];
    takers.push(
      random.chance(0.45) ? drawMirror(random, `M${at}`, upstream) : drawSourcing(random, `T${at}`, upstream),
    );
  }
  return takers;
}

function drawMirror(random: Random, name: string, upstream: readonly string[]): StreamConfig {
  return plainStreamConfig({
    name,
    subjects: [],
    mirror: drawOrigin(random, random.pick(upstream)),
    subjectTransform: random.chance(0.2) ? { src: 'k.*', dest: 'mirrored.$1' } : undefined,
    ...drawRules(random),
  });
}

function drawSourcing(random: Random, name: string, upstream: readonly string[]): StreamConfig {
  const sources = Array.from({ length: random.integer(1, 4) }, () => drawOrigin(random, random.pick(upstream)));
  const isOther = (source: StreamSource, at: number): boolean =>
    sources.findIndex((each) => nameOf(each) === nameOf(source)) === at;
  return plainStreamConfig({
    name,
    subjects: random.chance(0.5) ? CLIENT_SUBJECTS : [],
    sources: sources.filter(isOther),
    ...drawRules(random),
  });
}

/** By which a stream tells its sources apart. */
function nameOf({ name, filterSubject, subjectTransforms }: StreamSource): string {
  return JSON.stringify([name, filterSubject, subjectTransforms]);
}

/** What there is for origins: all, some, with other subjects. No two of them let the same pass under another name. */
function drawOrigin(random: Random, name: string): StreamSource {
  const shape = random.pick([
    { filterSubject: '', subjectTransforms: [] },
    { filterSubject: '', subjectTransforms: [] },
    { filterSubject: 'k.*', subjectTransforms: [] },
    { filterSubject: '', subjectTransforms: [{ src: 'k.*', dest: 'moved.$1' }] },
    {
      filterSubject: '',
      subjectTransforms: [
        { src: 'a', dest: 'letters.a' },
        { src: 'k.2', dest: '' },
      ],
    },
  ]);
  const optStartSeq = random.pick([0, 0, 0, 5]);
  return { name, optStartSeq, optStartTimeUs: undefined, external: undefined, consumer: undefined, ...shape };
}

function drawRules(random: Random): Partial<StreamConfig> {
  return {
    duplicateWindowMs: random.pick([0, 1000, 120_000]),
    allowRollupHdrs: random.chance(0.5),
    allowMsgTtl: random.chance(0.3),
    maxMsgs: random.pick([-1, -1, 20]),
    maxMsgsPerSubject: random.pick([-1, -1, 3]),
    maxAgeMs: random.pick([0, 0, 0, 1500]),
  };
}
