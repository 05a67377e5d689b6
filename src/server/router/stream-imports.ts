/**
 * Owns what an account imports of others' messages: a subscription to an imported subject is followed by one in the account
 * that exports it, under the subject there. So messages need no second look, and other nodes hear of the interest as of any.
 */
import { byteString } from '../../base/byte-string.ts';
import { compileSubjectTransform, type SubjectTransform } from '../../base/subject-transform.ts';
import { invariant } from '../../base/errors.ts';
import type { Message } from '../protocol/index.ts';
import type { Publisher } from '../router-types.ts';
import type { AccountSubjects } from './account-subjects.ts';
import { ImportedPublisher } from './imported-publisher.ts';
import { Subscription, type Subscriber } from './subscription.ts';

/** Subjects as text; `localMapping` and `remoteMapping` lead from the one to the other. */
export interface ImportedSubject {
  /** In the exporting account. */
  readonly subject: string;
  readonly local: string;
  readonly localMapping: string;
  readonly remoteMapping: string;
}

interface StreamImport {
  readonly exporter: AccountSubjects;
  readonly local: readonly string[];
  /** Undefined: subjects are the same here and there. */
  readonly toLocal: SubjectTransform | undefined;
  readonly toRemote: SubjectTransform | undefined;
}

interface Follower {
  readonly exporter: AccountSubjects;
  readonly subscription: Subscription;
}

export class StreamImports {
  readonly #imports: StreamImport[] = [];
  readonly #followers = new Map<Subscription, readonly Follower[]>();

  add(exporter: AccountSubjects, { subject, local, localMapping, remoteMapping }: ImportedSubject): void {
    const differs = subject !== local || localMapping !== inOrder(subject);
    this.#imports.push({
      exporter,
      local: byteString(local).split('.'),
      toLocal: differs ? mapping(subject, localMapping) : undefined,
      toRemote: differs ? mapping(local, remoteMapping) : undefined,
    });
  }

  follow(subscription: Subscription): void {
    const tokens = subscription.subject.split('.');
    const followers = this.#imports.flatMap((each) => {
      const common = intersection(tokens, each.local);
      return common === undefined ? [] : [followIn(each, common, subscription)];
    });
    if (followers.length === 0) return;
    this.#followers.set(subscription, followers);
    for (const follower of followers) follower.exporter.attach(follower.subscription);
  }

  leave(subscription: Subscription): void {
    const followers = this.#followers.get(subscription);
    if (followers === undefined) return;
    this.#followers.delete(subscription);
    for (const follower of followers) follower.exporter.unsubscribe(follower.subscription);
  }
}

function followIn({ exporter, toLocal, toRemote }: StreamImport, common: string, subscription: Subscription): Follower {
  const { queue, sid } = subscription;
  const subscriber = new ImportingSubscriber(subscription, toLocal);
  const subject = toRemote === undefined ? common : mapped(toRemote, common);
  return { exporter, subscription: new Subscription(subscriber, { subject, queue, sid }) };
}

/** The subscriber of the subscription that is followed, with the subjects that messages have there. */
class ImportingSubscriber implements Subscriber {
  readonly #followed: Subscription;
  readonly #toLocal: SubjectTransform | undefined;

  constructor(followed: Subscription, toLocal: SubjectTransform | undefined) {
    this.#followed = followed;
    this.#toLocal = toLocal;
  }

  get connectionId(): number {
    return this.#followed.subscriber.connectionId;
  }

  get echo(): boolean {
    return this.#followed.subscriber.echo;
  }

  get wantsNoResponders(): boolean {
    return this.#followed.subscriber.wantsNoResponders;
  }

  get pendingBytes(): number {
    return this.#followed.subscriber.pendingBytes;
  }

  deliver(_subscription: Subscription, message: Message, publisher: Publisher | undefined): boolean {
    // What came by the import of a service is for those who serve it, not for who imports from them in turn.
    if (publisher instanceof ImportedPublisher) return false;
    const followed = this.#followed;
    // A stored message keeps the subject that it is stored under, whatever subject it is delivered to.
    if (this.#toLocal === undefined || message.routedByOther) {
      return followed.subscriber.deliver(followed, message, publisher);
    }
    const { subjectBuffer, subjectStart, subjectEnd } = message;
    const length = this.#toLocal.apply(subjectBuffer, subjectStart, subjectEnd);
    if (length < 0) return false;
    message.setSubject(this.#toLocal.output, 0, length);
    const taken = followed.subscriber.deliver(followed, message, publisher);
    message.setSubject(subjectBuffer, subjectStart, subjectEnd);
    return taken;
  }
}

/** What both filters match, as a filter; undefined: nothing. */
function intersection(a: readonly string[], b: readonly string[]): string | undefined {
  const common: string[] = [];
  for (let index = 0; ; index++) {
    const [one, other] = [a[index], b[index]];
    if (one === undefined && other === undefined) return common.join('.');
    if (one === undefined || other === undefined) return undefined;
    if (one === '>') return [...common, ...b.slice(index)].join('.');
    if (other === '>') return [...common, ...a.slice(index)].join('.');
    if (one !== other && one !== '*' && other !== '*') return undefined;
    common.push(one === '*' ? other : one);
  }
}

/** The mapping that leaves subjects as they are. */
export function inOrder(subject: string): string {
  let wildcards = 0;
  return subject
    .split('.')
    .map((token) => (token === '*' ? `$${++wildcards}` : token))
    .join('.');
}

/** The configuration has checked it. */
export function mapping(from: string, to: string): SubjectTransform {
  const compiled = compileSubjectTransform(from, to, () => 0);
  invariant(compiled.ok, `${from} can not be mapped to ${to}`);
  return compiled.transform;
}

/** Wildcards are tokens as any. */
function mapped(transform: SubjectTransform, filter: string): string {
  const bytes = Buffer.from(filter, 'latin1');
  return transform.output.toString('latin1', 0, transform.apply(bytes, 0, bytes.length));
}
