/** Owns the commands about a stream's place in the cluster. */
import { command, group } from '../command.ts';
import { argument } from '../parameters/index.ts';
import { BALANCE } from './balance.ts';
import { FORCE, NAME, SCALE } from './configure.ts';
import { PREFERENCE, stepDownBody } from './preference.ts';

const STEP_DOWN = command({
  summary: 'Have another server lead the stream',
  parameters: { stream: NAME, ...PREFERENCE },
  examples: ['stream cluster step-down ORDERS'],
  run: async ({ stream, preferred, placementTags }, context) => {
    const body = stepDownBody(preferred, placementTags);
    const answer = await (await context.api()).request<object>(`STREAM.LEADER.STEPDOWN.${stream}`, body);
    await context.output.document(answer, () => `The leader of ${stream} stepped down.\n`);
  },
});

const PEER_REMOVE = command({
  summary: 'Take a server out of the stream; another takes its place',
  parameters: { stream: NAME, peer: argument('SERVER', 'Name of the server'), force: FORCE },
  examples: ['stream cluster peer-remove ORDERS n3 --force'],
  run: async ({ stream, peer, force }, context) => {
    const api = await context.api();
    await context.confirm(`Remove the copy of ${stream} on ${peer}?`, force);
    const answer = await api.request<object>(`STREAM.PEER.REMOVE.${stream}`, { peer });
    await context.output.document(answer, () => `${peer} is no longer a replica of ${stream}.\n`);
  },
});

export const CLUSTER = group({
  summary: "A stream's place in the cluster",
  commands: { 'step-down': STEP_DOWN, 'peer-remove': PEER_REMOVE, scale: SCALE, balance: BALANCE },
  aliases: { stepdown: 'step-down', down: 'step-down', 'remove-peer': 'peer-remove' },
  examples: ['stream cluster step-down ORDERS'],
});
