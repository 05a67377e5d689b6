/** Owns the commands that create, change and delete consumers. */
import type { ConsumerInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import { differences, differencesText } from '../config-file.ts';
import type { Api } from '../connection/index.ts';
import { flag, nameArgument, optional } from '../parameters/index.ts';
import { FORCE, NAME as STREAM } from '../streams/configure.ts';
import { changedConfig } from './consumer-config.ts';
import { CONSUMER_CONFIG_OPTIONS } from './consumer-options.ts';
import { consumerText } from './info-text.ts';

export { FORCE, STREAM };
export const NAME = nameArgument('CONSUMER', 'Name of the consumer');

export async function consumerInfo(api: Api, stream: string, consumer: string): Promise<ConsumerInfo> {
  return api.request<ConsumerInfo>(`CONSUMER.INFO.${stream}.${consumer}`);
}

export const ADD = command({
  summary: 'Create a consumer',
  details:
    'Clients pull messages from it, unless --target has them pushed. It lasts until it is deleted, unless --ephemeral.',
  parameters: {
    stream: STREAM,
    consumer: optional(nameArgument('CONSUMER', 'Name of the consumer; without one it gets a name, and is ephemeral')),
    ...CONSUMER_CONFIG_OPTIONS,
    ephemeral: flag('Delete it when nobody uses it'),
  },
  examples: [
    'consumer add ORDERS worker',
    'consumer add ORDERS eu --filter "orders.eu.>" --deliver new --ack-wait 1m --max-deliver 5',
    'consumer add ORDERS mail --target orders.mail --target-group mailers --heartbeat 30s',
  ],
  run: async (input, context) => {
    const config = await changedConfig({}, input);
    const name = input.consumer ?? config.durable_name ?? config.name;
    config.ack_policy ??= 'explicit';
    delete config.durable_name;
    if (name !== undefined) {
      config.name = name;
      if (!input.ephemeral) config.durable_name = name;
    }
    const call = name === undefined ? `CONSUMER.CREATE.${input.stream}` : `CONSUMER.CREATE.${input.stream}.${name}`;
    const body = { stream_name: input.stream, config, action: 'create', ...(input.pedantic && { pedantic: true }) };
    const info = await (await context.api()).request<ConsumerInfo>(call, body);
    await context.output.document(info, () => `Created.\n\n${consumerText(info, context.output)}`);
  },
});

export const EDIT = command({
  summary: 'Change a consumer',
  details: 'Changes what is given and leaves the rest.',
  parameters: {
    stream: STREAM,
    consumer: NAME,
    ...CONSUMER_CONFIG_OPTIONS,
    dryRun: flag('Only show what would change'),
  },
  examples: ['consumer edit ORDERS worker --ack-wait 2m --max-ack-pending 5000'],
  run: async (input, context) => {
    const { stream, consumer } = input;
    const api = await context.api();
    const { config: before } = await consumerInfo(api, stream, consumer);
    const config = await changedConfig(before, input);
    const changes = differences(before, config);
    await context.output.say(changes.length === 0 ? 'Nothing changes.\n' : differencesText(changes));
    if (input.dryRun) {
      if (context.output.json) await context.output.document(config, String);
      return;
    }
    const body = { stream_name: stream, config, action: 'update', ...(input.pedantic && { pedantic: true }) };
    const info = await api.request<ConsumerInfo>(`CONSUMER.CREATE.${stream}.${consumer}`, body);
    await context.output.document(info, () => consumerText(info, context.output));
  },
});

export const RM = command({
  summary: 'Delete a consumer',
  parameters: { stream: STREAM, consumer: NAME, force: FORCE },
  examples: ['consumer rm ORDERS worker --force'],
  run: async ({ stream, consumer, force }, context) => {
    const api = await context.api();
    await context.confirm(`Delete ${consumer} of ${stream}, with its position?`, force);
    const answer = await api.request<object>(`CONSUMER.DELETE.${stream}.${consumer}`);
    await context.output.document(answer, () => `Deleted ${consumer} of ${stream}.\n`);
  },
});
