/**
 * Owns looking up what a counter stands at: the last message of its subject, as far as this replica has applied the log.
 * The values of subjects that were asked for lately are remembered.
 */
import type { Seq } from '../../base/brand.ts';
import { emptyStoredMessage } from '../records/block-cursor.ts';
import { COUNTER_SOURCES_HEADER, NO_COUNTER, readCounter, type Counter } from './counter-value.ts';
import { MessageDraft } from '../messages/message-draft.ts';
import type { MessageStore } from '../store/message-store.ts';
import type { StreamReader } from '../types.ts';

const MAX_REMEMBERED = 8192;

/** `wait`: it is on its way from disk. `broken`: what is stored last is no counter, or can't be read. */
export type LastCounter = Counter | 'wait' | 'broken';

export class LastCounters {
  readonly #read: StreamReader['read'];
  readonly #store: () => MessageStore;
  readonly #onReady: () => void;
  readonly #view = emptyStoredMessage();
  readonly #draft = new MessageDraft();
  /** By subject, the one that was remembered first comes first. */
  readonly #remembered = new Map<string, { readonly seq: number; readonly counter: Counter }>();

  constructor(options: {
    readonly read: StreamReader['read'];
    readonly store: () => MessageStore;
    /** Called when it pays to ask again after `wait`. */
    readonly onReady: () => void;
  }) {
    this.#read = options.read;
    this.#store = options.store;
    this.#onReady = options.onReady;
  }

  /** `name` is the text of `subject`. */
  find(subject: Buffer, name: string): LastCounter {
    const store = this.#store();
    const id = store.subjects.find(subject, 0, subject.length);
    if (id < 0) return NO_COUNTER;
    const seq = store.lastOf(id);
    const known = this.#remembered.get(name);
    if (known?.seq === seq) return known.counter;
    const step = this.#read(seq as Seq, this.#view, this.#onReady);
    if (step === 'wait') return 'wait';
    if (step !== 'message') return 'broken';
    this.#draft.load(this.#view);
    const counter = readCounter(this.#draft.payload, this.#draft.header(COUNTER_SOURCES_HEADER));
    this.#draft.clear();
    if (counter !== undefined) this.remember(name, seq, counter);
    return counter ?? 'broken';
  }

  /** The counter was stored at `seq`. */
  remember(name: string, seq: number, counter: Counter): void {
    this.#remembered.delete(name);
    this.#remembered.set(name, { seq, counter });
    if (this.#remembered.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#remembered.keys()) {
      this.#remembered.delete(oldest);
      break;
    }
  }
}
