/**
 * Owns the direct consumers of a stream: those of mirrors and sources elsewhere. They live on the leader only, without
 * acks to record; when it goes, whoever made one notices and makes another.
 */
import type { TimestampUs } from '../base/brand.ts';
import { subjectFilter, type StreamReader } from '../stream/index.ts';
import { MemberIndex, type Member } from './member.ts';
import { ReplicatedConsumer } from './state/replicated-state.ts';
import { startPosition } from './delivery/start-position.ts';
import type { ConsumerConfig } from './types.ts';

/** Nothing in the log speaks of them. */
const NO_ID = 0;

export class DirectConsumers {
  readonly index = new MemberIndex();
  readonly #members = new Map<string, Member>();

  get(name: string): Member | undefined {
    return this.#members.get(name);
  }

  members(): IterableIterator<Member> {
    return this.#members.values();
  }

  add(stream: StreamReader, config: ConsumerConfig, createdUs: TimestampUs): Member {
    const filter = subjectFilter(config.filterSubjects);
    const start = startPosition(stream, config, filter);
    const replicated = new ReplicatedConsumer({ id: NO_ID, name: config.name, createdUs }, config, start.seq);
    replicated.initial = start.initial;
    const member: Member = { replicated, filter, leader: undefined };
    this.#members.set(config.name, member);
    this.index.add(member);
    return member;
  }

  configure(member: Member, config: ConsumerConfig): void {
    this.index.remove(member);
    member.replicated.config = config;
    member.filter = subjectFilter(config.filterSubjects);
    this.index.add(member);
    member.leader?.configure(config);
  }

  delete(member: Member): void {
    this.#members.delete(member.replicated.name);
    this.index.remove(member);
  }
}
