/** Owns `server cluster`: who leads the cluster, and who belongs to it. It takes a user of the system account. */
import { command, group } from '../command.ts';
import type { Context } from '../context.ts';
import { ToolError } from '../failure.ts';
import { argument, flag } from '../parameters/index.ts';
import { PREFERENCE, stepDownBody } from '../streams/preference.ts';

const NEEDS_SYSTEM_ACCOUNT = 'Only users of the system account may, and only the leader of a cluster answers.';

/** Nobody says no to a user of another account: there is just no answer. */
async function askLeader(context: Context, call: string, body: object | undefined): Promise<object> {
  const api = await context.api();
  try {
    return await api.request<object>(call, body);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error;
    throw new ToolError('no answer: is this a cluster, and the user one of the system account?', { cause: error });
  }
}

const STEP_DOWN = command({
  summary: 'Have another server lead the cluster',
  details: NEEDS_SYSTEM_ACCOUNT,
  parameters: PREFERENCE,
  examples: ['server cluster step-down --user admin --password secret'],
  run: async ({ preferred, placementTags }, context) => {
    const answer = await askLeader(context, 'META.LEADER.STEPDOWN', stepDownBody(preferred, placementTags));
    await context.output.document(answer, () => 'The leader of the cluster stepped down.\n');
  },
});

const PEER_REMOVE = command({
  summary: 'Take a server out of the cluster for good; what it held goes to others',
  details: NEEDS_SYSTEM_ACCOUNT,
  parameters: { peer: argument('SERVER', 'Name of the server'), force: flag('Do it without asking', { short: 'f' }) },
  examples: ['server cluster peer-remove n3 --user admin --password secret --force'],
  run: async ({ peer, force }, context) => {
    await context.confirm(`Remove ${peer} from the cluster? It should not come back.`, force);
    const answer = await askLeader(context, 'SERVER.REMOVE', { peer });
    await context.output.document(answer, () => `${peer} is no longer part of the cluster.\n`);
  },
});

export const CLUSTER = group({
  summary: 'Who leads the cluster, and who belongs to it',
  commands: { 'step-down': STEP_DOWN, 'peer-remove': PEER_REMOVE },
  aliases: { stepdown: 'step-down', down: 'step-down', 'remove-peer': 'peer-remove' },
  examples: ['server cluster step-down --user admin --password secret'],
});
