/** Owns the commands about what a stream holds: its state in short, and what is missing between its messages. */
import type { StreamInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Column } from '../output/index.ts';
import { formatCount } from '../units.ts';
import { NAME, streamInfo } from './configure.ts';
import { clusterFacts, stateFacts } from './info-text.ts';

export const STATE = command({
  summary: 'Show what a stream holds, without its configuration',
  parameters: { stream: NAME },
  examples: ['stream state ORDERS'],
  run: async ({ stream }, context) => {
    const info = await streamInfo(await context.api(), stream);
    await context.output.document(info.state, () =>
      context.output.facts([
        { title: `State of ${stream}`, facts: stateFacts(info) },
        { title: 'Cluster', facts: clusterFacts(info.cluster) },
      ]),
    );
  },
});

interface Gap {
  readonly first: number;
  readonly last: number;
}

const COLUMNS: readonly Column<Gap>[] = [
  { title: 'First', align: 'right', cell: ({ first }) => formatCount(first) },
  { title: 'Last', align: 'right', cell: ({ last }) => formatCount(last) },
  { title: 'Messages', align: 'right', cell: ({ first, last }) => formatCount(last - first + 1) },
];

export const GAPS = command({
  summary: 'List the sequences that were removed from between others',
  parameters: { stream: NAME },
  examples: ['stream gaps ORDERS'],
  run: async ({ stream }, context) => {
    const api = await context.api();
    const { state } = await api.request<StreamInfo>(`STREAM.INFO.${stream}`, { deleted_details: true });
    const gaps = runsOf((state as { readonly deleted?: readonly number[] }).deleted ?? []);
    await context.output.document(gaps, () => context.output.table(COLUMNS, gaps, 'No gaps.'));
  },
});

/** Joins what follows one upon the other. `sequences` ascend. */
function runsOf(sequences: readonly number[]): readonly Gap[] {
  const gaps: Gap[] = [];
  let first: number | undefined;
  sequences.forEach((seq, i) => {
    first ??= seq;
    if (sequences[i + 1] === seq + 1) return;
    gaps.push({ first, last: seq });
    first = undefined;
  });
  return gaps;
}
