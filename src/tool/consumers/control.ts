/** Owns the commands that steer a consumer: pause, resume, unpin, reset, and its place in the cluster. */
import type { ConsumerInfo } from '@nats-io/jetstream';
import { command, group } from '../command.ts';
import { argument, numberArgument, optional } from '../parameters/index.ts';
import { PREFERENCE, stepDownBody } from '../streams/preference.ts';
import { formatTime, parseFutureTime } from '../units.ts';
import { NAME, STREAM } from './configure.ts';
import { consumerText } from './info-text.ts';

export const PAUSE = command({
  summary: 'Have a consumer deliver nothing until some time',
  parameters: { stream: STREAM, consumer: NAME, until: argument('UNTIL', 'A time, or how long from now') },
  examples: ['consumer pause ORDERS worker 1h', 'consumer pause ORDERS worker 2031-01-01T00:00:00Z'],
  run: async ({ stream, consumer, until }, context) => {
    const api = await context.api();
    const answer = await api.request<{ readonly pause_until: string }>(`CONSUMER.PAUSE.${stream}.${consumer}`, {
      pause_until: parseFutureTime(until),
    });
    await context.output.document(answer, () => `${consumer} is paused until ${formatTime(answer.pause_until)}.\n`);
  },
});

export const RESUME = command({
  summary: 'End the pause of a consumer',
  parameters: { stream: STREAM, consumer: NAME },
  examples: ['consumer resume ORDERS worker'],
  run: async ({ stream, consumer }, context) => {
    const answer = await (await context.api()).request<object>(`CONSUMER.PAUSE.${stream}.${consumer}`);
    await context.output.document(answer, () => `${consumer} goes on.\n`);
  },
});

export const UNPIN = command({
  summary: 'Let another client of a priority group have the messages',
  parameters: { stream: STREAM, consumer: NAME, group: argument('GROUP', 'Priority group') },
  examples: ['consumer unpin ORDERS worker blue'],
  run: async ({ stream, consumer, group: name }, context) => {
    const api = await context.api();
    const answer = await api.request<object>(`CONSUMER.UNPIN.${stream}.${consumer}`, { group: name });
    await context.output.document(answer, () => `Nobody is pinned in ${name} of ${consumer}.\n`);
  },
});

export const RESET = command({
  summary: 'Set a consumer back: to its last acknowledged message, or to a sequence',
  parameters: { stream: STREAM, consumer: NAME, seq: optional(numberArgument('SEQ', 'Sequence of the next message')) },
  examples: ['consumer reset ORDERS worker 1'],
  run: async ({ stream, consumer, seq }, context) => {
    const body = seq === undefined ? undefined : { seq };
    const info = await (await context.api()).request<ConsumerInfo>(`CONSUMER.RESET.${stream}.${consumer}`, body);
    await context.output.document(info, () => consumerText(info, context.output));
  },
});

const STEP_DOWN = command({
  summary: 'Have another server lead the consumer',
  parameters: { stream: STREAM, consumer: NAME, ...PREFERENCE },
  examples: ['consumer cluster step-down ORDERS worker'],
  run: async ({ stream, consumer, preferred, placementTags }, context) => {
    const body = stepDownBody(preferred, placementTags);
    const answer = await (await context.api()).request<object>(`CONSUMER.LEADER.STEPDOWN.${stream}.${consumer}`, body);
    await context.output.document(answer, () => `The leader of ${consumer} stepped down.\n`);
  },
});

export const CLUSTER = group({
  summary: "A consumer's place in the cluster",
  commands: { 'step-down': STEP_DOWN },
  aliases: { stepdown: 'step-down', down: 'step-down' },
  examples: ['consumer cluster step-down ORDERS worker'],
});
