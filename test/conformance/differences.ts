/**
 * Owns where this server is meant to differ from the reference server, and why. A scenario named here is not expected of
 * the reference server; those without a scenario are listed for whoever compares the two.
 */
import { comesTo, Ear, EXPLICIT, pullsInto, takesFrom } from './consumer-steps.ts';
import { answers, consumer, fails, messages, publishes, scenario, stream } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { becomes } from './timed-steps.ts';

export interface Difference {
  readonly what: string;
  readonly why: string;
  /** States our answer. */
  readonly scenario?: Scenario;
}

const OUT_OF_ATTEMPTS = new Ear('unused');
const REST_OF_LAST = new Ear('in.rest');
/** As another stream makes it to take messages from a work queue. */
const TAKER = {
  ack_policy: 'flow_control',
  deliver_subject: 'taken',
  flow_control: true,
  idle_heartbeat: 1e9,
  sourcing: true,
};

export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'a stream that is being restored holds its name and subjects: creating or restoring it again gives 10058 or 10130',
    why: 'the reference server lets both go on, and one of them fail at the end',
  },
  {
    what: 'an untouched stream has no deleted sequences',
    why: 'the reference server lists sequence 0, which never was',
    scenario: scenario(
      'an untouched stream has no deleted sequences',
      ['C'],
      [stream('C'), answers('STREAM.INFO.C', { deleted_details: true }, { state: { messages: 0, first_seq: 0 } })],
    ),
  },
  {
    what: 'STREAM.PEER.REMOVE keeps the peer until another has caught up, as STREAM.PEER.EVACUATE does, and refuses with 10075 to take a stream from its only replica if that can not be reached',
    why: 'a stream goes on with all it holds, or stays where it is; it never goes on empty',
  },
  {
    what: 'consumers have no replicas to be moved: CONSUMER.PEER.REMOVE and EVACUATE of a member answer 10075',
    why: 'a consumer is part of its stream',
  },
  {
    what: 'META.RESCUE is refused with 10224, by one server',
    why: 'two halves of a cluster that were both rescued would both go on',
  },
  {
    what: 'while a stream is scaled down, `cluster.desired` names those who stay; and its group keeps its name when it moves',
    why: 'they are chosen when the change is decided, and the group is the same one',
  },
  {
    what: 'no stream can be made to jump beyond sequence 2^52',
    why: 'sequences are numbers inside, and stay exact',
    scenario: scenario(
      'a first sequence beyond 2^52 is refused',
      ['CFG'],
      [
        fails(
          'STREAM.CREATE.CFG',
          '{"name":"CFG","first_seq":18446744073709551615}',
          500,
          10052,
          'first sequence is too high',
        ),
        stream('CFG'),
        fails('STREAM.PURGE.CFG', '{"seq":18446744073709551615}', 400, 10003, 'bad request'),
      ],
    ),
  },
  {
    what: 'the end of a batch without headers counts what is left',
    why: 'the reference server forgets to count down there, which can only mislead a client that pages',
  },
  {
    what: 'up_to_seq beyond the last sequence means the last one',
    why: 'the reference server finds nothing, though all that was asked for is there',
  },
  {
    what: 'one direct get answers with 16 MiB at most, the reference server with 64 MiB',
    why: 'answers to many clients add up in memory; the end of the batch says how much is left',
  },
  {
    what: 'the transform function split makes no empty tokens',
    why: 'a message under a subject that no client can name would be there for good',
    scenario: scenario(
      'split leaves out what is empty between separators',
      ['XF'],
      [
        stream('XF', { subjects: ['a.*'], subject_transform: { src: 'a.*', dest: 'b.{{split(1,-)}}' } }),
        messages(['a.--x--y--', ''], ['a.-', '']),
        answers('STREAM.MSG.GET.XF', { seq: 1 }, { message: { subject: 'b.x.y' } }),
        answers('STREAM.MSG.GET.XF', { seq: 2 }, { message: { subject: 'b.-' } }),
      ],
    ),
  },
  {
    what: 'publishes to a replicated stream are checked in the order of an unreplicated one',
    why: 'one order for all: wrong expectations beat a duplicate, and a full subject may replace its messages',
  },
  {
    what: 'nothing is answered with 10158, or with 10164 for what is under way',
    why: 'all checks of a publish run when it is applied, so they see all that was before it',
  },
  {
    what: 'a time zone unknown to the server is refused before anything else about the publish, and so is `Local`',
    why: 'nodes may have other tables and other zones of their own, so only the leader is asked',
    scenario: scenario(
      'schedules in the zone of the server are refused',
      ['SCH'],
      [
        stream('SCH', { subjects: ['sch.>'], allow_msg_schedules: true }),
        publishes(
          'sch.a',
          'x',
          'Nats-Schedule: @daily\r\nNats-Schedule-Target: sch.t\r\nNats-Schedule-Time-Zone: Local',
          { error: { code: 400, err_code: 10223 } },
        ),
      ],
    ),
  },
  {
    what: 'a cron field of commas alone is no pattern',
    why: 'the reference server searches for its next time without an end',
    scenario: scenario(
      'a cron field of commas alone is refused',
      ['SCH'],
      [
        stream('SCH', { subjects: ['sch.>'], allow_msg_schedules: true }),
        publishes('sch.a', 'x', 'Nats-Schedule: , * * * * *\r\nNats-Schedule-Target: sch.t', {
          error: { code: 400, err_code: 10189 },
        }),
      ],
    ),
  },
  {
    what: 'what would live longer than 136 years lives 136 years',
    why: 'times to live are kept as 32 bits of seconds per message',
  },
  {
    what: 'async persistence acknowledges when a message is durable all the same',
    why: 'one write serves all streams of a node, so nothing would be gained by answering before it',
  },
  {
    what: 'a stream that begins to keep by interest loses what no consumer filters for at once',
    why: 'the reference server keeps it for ever, though nobody can take it any more',
    scenario: scenario(
      'a stream that begins to keep by interest loses what nobody filters for',
      ['R'],
      [
        stream('R', { subjects: ['r.>'], num_replicas: 1 }),
        consumer('R', 'c', { ack_policy: 'explicit', filter_subject: 'r.b' }),
        messages(['r.a', '1'], ['r.b', '2'], ['r.a', '3'], ['r.b', '4']),
        answers('STREAM.UPDATE.R', { name: 'R', subjects: ['r.>'], retention: 'interest' }, {}),
        answers('STREAM.INFO.R', '', { state: { messages: 2, first_seq: 2 } }),
      ],
    ),
  },
  {
    what: 'what was acked on a work queue goes when a consumer that takes it to another stream is deleted',
    why: 'the reference server keeps it for ever: nobody gets it again, and nobody can ack it',
    scenario: scenario(
      'a work queue lets go of what was acked when the consumer that takes it elsewhere is deleted',
      ['C'],
      [
        stream('C', { subjects: ['c.>'], retention: 'workqueue' }),
        consumer('C', 'w', EXPLICIT),
        consumer('C', 'taker', TAKER),
        messages(['c.a', '1'], ['c.a', '2'], ['c.a', '3']),
        takesFrom('w', 2, '+ACK'),
        becomes('C', { messages: 3 }),
        answers('CONSUMER.DELETE.C.taker', '', { success: true }),
        becomes('C', { messages: 1, first_seq: 3 }),
      ],
    ),
  },
  {
    what: 'a pull request without a batch, or with none above zero, wants one message: its statuses say so',
    why: 'the reference server counts down from what was written, and says that it owes 0, or -1',
  },
  {
    what: 'a message that was deleted while it waited for its ack is not pending any more, and with ack_policy all those before it are',
    why: 'the reference server takes it as an ack of all that came before, which nobody has acked',
  },
  {
    what: 'MAX_DELIVERIES is told when the wait of the last attempt is over, whether or not anybody pulls',
    why: 'the reference server does so only where one attempt is allowed; with more it waits for the next pull, and so does whoever handles what failed',
    scenario: scenario(
      'a message is out of attempts when the last of them was not acked in time, even if nobody pulls',
      ['C'],
      [
        stream('C', { subjects: ['c.>'] }),
        messages(['c.a', '1']),
        OUT_OF_ATTEMPTS.on('$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.C.d'),
        consumer('C', 'd', { ...EXPLICIT, max_deliver: 2, ack_wait: 200e6 }),
        takesFrom('d', 1),
        takesFrom('d', 1),
        OUT_OF_ATTEMPTS.hearsJson({ stream_seq: 1, deliveries: 2 }),
        comesTo('d', { num_ack_pending: 0, num_redelivered: 1 }),
      ],
    ),
  },
  {
    what: 'a consumer of the last of each subject goes on behind one that was purged meanwhile',
    why: 'the reference server answers a request that does not want to wait with 404 there, though there is more',
    scenario: scenario(
      'the last of a subject that is gone does not keep those of others back',
      ['C'],
      [
        stream('C', { subjects: ['c.>'], max_msgs_per_subject: 2 }),
        messages(['c.a', '1'], ['c.b', '2'], ['c.d', '3']),
        consumer('C', 'd', { ...EXPLICIT, deliver_policy: 'last_per_subject', filter_subject: 'c.>' }),
        answers('STREAM.PURGE.C', { filter: 'c.b' }, { purged: 1 }),
        REST_OF_LAST.opens(),
        pullsInto(REST_OF_LAST, 'd', { batch: 5, no_wait: true }),
        REST_OF_LAST.hears('1', '3', '404 No Messages'),
        answers('CONSUMER.INFO.C.d', '', { num_pending: 0, num_ack_pending: 2 }),
      ],
    ),
  },
  {
    what: 'an ack with a delivery count or consumer sequence that is no number is ignored',
    why: 'the reference server takes it for the largest number there is: with ack_policy all, nothing can be acked after it',
  },
  {
    what: 'the messages of an atomic batch have 64 MiB at most together',
    why: 'they share one entry of the log, which makes them atomic',
  },
  {
    what: 'a change of leader ends fast batches: their next message is answered by 10208',
    why: 'how far a batch has come is not replicated; its client publishes the rest as a new one',
  },
  {
    what: 'a fast batch on a stream without acknowledgements is told nothing, not even its end',
    why: 'it is what was asked for',
  },
  {
    what: 'a message of a fast batch that names an atomic one is refused',
    why: 'it can not be part of both',
  },
  {
    what: 'mirrors with mirror_direct answer direct gets of their origin where it has no replica, not everywhere by turns',
    why: 'a mirror may be behind; while the origin answers, one stands in that is on the same node, leads, and holds all of it',
  },
  {
    what: 'the lag of a mirror or source that is refused messages, being full, counts all that waits upstream',
    why: 'the reference server shows what was left behind the last message that it was sent, which may be none',
  },
  {
    what: 'a purge comes behind what was published to the stream before it, on the same connection',
    why: 'who gives up an object removes the chunks that are sent, without having heard of each; none must be left',
    scenario: scenario(
      'a purge takes what was published before it, acknowledged or not',
      ['P'],
      [
        stream('P', { subjects: ['p'] }),
        (client) => {
          for (let i = 0; i < 50; i++) client.publish('p', Buffer.alloc(100_000));
          return Promise.resolve();
        },
        answers('STREAM.PURGE.P', '', { purged: 50 }),
        answers('STREAM.INFO.P', '', { state: { messages: 0, last_seq: 50 } }),
      ],
    ),
  },
  {
    what: 'times have microseconds, not nanoseconds',
    why: 'they are numbers inside, and exact',
  },
  {
    what: 'action create of an ephemeral consumer as it is succeeds, whether or not the default threshold is spelt out',
    why: 'one server of the reference takes the same request for another consumer, and its cluster the one that spells it out',
    scenario: scenario(
      'an ephemeral consumer may be asked for twice in either way',
      ['C'],
      [
        stream('C'),
        answers('CONSUMER.CREATE.C.e', { stream_name: 'C', config: {}, action: 'create' }, { name: 'e' }),
        answers('CONSUMER.CREATE.C.e', { stream_name: 'C', config: {}, action: 'create' }, { name: 'e' }),
        answers(
          'CONSUMER.CREATE.C.e',
          { stream_name: 'C', config: { inactive_threshold: 5e9 }, action: 'create' },
          { name: 'e' },
        ),
      ],
    ),
  },
  {
    what: 'any name of a consumer has 255 bytes at most, and a longer one is refused with 10102',
    why: 'the reference server says so of durable names only, fails on its file system for others, and keeps them in memory',
    scenario: scenario(
      'a long name is refused in all forms',
      ['C'],
      [
        stream('C'),
        fails(
          `CONSUMER.CREATE.C.${'x'.repeat(256)}`,
          { stream_name: 'C', config: {} },
          400,
          10102,
          'consumer name is too long, maximum allowed is 255',
        ),
      ],
    ),
  },
  {
    what: 'times of configurations come back in UTC, and a pause until the zero time is none',
    why: 'they are kept as numbers',
  },
  {
    what: 'an empty transform, placement or republish that changes nothing is left out of what is shown, and a stream of one server is looked up before the body of a call is read',
    why: 'what means nothing is not stored; one order of checks for all, the one that the reference server has in a cluster',
  },
  {
    what: 'a cluster answers CONSUMER.LIST of a stream that is not there with 10059, and reads the body of CONSUMER.UNPIN before it looks for the consumer',
    why: 'so does the reference server without a cluster; clients should not have to know which of both they talk to',
  },
  {
    what: 'settings between 2^53 and 2^63 are rounded, and sequences from 2^53 on are the highest there is',
    why: 'they are numbers inside; the largest of 64 bits come back exactly',
  },
  {
    what: 'of a body with rubbish behind it the rubbish is named, though a member has the wrong type',
    why: 'the whole text is parsed before it is looked at',
  },
  {
    what: 'a call, an ack or a pull request that comes during an election waits for the leader instead of being dropped or refused',
    why: 'stock clients should not see a failover',
  },
  {
    what: 'UNSUB with a maximum holds for messages that are imported from another account, too',
    why: 'the reference server does not count them, and delivers on',
  },
  {
    what: 'imports form a cycle exactly if a message could go round, an import from the account itself under the same name included',
    why: 'the reference server decides by the order in which it comes to its accounts, which is random',
  },
  {
    what: 'an export or import whose subject can match nothing is a problem of the configuration',
    why: 'whoever wrote it meant another one; the reference server takes most of them',
  },
];
