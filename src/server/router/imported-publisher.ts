/** Owns who publishes in an account that a request came to from another one: the client there, as it were. */
import type { Publisher } from '../router-types.ts';
import type { ReplyTable } from './reply-table.ts';

export class ImportedPublisher implements Publisher {
  readonly account: string;
  readonly origin: Publisher;
  /** Where answers to its requests lead. */
  readonly replies: ReplyTable | undefined;

  constructor(account: string, origin: Publisher, replies: ReplyTable | undefined) {
    this.account = account;
    this.origin = origin;
    this.replies = replies;
  }

  get connectionId(): number {
    return this.origin.connectionId;
  }

  /** Nothing of what the client is: that is its own account's business. */
  get description(): Publisher['description'] {
    const importer = this.origin.description.importer ?? this.origin.account;
    return { name: '', user: '', host: '', lang: '', version: '', importer };
  }

  pause(): void {
    this.origin.pause();
  }

  resume(): void {
    this.origin.resume();
  }

  stall(): void {
    this.origin.stall?.();
  }
}
