/** Owns `stream find`: streams by what they are like. */
import type { StreamInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { UsageError } from '../failure.ts';
import { count, duration, flag, integer, text, type Input } from '../parameters/index.ts';
import { LIST_COLUMNS } from './look.ts';

const CRITERIA = {
  name: text('Those whose name matches this regular expression', { placeholder: 'PATTERN' }),
  subject: text('Those that store this subject', { placeholder: 'SUBJECT' }),
  empty: flag('Those without messages'),
  idle: duration('Those that have stored nothing for so long'),
  created: duration('Those that were created longer ago'),
  consumers: integer('Those with no more consumers than this'),
  replicas: count('Those with so many replicas', { short: 'r' }),
  leader: text('Those that this server leads', { placeholder: 'NAME' }),
  sourced: flag('Those that take in other streams'),
  mirrored: flag('Those that are copies of other streams'),
  sealed: flag('Those that are sealed'),
} as const;

type Criteria = Input<typeof CRITERIA>;

export const FIND = command({
  summary: 'Find streams by what they hold and how they are set up',
  details: 'All that is asked for must be true of a stream.',
  parameters: {
    ...CRITERIA,
    invert: flag('All others instead'),
    names: flag('Print only their names', { short: 'n' }),
  },
  examples: [
    'stream find --empty --created 30d',
    'stream find --idle 7d --consumers 0 --names',
    'stream find --leader n1',
  ],
  run: async (input, context) => {
    const matches = await matcher(input, context);
    const all = await (await context.api()).list<StreamInfo>('STREAM.LIST', 'streams');
    const found = all.filter((stream) => matches(stream) !== input.invert);
    if (input.names) await context.output.names(found.map(({ config }) => config.name));
    else await context.output.document(found, () => context.output.table(LIST_COLUMNS, found, 'No streams.'));
  },
});

type Predicate = (stream: StreamInfo) => boolean;

async function matcher(criteria: Criteria, context: Context): Promise<Predicate> {
  const { empty, idle, created, consumers, replicas, leader, sourced, mirrored, sealed } = criteria;
  const age = (time: string): number => Date.now() - Date.parse(time);
  const predicates: Predicate[] = [await bySubject(criteria.subject, context), byName(criteria.name)];
  if (empty) predicates.push(({ state }) => state.messages === 0);
  if (idle !== undefined) predicates.push(({ state }) => state.last_seq === 0 || age(state.last_ts) >= idle);
  if (created !== undefined) predicates.push((stream) => age(stream.created) >= created);
  if (consumers !== undefined) predicates.push(({ state }) => state.consumer_count <= consumers);
  if (replicas !== undefined) predicates.push(({ config }) => config.num_replicas === replicas);
  if (leader !== undefined) predicates.push(({ cluster }) => cluster?.leader === leader);
  if (sourced) predicates.push(({ config }) => (config.sources?.length ?? 0) > 0);
  if (mirrored) predicates.push(({ config }) => config.mirror !== undefined);
  if (sealed) predicates.push(({ config }) => config.sealed);
  return (stream) => predicates.every((matches) => matches(stream));
}

/** The server knows which subjects overlap. */
async function bySubject(subject: string | undefined, context: Context): Promise<Predicate> {
  if (subject === undefined) return () => true;
  const names = new Set(await (await context.api()).list<string>('STREAM.NAMES', 'streams', { subject }));
  return ({ config }) => names.has(config.name);
}

function byName(pattern: string | undefined): Predicate {
  if (pattern === undefined) return () => true;
  let expression: RegExp;
  try {
    expression = new RegExp(pattern);
  } catch (error) {
    throw new UsageError(`--name: "${pattern}" is not a regular expression`, { cause: error });
  }
  return ({ config }) => expression.test(config.name);
}
