/**
 * Owns the translation between our types and proto/cluster.proto. Whatever arrives is length-checked here: a decoder
 * returns undefined for bytes that no honest peer of any version sends.
 */
// Order matters: see protobuf-setup.ts.
import './protobuf-setup.ts';
import { millrace } from './generated/cluster.js';
import type { NodeId } from '../base/brand.ts';
import type { GroupId, Term } from '../raft/index.ts';
import type { Ballot, FormationReply, FormationRequest, MetaGroup } from './formation-protocol.ts';
import type { Description } from './links.ts';
import type { NodeState } from './node-state.ts';
import type { Interest } from './types.ts';

export const PROTOCOL_VERSION = 1;
export const OLDEST_PROTOCOL_VERSION = 1;

const MAX_NAME_CHARS = 256;
const MAX_TEXT_CHARS = 4096;
const MAX_LIST = 1024;
const MAX_SUBJECT_CHARS = 65_536;
/** Of a reply's reason: it ends in a log line. */
const MAX_REASON_CHARS = 1024;

export interface Hello {
  readonly protocol: number;
  readonly oldestProtocol: number;
  readonly cluster: string;
  readonly secret: string;
  readonly from: Description;
  readonly to: string;
  /** Position in LINKS; undefined when greeting. */
  readonly link: number | undefined;
  readonly session: number;
}

export interface Leadership {
  readonly group: GroupId;
  readonly term: Term;
  readonly leading: boolean;
}

export type ReplyOutcome = 'done' | 'failed' | 'refused';
const { DONE, FAILED, REFUSED } = millrace.Reply.Outcome;
const OUTCOMES: readonly ReplyOutcome[] = ['done', 'failed', 'refused'];
const OUTCOME_CODES = { done: DONE, failed: FAILED, refused: REFUSED } as const;
const { PREPARE, ACCEPT, FORMED } = millrace.FormationRequest.Step;
const STEPS: readonly FormationRequest['step'][] = ['prepare', 'accept', 'formed'];
const STEP_CODES = { prepare: PREPARE, accept: ACCEPT, formed: FORMED } as const;

class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new MalformedError(what);
}

/** protobufjs throws on truncated input, and `check` on what is out of bounds; both mean the same to the caller. */
function decoding<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}

function encoded(writer: { finish(): Uint8Array }): Buffer {
  return writer.finish() as Buffer;
}

function safeInteger(value: number): number {
  check(Number.isSafeInteger(value) && value >= 0, 'integer');
  return value;
}

function text(value: string, maxChars: number): string {
  check(value.length <= maxChars, 'length of a string');
  return value;
}

function nodeName(value: string): NodeId {
  check(value.length > 0, 'name of a node');
  return text(value, MAX_NAME_CHARS) as NodeId;
}

function nodeNames(values: readonly string[]): NodeId[] {
  check(values.length <= MAX_LIST, 'number of nodes');
  return values.map(nodeName);
}

function texts(values: readonly string[]): string[] {
  check(values.length <= MAX_LIST, 'length of a list');
  return values.map((value) => text(value, MAX_TEXT_CHARS));
}

// --- frames ---

/** One gRPC message out of frames `[from, to)`, given as two columns. */
export function encodePacket(kinds: readonly number[], bodies: readonly Buffer[], from: number, to: number): Buffer {
  const frames: { kind: number; body: Buffer }[] = [];
  for (let i = from; i < to; i++) frames.push({ kind: kinds[i]!, body: bodies[i]! });
  return encoded(millrace.Packet.encode({ frames }));
}

/**
 * Hands over each frame in order; bodies are views of `packet`. False: the packet was malformed, and nothing was handed
 * over, or `each` found one of the frames so: those behind it are left out.
 */
export function decodePacket(packet: Buffer, each: (kind: number, body: Buffer) => boolean): boolean {
  const decoded = decoding(() => millrace.Packet.decode(packet));
  return decoded?.frames.every((frame) => each(frame.kind ?? 0, (frame.body ?? EMPTY) as Buffer)) ?? false;
}

const EMPTY = Buffer.alloc(0);

// --- handshake ---

export function encodeHello(hello: Hello): Buffer {
  const link = hello.link === undefined ? 0 : hello.link + 1;
  return encoded(millrace.Hello.encode({ ...hello, link, from: plainDescription(hello.from) }));
}

export function decodeHello(bytes: Buffer): Hello | undefined {
  return decoding(() => {
    const hello = millrace.Hello.decode(bytes);
    check(hello.from != null && hello.link <= 3, 'hello');
    return {
      protocol: hello.protocol,
      oldestProtocol: hello.oldestProtocol,
      cluster: text(hello.cluster, MAX_NAME_CHARS),
      secret: text(hello.secret, MAX_TEXT_CHARS),
      from: description(hello.from),
      to: text(hello.to, MAX_NAME_CHARS),
      link: hello.link === 0 ? undefined : hello.link - 1,
      session: safeInteger(hello.session),
    };
  });
}

export function encodeDescription(value: Description): Buffer {
  return encoded(millrace.Description.encode(plainDescription(value)));
}

export function decodeDescription(bytes: Buffer): Description | undefined {
  return decoding(() => description(millrace.Description.decode(bytes)));
}

export function encodeNodes(nodes: readonly Description[]): Buffer {
  return encoded(millrace.Nodes.encode({ nodes: nodes.map(plainDescription) }));
}

export function decodeNodes(bytes: Buffer): readonly Description[] | undefined {
  return decoding(() => {
    const { nodes } = millrace.Nodes.decode(bytes);
    check(nodes.length > 0 && nodes.length <= MAX_LIST, 'number of nodes');
    return nodes.map(description);
  });
}

function plainDescription(value: Description): millrace.Description.$Properties {
  const { availableFileBytes: file, availableMemoryBytes: memory, clientUrls, tags, ...rest } = value;
  const lists = { clientUrls: [...clientUrls], tags: [...tags] };
  return { ...rest, ...lists, ...told('availableFileBytes', file), ...told('availableMemoryBytes', memory) };
}

function description(value: millrace.Description.$Properties): Description {
  return {
    node: nodeName(value.node ?? ''),
    instance: text(value.instance ?? '', MAX_NAME_CHARS),
    address: text(value.address ?? '', MAX_NAME_CHARS),
    clientUrls: texts(value.clientUrls ?? []),
    version: text(value.version ?? '', MAX_NAME_CHARS),
    jetstream: value.jetstream ?? false,
    tags: texts(value.tags ?? []),
    metaId: text(value.metaId ?? '', MAX_NAME_CHARS),
    expectedNodes: safeInteger(value.expectedNodes ?? 0),
    ...told('availableFileBytes', value.availableFileBytes),
    ...told('availableMemoryBytes', value.availableMemoryBytes),
  };
}

/** Leaves out what was not told. */
function told<K extends string>(key: K, value: number | null | undefined): { readonly [key in K]?: number } {
  return value === undefined || value === null ? {} : ({ [key]: safeInteger(value) } as { [key in K]: number });
}

// --- interest, leaderships, requests ---

export function encodeInterests(interests: readonly Interest[]): Buffer {
  const plain: millrace.InterestUpdate.Interest.$Properties[] = [];
  for (const { account, subject, queue, members } of interests) {
    plain.push(queue === undefined ? { account, subject, members } : { account, subject, queue, members });
  }
  return encoded(millrace.InterestUpdate.encode({ interests: plain }));
}

export function decodeInterests(bytes: Buffer): Interest[] | undefined {
  return decoding(() =>
    millrace.InterestUpdate.decode(bytes).interests.map((interest) => {
      const subject = text(interest.subject ?? '', MAX_SUBJECT_CHARS);
      check(subject.length > 0, 'subject');
      return {
        account: text(interest.account ?? '', MAX_TEXT_CHARS),
        subject,
        queue: interest.queue == null ? undefined : text(interest.queue, MAX_SUBJECT_CHARS),
        members: interest.members ?? 0,
      };
    }),
  );
}

export function encodeLeaderships(complete: boolean, leaderships: readonly Leadership[]): Buffer {
  const groups: number[] = [];
  const terms: number[] = [];
  const leading: boolean[] = [];
  for (const leadership of leaderships) {
    groups.push(leadership.group);
    terms.push(leadership.term);
    leading.push(leadership.leading);
  }
  return encoded(millrace.Leaderships.encode({ complete, groups, terms, leading }));
}

export function decodeLeaderships(
  bytes: Buffer,
): { readonly complete: boolean; readonly leaderships: readonly Leadership[] } | undefined {
  return decoding(() => {
    const { complete, groups, terms, leading } = millrace.Leaderships.decode(bytes);
    check(groups.length === terms.length && groups.length === leading.length, 'columns of one table');
    const leaderships = groups.map((group, row) => ({
      group: safeInteger(group) as GroupId,
      term: safeInteger(terms[row]!) as Term,
      leading: leading[row]!,
    }));
    return { complete, leaderships };
  });
}

export function encodeRequest(id: number, service: string, body: Buffer): Buffer {
  return encoded(millrace.Request.encode({ id, service, body }));
}

export function decodeRequest(
  bytes: Buffer,
): { readonly id: number; readonly service: string; readonly body: Buffer } | undefined {
  return decoding(() => {
    const { id, service, body } = millrace.Request.decode(bytes);
    return { id: safeInteger(id), service: text(service, MAX_NAME_CHARS), body: bufferOf(body) };
  });
}

export interface Reply {
  readonly id: number;
  readonly outcome: ReplyOutcome;
  readonly body: Buffer;
  readonly reason: string;
}

export function encodeReply({ id, outcome, body, reason }: Reply): Buffer {
  const shortReason = reason.slice(0, MAX_REASON_CHARS);
  return encoded(
    millrace.Reply.encode({
      id,
      outcome: OUTCOME_CODES[outcome],
      body,
      reason: shortReason,
    }),
  );
}

export function decodeReply(bytes: Buffer): Reply | undefined {
  return decoding(() => {
    const { id, outcome, body, reason } = millrace.Reply.decode(bytes);
    const known = OUTCOMES[outcome];
    check(known !== undefined, 'outcome');
    return { id: safeInteger(id), outcome: known, body: bufferOf(body), reason: text(reason, MAX_REASON_CHARS) };
  });
}

/** protobufjs gives views of the buffer it decodes, and a shared plain array for an absent field. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : EMPTY;
}

// --- formation and joining ---

export function encodeFormationRequest(request: FormationRequest): Buffer {
  const { step, ballot, value } = request;
  return encoded(
    millrace.FormationRequest.encode({
      step: STEP_CODES[step],
      ...present({ ballot, value }),
    }),
  );
}

export function decodeFormationRequest(bytes: Buffer): FormationRequest | undefined {
  return decoding(() => {
    const request = millrace.FormationRequest.decode(bytes);
    const step = STEPS[request.step];
    check(step !== undefined, 'step');
    return { step, ballot: ballot(request.ballot), value: metaGroup(request.value) };
  });
}

export function encodeFormationReply(reply: FormationReply): Buffer {
  const { granted, promised, acceptedBallot, accepted } = reply;
  return encoded(millrace.FormationReply.encode({ granted, ...present({ promised, acceptedBallot, accepted }) }));
}

export function decodeFormationReply(bytes: Buffer): FormationReply | undefined {
  return decoding(() => {
    const reply = millrace.FormationReply.decode(bytes);
    return {
      granted: reply.granted,
      promised: ballot(reply.promised),
      acceptedBallot: ballot(reply.acceptedBallot),
      accepted: metaGroup(reply.accepted),
    };
  });
}

export function encodeNodeState(state: NodeState): Buffer {
  const { promised, acceptedBallot, accepted, formed } = state;
  const addresses = [...state.addresses].map(([node, address]) => ({ node, address }));
  return encoded(millrace.NodeState.encode({ addresses, ...present({ promised, acceptedBallot, accepted, formed }) }));
}

export function decodeNodeState(bytes: Buffer): NodeState | undefined {
  return decoding(() => {
    const state = millrace.NodeState.decode(bytes);
    return {
      promised: ballot(state.promised),
      acceptedBallot: ballot(state.acceptedBallot),
      accepted: metaGroup(state.accepted),
      formed: metaGroup(state.formed),
      addresses: new Map(state.addresses.map((known) => [nodeName(known.node ?? ''), known.address ?? ''])),
    };
  });
}

export function encodeJoinReply(group: MetaGroup): Buffer {
  return encoded(millrace.JoinReply.encode(present({ group })));
}

export function decodeJoinReply(bytes: Buffer): MetaGroup | undefined {
  return decoding(() => metaGroup(millrace.JoinReply.decode(bytes).group));
}

/** protobufjs writes what is there: a field that is undefined must not be. Lists become its own to mutate. */
function present<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

function ballot(value: millrace.Ballot.$Properties | null | undefined): Ballot | undefined {
  if (value == null) return undefined;
  return { round: value.round ?? 0, node: nodeName(value.node ?? '') };
}

function metaGroup(value: millrace.MetaGroup.$Properties | null | undefined): MetaGroup | undefined {
  if (value == null) return undefined;
  const id = text(value.id ?? '', MAX_NAME_CHARS);
  return { id, voters: nodeNames(value.voters ?? []), learners: nodeNames(value.learners ?? []) };
}
