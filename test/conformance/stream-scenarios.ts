/** Owns what is expected of stream calls: envelope, configuration, create to delete (streams.md sections 1 to 3). */
import {
  ABSENT,
  ANYTHING,
  answers,
  fails,
  isSilent,
  messages,
  onSingleServer,
  scenario,
  singleStream,
  SOME_TIME,
  stream,
  ZERO_TIME,
} from './scenario.ts';
import type { Scenario } from './scenario.ts';

const DEFAULT_CONFIG = {
  retention: 'limits',
  max_consumers: -1,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  discard: 'old',
  storage: 'file',
  num_replicas: 1,
  duplicate_window: 120_000_000_000,
  compression: 'none',
  allow_direct: false,
  mirror_direct: false,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  consumer_limits: {},
  allow_msg_ttl: false,
  description: ABSENT,
  no_ack: ABSENT,
  placement: ABSENT,
  first_seq: ABSENT,
  discard_new_per_subject: ABSENT,
};
const METADATA = { '_nats.level': '5', '_nats.req.level': '0', '_nats.ver': ANYTHING };
const EMPTY_STATE = {
  messages: 0,
  bytes: 0,
  first_seq: 0,
  first_ts: ZERO_TIME,
  last_seq: 0,
  last_ts: ZERO_TIME,
  consumer_count: 0,
  num_subjects: ABSENT,
  num_deleted: ABSENT,
};

/** A stream configuration that is refused, by itself. */
function refused(title: string, config: object, code: number, errCode: number, text: string): Scenario {
  return scenario(title, ['CFG'], [fails('STREAM.CREATE.CFG', { name: 'CFG', ...config }, code, errCode, text)]);
}

function invalid(title: string, config: object, text: string): Scenario {
  return refused(title, config, 500, 10052, text);
}

function badJson(title: string, body: string, text: string): Scenario {
  return scenario(title, [], [fails('STREAM.CREATE.CFG', body, 400, 10025, `invalid JSON: ${text}`)]);
}

const STRICTNESS: readonly Scenario[] = [
  badJson('a body cut short is an unexpected end', '{"name":"CFG",', 'unexpected EOF'),
  badJson(
    'text that is no JSON is named with its offset',
    'garbage',
    `invalid character 'g' looking for beginning of value at offset 1`,
  ),
  badJson(
    'a comma too many is named with its offset',
    '{"name":"CFG",}',
    `invalid character '}' looking for beginning of object key string at offset 15`,
  ),
  badJson('an unknown member is refused', '{"name":"CFG","bogus":1}', 'json: unknown field "bogus"'),
  badJson(
    'an unknown member inside an object is refused',
    '{"name":"CFG","consumer_limits":{"bogus":1}}',
    'json: unknown field "bogus"',
  ),
  badJson(
    'a string is not a number',
    '{"name":"CFG","max_msgs":"x"}',
    'json: cannot unmarshal string into Go struct field StreamConfigRequest.max_msgs of type int64',
  ),
  badJson(
    'a fraction is not an integer',
    '{"name":"CFG","max_msgs":1.5}',
    'json: cannot unmarshal number 1.5 into Go struct field StreamConfigRequest.max_msgs of type int64',
  ),
  badJson(
    'a negative number is not unsigned',
    '{"name":"CFG","first_seq":-1}',
    'json: cannot unmarshal number -1 into Go struct field StreamConfigRequest.first_seq of type uint64',
  ),
  badJson(
    'an element of a list is named by its place',
    '{"name":"CFG","subjects":["a",1]}',
    'json: cannot unmarshal number into StreamConfigRequest.subjects.1 of type string',
  ),
  badJson(
    'a list is not the request',
    '[]',
    'json: cannot unmarshal array into Go value of type server.StreamConfigRequest',
  ),
  badJson(
    'a word that is no retention policy is shown',
    '{"retention":"foo"}',
    String.raw`can not unmarshal "\"foo\""`,
  ),
  badJson('an unknown compression is refused', '{"compression":"zip"}', 'unknown compression algorithm'),
  scenario(
    'member names match whatever their case, and the last one counts',
    ['CFG'],
    [
      answers('STREAM.CREATE.CFG', '{"NAME":"X","Name":"CFG","Discard":"NEW"}', {
        config: { name: 'CFG', discard: 'new' },
      }),
    ],
  ),
];

const CONFIGURATION: readonly Scenario[] = [
  scenario(
    'a stream with nothing but a name gets every default',
    ['CFG'],
    [
      answers(
        'STREAM.CREATE.CFG',
        { name: 'CFG' },
        {
          type: 'io.nats.jetstream.api.v1.stream_create_response',
          config: { name: 'CFG', subjects: ['CFG'], ...DEFAULT_CONFIG, metadata: METADATA },
          created: SOME_TIME,
          state: EMPTY_STATE,
          ts: SOME_TIME,
          did_create: true,
          domain: ABSENT,
        },
      ),
    ],
  ),
  invalid(
    'a description has a length',
    { description: 'x'.repeat(4097) },
    'stream description is too long, maximum allowed is 4096',
  ),
  invalid('at most five replicas', { num_replicas: 6 }, 'maximum replicas is 5'),
  refused('replicas are not negative', { num_replicas: -1 }, 400, 10133, 'replicas count cannot be negative'),
  invalid('a negative max age is refused', { max_age: -1 }, 'max age can not be negative'),
  invalid('a max age below 100 ms is refused', { max_age: 1000 }, 'max age needs to be >= 100ms'),
  invalid('a negative duplicate window is refused', { duplicate_window: -1 }, 'duplicates window can not be negative'),
  invalid(
    'a duplicate window beyond max age is refused',
    { max_age: 1e9, duplicate_window: 2e9 },
    'duplicates window can not be larger then max age',
  ),
  invalid('a tiny duplicate window is refused', { duplicate_window: 5 }, 'duplicates window needs to be >= 100ms'),
  scenario(
    'the default duplicate window shrinks to max age',
    ['CFG'],
    [answers('STREAM.CREATE.CFG', { name: 'CFG', max_age: 1e9 }, { config: { max_age: 1e9, duplicate_window: 1e9 } })],
  ),
  invalid('an invalid subject is refused', { subjects: ['a..b'] }, 'invalid subject'),
  invalid('subjects of one stream must not overlap', { subjects: ['a.*', 'a.b'] }, 'subject "a.*" overlaps with "a.b"'),
  invalid('a subject listed twice overlaps with itself', { subjects: ['a', 'a'] }, 'subject "a" overlaps with "a"'),
  invalid('all subjects need no-ack', { subjects: ['>'] }, 'capturing all subjects requires no-ack to be true'),
  invalid(
    'the API is not for streams',
    { subjects: ['$JS.API.>'] },
    'subjects that overlap with jetstream api require no-ack to be true',
  ),
  invalid(
    'system subjects are not for streams',
    { subjects: ['$SYS.>'] },
    'subjects that overlap with system api require no-ack to be true',
  ),
  invalid(
    'wildcards can reach the API',
    { subjects: ['*.API.>'] },
    'subjects that overlap with jetstream api require no-ack to be true',
  ),
  scenario('events of the API may be captured', ['CFG'], [stream('CFG', { subjects: ['$JS.EVENT.ADVISORY.CFG.>'] })]),
  invalid(
    'discard new per subject needs discard new',
    { discard_new_per_subject: true },
    'discard new per subject requires discard new policy to be set',
  ),
  invalid(
    'discard new per subject needs a limit per subject',
    { discard: 'new', discard_new_per_subject: true },
    'discard new per subject requires max msgs per subject > 0',
  ),
  invalid(
    'roll-ups and deny purge exclude each other',
    { deny_purge: true, allow_rollup_hdrs: true },
    'roll-ups require the purge permission',
  ),
  invalid('nobody creates a sealed stream', { sealed: true }, 'stream configuration for create can not be sealed'),
  invalid('mirror direct needs a mirror', { mirror_direct: true }, 'stream has no mirror but does have mirror direct'),
  invalid(
    'a preferred server is not part of a placement',
    { placement: { preferred: 'x' } },
    'preferred server not permitted in placement',
  ),
  invalid(
    'metadata has a size',
    { metadata: { big: 'x'.repeat(131_072) } },
    'stream metadata exceeds maximum size of 131072 bytes',
  ),
  invalid(
    'a marker TTL is a second at least',
    { subject_delete_marker_ttl: 5 },
    'subject delete marker TTL must be at least 1 second',
  ),
  invalid(
    'counters and discard new exclude each other',
    { allow_msg_counter: true, discard: 'new' },
    'counter stream cannot use discard new',
  ),
  refused(
    'a mirror has no subjects',
    { mirror: { name: 'O' }, subjects: ['m'] },
    400,
    10034,
    'stream mirrors can not contain subjects',
  ),
  refused(
    'a mirror has no sources',
    { mirror: { name: 'O' }, sources: [{ name: 'P' }] },
    400,
    10031,
    'stream mirrors can not also contain other sources',
  ),
  refused(
    'a mirror has no first sequence',
    { mirror: { name: 'O' }, first_seq: 5 },
    400,
    10143,
    'stream mirrors can not have first sequence configured',
  ),
  refused('a source has a name', { sources: [{}] }, 400, 10141, 'sourced stream name is invalid'),
  refused(
    'pedantic clients hear of limits below -1',
    { max_msgs: -5, pedantic: true },
    400,
    10157,
    'pedantic mode: max_msgs must be set to -1',
  ),
  refused(
    'pedantic clients hear of a shrunk duplicate window',
    { max_age: 1e9, pedantic: true },
    400,
    10157,
    'pedantic mode: duplicate window cannot be bigger than max age',
  ),
  scenario(
    'limits below -1 become -1',
    ['CFG'],
    [
      answers(
        'STREAM.CREATE.CFG',
        { name: 'CFG', max_msgs: -5, max_consumers: 0 },
        { config: { max_msgs: -1, max_consumers: -1 } },
      ),
    ],
  ),
  scenario(
    'durations and the first sequence come back exactly',
    ['CFG'],
    [
      answers('STREAM.CREATE.CFG', '{"name":"CFG","max_age":31536000000000000,"first_seq":4503599627370496}', {
        config: { max_age: 31_536_000_000_000_000, first_seq: 4_503_599_627_370_496 },
      }),
    ],
  ),
  scenario(
    'a client can not set the metadata of servers',
    ['CFG'],
    [
      answers(
        'STREAM.CREATE.CFG',
        { name: 'CFG', metadata: { own: 'x', '_nats.level': '99' } },
        { config: { metadata: { own: 'x', ...METADATA } } },
      ),
    ],
  ),
];

const CREATE_TO_DELETE: readonly Scenario[] = [
  scenario(
    'the name in subject and body must agree',
    [],
    [
      fails('STREAM.CREATE.A', { name: 'B' }, 400, 10056, 'stream name in subject does not match request'),
      fails('STREAM.CREATE.A', '', 400, 10056, 'stream name in subject does not match request'),
      fails('STREAM.UPDATE.A', { name: 'B' }, 400, 10056, 'stream name in subject does not match request'),
      fails('STREAM.CREATE.A/B', { name: 'A/B' }, 400, 10128, 'Stream name can not contain path separators'),
    ],
  ),
  scenario(
    'creating the same stream again succeeds, with another configuration it does not',
    ['TWICE'],
    [
      singleStream('TWICE', { subjects: ['twice.>'] }),
      answers(
        'STREAM.CREATE.TWICE',
        { name: 'TWICE', subjects: ['twice.>'], metadata: { '_nats.ver': '0' } },
        { config: { name: 'TWICE' } },
      ),
      fails(
        'STREAM.CREATE.TWICE',
        { name: 'TWICE', subjects: ['twice.a'] },
        400,
        10058,
        'stream name already in use with a different configuration',
      ),
    ],
  ),
  scenario(
    'streams of one account do not share subjects',
    ['FIRST', 'SECOND'],
    [
      singleStream('FIRST', { subjects: ['shared.*'] }),
      fails(
        'STREAM.CREATE.SECOND',
        { name: 'SECOND', subjects: ['shared.>'] },
        400,
        10065,
        'subjects overlap with an existing stream',
      ),
      singleStream('SECOND', { subjects: ['own'] }),
      fails(
        'STREAM.UPDATE.SECOND',
        { name: 'SECOND', subjects: ['shared.x'] },
        400,
        10065,
        'subjects overlap with an existing stream',
      ),
    ],
  ),
  scenario(
    'an update replaces the whole configuration',
    ['UPD'],
    [
      singleStream('UPD', { subjects: ['upd.>'], max_msgs: 5, description: 'old' }),
      answers(
        'STREAM.UPDATE.UPD',
        { name: 'UPD', subjects: ['upd.a'] },
        {
          type: 'io.nats.jetstream.api.v1.stream_update_response',
          config: { subjects: ['upd.a'], max_msgs: -1, description: ABSENT },
          did_create: ABSENT,
        },
      ),
      fails('STREAM.UPDATE.MISSING', { name: 'MISSING' }, 404, 10059, 'stream not found'),
    ],
  ),
  scenario(
    'some things never change',
    ['UPD'],
    [
      stream('UPD', { deny_delete: true, deny_purge: true }),
      fails(
        'STREAM.UPDATE.UPD',
        { name: 'UPD', storage: 'memory' },
        500,
        10052,
        'stream configuration update can not change storage type',
      ),
      fails(
        'STREAM.UPDATE.UPD',
        { name: 'UPD', retention: 'workqueue' },
        500,
        10052,
        'stream configuration update can not change retention policy to/from workqueue',
      ),
      fails(
        'STREAM.UPDATE.UPD',
        { name: 'UPD', deny_purge: true },
        500,
        10052,
        'stream configuration update can not cancel deny message deletes',
      ),
      fails(
        'STREAM.UPDATE.UPD',
        { name: 'UPD', deny_delete: true },
        500,
        10052,
        'stream configuration update can not cancel deny purge',
      ),
    ],
  ),
  scenario(
    'sealing a stream fixes what is in it, for good',
    ['SEAL'],
    [
      singleStream('SEAL', { max_age: 3600e9, allow_rollup_hdrs: true }),
      answers(
        'STREAM.UPDATE.SEAL',
        { name: 'SEAL', sealed: true },
        {
          config: {
            sealed: true,
            max_age: 0,
            discard: 'new',
            deny_delete: true,
            deny_purge: true,
            allow_rollup_hdrs: false,
          },
        },
      ),
      fails(
        'STREAM.UPDATE.SEAL',
        { name: 'SEAL', deny_delete: true, deny_purge: true },
        500,
        10052,
        'stream configuration update can not unseal a sealed stream',
      ),
      fails('STREAM.PURGE.SEAL', '', 400, 10109, 'invalid operation on sealed stream'),
      fails('STREAM.MSG.DELETE.SEAL', { seq: 1 }, 400, 10109, 'invalid operation on sealed stream'),
      answers('STREAM.DELETE.SEAL', '', { success: true }),
    ],
  ),
  onSingleServer(
    'what can only be one stays one on a single server',
    ['ONE'],
    [
      stream('ONE'),
      fails(
        'STREAM.UPDATE.ONE',
        { name: 'ONE', num_replicas: 3 },
        500,
        10074,
        'replicas > 1 not supported in non-clustered mode',
      ),
      fails('STREAM.LEADER.STEPDOWN.ONE', '', 503, 10010, 'JetStream clustering support required'),
      fails('STREAM.PEER.REMOVE.ONE', { peer: 'x' }, 503, 10010, 'JetStream clustering support required'),
      fails('STREAM.CANCEL_MOVE.ONE', '', 503, 10010, 'JetStream clustering support required'),
    ],
  ),
  scenario(
    'deleting needs an empty body and a stream',
    ['DEL'],
    [
      stream('DEL'),
      fails('STREAM.DELETE.DEL', 'x', 400, 10038, 'expected an empty request payload'),
      answers('STREAM.DELETE.DEL', '{}', { type: 'io.nats.jetstream.api.v1.stream_delete_response', success: true }),
      fails('STREAM.DELETE.DEL', '', 404, 10059, 'stream not found'),
      fails('STREAM.INFO.DEL', '', 404, 10059, 'stream not found'),
    ],
  ),
];

const INFO: readonly Scenario[] = [
  onSingleServer(
    'info of a stream of a single server has no replicas',
    ['INF'],
    [stream('INF'), answers('STREAM.INFO.INF', '', { cluster: { leader: ANYTHING, name: ABSENT, replicas: ABSENT } })],
  ),
  scenario(
    'info of a fresh stream',
    ['INF'],
    [
      stream('INF'),
      answers('STREAM.INFO.INF', '', {
        type: 'io.nats.jetstream.api.v1.stream_info_response',
        total: 0,
        offset: 0,
        limit: 0,
        config: { name: 'INF', metadata: METADATA },
        created: SOME_TIME,
        state: EMPTY_STATE,
        cluster: { leader: ANYTHING },
        ts: SOME_TIME,
      }),
    ],
  ),
  scenario(
    'info counts messages, bytes, subjects and gaps',
    ['INF'],
    [
      stream('INF', { subjects: ['inf.>'] }),
      messages(['inf.a', 'v1'], ['inf.b', 'v2', 'H: h'], ['inf.a', 'v3']),
      answers('STREAM.MSG.DELETE.INF', { seq: 2 }, { success: true }),
      messages(['inf.c', 'v4']),
      answers(
        'STREAM.INFO.INF',
        { deleted_details: true },
        {
          state: {
            messages: 3,
            bytes: 111,
            first_seq: 1,
            first_ts: SOME_TIME,
            last_seq: 4,
            last_ts: SOME_TIME,
            num_subjects: 2,
            num_deleted: 1,
            deleted: [2],
          },
        },
      ),
      answers('STREAM.INFO.INF', '', { state: { num_deleted: 1, deleted: ABSENT, subjects: ABSENT } }),
    ],
  ),
  scenario(
    'info lists subjects on request, page by page',
    ['INF'],
    [
      stream('INF', { subjects: ['inf.>'] }),
      messages(['inf.a', ''], ['inf.b', ''], ['inf.a', '']),
      answers(
        'STREAM.INFO.INF',
        { subjects_filter: '>' },
        { total: 2, offset: 0, limit: 100_000, state: { subjects: { 'inf.a': 2, 'inf.b': 1 } } },
      ),
      answers(
        'STREAM.INFO.INF',
        { subjects_filter: 'inf.*', offset: 1 },
        { total: 2, offset: 1, state: { subjects: { 'inf.a': ABSENT, 'inf.b': 1 } } },
      ),
      answers(
        'STREAM.INFO.INF',
        { subjects_filter: '>', offset: 9 },
        { total: 2, offset: 9, state: { subjects: ABSENT } },
      ),
      answers('STREAM.INFO.INF', { subjects_filter: 'none' }, { total: 0, limit: 0, state: { subjects: ABSENT } }),
    ],
  ),
  scenario(
    'names are sorted, filtered by subject, and paged',
    ['NA1', 'NA2', 'NA3'],
    [
      stream('NA2', { subjects: ['na.two.*'] }),
      stream('NA1', { subjects: ['na.one'] }),
      stream('NA3', { subjects: ['na.three'] }),
      answers(
        'STREAM.NAMES',
        { subject: 'na.>' },
        { total: 3, offset: 0, limit: 1024, streams: ['NA1', 'NA2', 'NA3'] },
      ),
      answers('STREAM.NAMES', { subject: 'na.>', offset: 2 }, { total: 3, offset: 2, streams: ['NA3'] }),
      answers('STREAM.NAMES', { subject: 'na.>', offset: -4 }, { offset: 0, streams: ['NA1', 'NA2', 'NA3'] }),
      answers('STREAM.NAMES', { subject: 'na.two.x' }, { total: 1, streams: ['NA2'] }),
      answers('STREAM.NAMES', { subject: 'na.nothing' }, { total: 0, streams: null }),
      fails(
        'STREAM.NAMES',
        '{"offset":"x"}',
        400,
        10025,
        'invalid JSON: json: cannot unmarshal string into Go struct field JSApiStreamNamesRequest.offset of type int',
      ),
    ],
  ),
  scenario(
    'a listing shows stored metadata only',
    ['LI1', 'LI2'],
    [
      stream('LI1', { subjects: ['li.one'] }),
      stream('LI2', { subjects: ['li.two'] }),
      answers(
        'STREAM.LIST',
        { subject: 'li.*', offset: 1 },
        {
          total: 2,
          offset: 1,
          limit: 256,
          streams: [
            {
              config: { name: 'LI2', metadata: { '_nats.req.level': '0', '_nats.ver': ABSENT, '_nats.level': ABSENT } },
              state: EMPTY_STATE,
            },
          ],
        },
      ),
      answers('STREAM.LIST', { subject: 'li.none' }, { total: 0, streams: [] }),
    ],
  ),
  scenario(
    'account info tells limits and counts',
    ['ACC'],
    [
      stream('ACC', { max_bytes: 1000 }),
      answers('INFO', '', {
        type: 'io.nats.jetstream.api.v1.account_info_response',
        memory: ANYTHING,
        storage: ANYTHING,
        reserved_storage: 1000,
        streams: 1,
        consumers: 0,
        limits: {
          max_memory: -1,
          max_storage: -1,
          max_streams: -1,
          max_consumers: -1,
          max_ack_pending: -1,
          max_bytes_required: false,
        },
        api: { level: 5, total: ANYTHING, errors: ANYTHING, inflight: ABSENT },
        tiers: ABSENT,
      }),
    ],
  ),
  scenario(
    'the level of the API that a client needs is checked',
    [],
    [
      fails('STREAM.NAMES', '', 412, 10185, 'JetStream minimum api level required', 'Nats-Required-Api-Level: 6'),
      fails('STREAM.NAMES', '', 412, 10185, 'JetStream minimum api level required', 'Nats-Required-Api-Level: x'),
      answers('STREAM.NAMES', '', { limit: 1024 }, 'Nats-Required-Api-Level: 5'),
    ],
  ),
  scenario(
    'what is no call of the API gets no answer',
    [],
    [isSilent('STREAM.FOO.X'), isSilent('STREAM.CREATE.X.Y', { name: 'X' }), isSilent('META.LEADER.STEPDOWN')],
  ),
  scenario(
    'calls for a stream that is not there',
    [],
    [
      fails('STREAM.PURGE.NOPE', '', 404, 10059, 'stream not found'),
      fails('STREAM.MSG.GET.NOPE', { seq: 1 }, 404, 10059, 'stream not found'),
      fails('STREAM.MSG.DELETE.NOPE', { seq: 1 }, 404, 10059, 'stream not found'),
      fails('CONSUMER.NAMES.NOPE', '', 404, 10059, 'stream not found'),
      fails('CONSUMER.LIST.NOPE', '', 404, 10059, 'stream not found'),
      fails('CONSUMER.INFO.NOPE.c', '', 404, 10059, 'stream not found'),
      fails('CONSUMER.DELETE.NOPE.c', '', 404, 10059, 'stream not found'),
      fails('CONSUMER.CREATE.NOPE', { stream_name: 'NOPE', config: {} }, 404, 10059, 'stream not found'),
    ],
  ),
];

export const STREAM_SCENARIOS: readonly Scenario[] = [...STRICTNESS, ...CONFIGURATION, ...CREATE_TO_DELETE, ...INFO];
