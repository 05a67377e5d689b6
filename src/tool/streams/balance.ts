/** Owns `stream cluster balance`: leaders step down until each server leads about as many streams as the others. */
import type { StreamInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Api } from '../connection/index.ts';
import { describe } from '../failure.ts';
import { flag } from '../parameters/index.ts';
import { stepDownBody } from './preference.ts';

interface Move {
  readonly stream: string;
  readonly from: string;
  readonly to: string;
}

export const BALANCE = command({
  summary: 'Have the servers lead about as many streams each',
  parameters: { dryRun: flag('Only show which leaders would step down') },
  examples: ['stream cluster balance --dry-run', 'stream cluster balance'],
  run: async ({ dryRun }, context) => {
    const api = await context.api();
    const moves = balancingMoves(await api.list<StreamInfo>('STREAM.LIST', 'streams'));
    for (const move of moves) {
      const failure = dryRun ? undefined : await carryOut(api, move);
      if (failure !== undefined) context.note(`${move.stream} stays with ${move.from}: ${failure}`);
      context.complained ||= failure !== undefined;
    }
    await context.output.document(moves, () =>
      moves.length === 0
        ? 'The leaders are balanced.\n'
        : moves.map(({ stream, from, to }) => `${stream}: ${from} -> ${to}\n`).join(''),
    );
  },
});

/** One stream that can't be moved is no reason to leave the others. */
async function carryOut(api: Api, { stream, to }: Move): Promise<string | undefined> {
  try {
    await api.request<object>(`STREAM.LEADER.STEPDOWN.${stream}`, stepDownBody(to, undefined));
    return undefined;
  } catch (error) {
    return describe(error);
  }
}

/** From the server that leads most to that which leads least among the stream's replicas, while that evens them out. */
export function balancingMoves(streams: readonly Pick<StreamInfo, 'config' | 'cluster'>[]): readonly Move[] {
  const placed = streams.flatMap(({ config, cluster }) => {
    if (cluster?.leader === undefined) return [];
    const others = (cluster.replicas ?? [])
      .filter(({ offline, current }) => !offline && current)
      .map(({ name }) => name);
    return [{ stream: config.name, leader: cluster.leader, others }];
  });
  const leads = new Map(placed.flatMap(({ leader, others }) => [leader, ...others]).map((server) => [server, 0]));
  for (const { leader } of placed) leads.set(leader, leads.get(leader)! + 1);
  const moves: Move[] = [];
  for (const { stream, leader, others } of placed) {
    const least = others.reduce<string | undefined>(
      (best, server) => (best === undefined || leads.get(server)! < leads.get(best)! ? server : best),
      undefined,
    );
    if (least === undefined || leads.get(leader)! - leads.get(least)! < 2) continue;
    leads.set(leader, leads.get(leader)! - 1);
    leads.set(least, leads.get(least)! + 1);
    moves.push({ stream, from: leader, to: least });
  }
  return moves;
}
