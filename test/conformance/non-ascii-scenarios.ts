/** Owns what is expected where names and subjects are not ASCII: they are the bytes that the client sent, everywhere. */
import { Ear, EXPLICIT } from './consumer-steps.ts';
import { answers, direct, messages, receives, scenario, stream } from './scenario.ts';
import type { Scenario, Step } from './scenario.ts';

const S = stream('Strü', { subjects: ['ü.>'], allow_direct: true });
const TWO = messages(['ü.a.ä', 'eins'], ['ü.b', 'zwei']);
const creates = (name: string, config: object): Step =>
  answers(`CONSUMER.CREATE.Strü.${name}`, { stream_name: 'Strü', config: { name, ...EXPLICIT, ...config } }, { name });

const pulled = new Ear('_INBOX.ñ');
const pushed = new Ear('dlv.ü', 'grüppe');

export const NON_ASCII_SCENARIOS: readonly Scenario[] = [
  scenario(
    'subjects that are not ASCII are captured, found and purged',
    ['Strü'],
    [
      S,
      TWO,
      answers('STREAM.INFO.Strü', { subjects_filter: 'ü.a.*' }, { state: { messages: 2, subjects: { 'ü.a.ä': 1 } } }),
      answers('STREAM.MSG.GET.Strü', { last_by_subj: 'ü.b' }, { message: { seq: 2, subject: 'ü.b' } }),
      direct('Strü', { last_by_subj: 'ü.a.ä' }, [{ seq: 1, subject: 'ü.a.ä', payload: 'eins' }]),
      direct('Strü.ü.b', '', [{ seq: 2, subject: 'ü.b', payload: 'zwei' }]),
      answers('STREAM.NAMES', { subject: 'ü.x' }, { total: 1, streams: ['Strü'] }),
      answers('STREAM.PURGE.Strü', { filter: 'ü.b' }, { purged: 1 }),
    ],
  ),
  scenario(
    'a consumer whose name is not ASCII delivers, and takes acks',
    ['Strü'],
    [
      S,
      TWO,
      answers(
        'CONSUMER.CREATE.Strü.ö.ü.a.*',
        { stream_name: 'Strü', config: { durable_name: 'ö', filter_subject: 'ü.a.*', ...EXPLICIT } },
        { name: 'ö', config: { durable_name: 'ö', filter_subject: 'ü.a.*' }, num_pending: 1 },
      ),
      answers('CONSUMER.NAMES.Strü', '', { consumers: ['ö'] }),
      pulled.opens(),
      (client) => {
        client.publish('$JS.API.CONSUMER.MSG.NEXT.Strü.ö', '', { reply: pulled.subject });
        return client.flush();
      },
      pulled.hears('eins'),
      pulled.confirms(-1),
      answers('CONSUMER.INFO.Strü.ö', '', { ack_floor: { stream_seq: 1 }, num_ack_pending: 0 }),
      answers('CONSUMER.DELETE.Strü.ö', '', { success: true }),
    ],
  ),
  scenario(
    'messages are pushed to a subject and a group that are not ASCII',
    ['Strü'],
    [
      S,
      TWO,
      pushed.opens(),
      creates('ö', { deliver_subject: 'dlv.ü', deliver_group: 'grüppe' }),
      pushed.hears('eins', 'zwei'),
      pushed.confirms(-1),
      answers('CONSUMER.INFO.Strü.ö', '', { push_bound: true, num_ack_pending: 1 }),
    ],
  ),
  scenario(
    'events name a consumer that is not ASCII in their subject',
    ['Strü'],
    [
      S,
      receives(
        '$JS.EVENT.ADVISORY.CONSUMER.CREATED.Strü.ö',
        [creates('ö', {})],
        [{ subject: '$JS.EVENT.ADVISORY.CONSUMER.CREATED.Strü.ö' }],
      ),
    ],
  ),
];
