/** Owns bugs as they could be in the product, planted from outside, each with the setting in which it has to be found. */
import type { ClientInbox } from './recording-outlet.ts';
import type { ConsumerSet } from '../../src/consumer/index.ts';
import type { DiskBatch, KeyRange, KeyValueDisk, StateMachine } from '../../src/raft/index.ts';
import type { StreamInstance, Submission } from '../../src/stream/index.ts';
import type { Plan } from './plan.ts';
import type { Interference } from './simulated-node.ts';

const GROUP_SPACE = 1;
const HARD_STATE_TAG = 2;
const GROUP_TAG_AT = 5;
/** Every so many writes are synced all the same, so that nodes come up again. */
const HONEST_EVERY = 20;
const SKIPPED_ENTRY = 7;

export interface PlantedBug {
  readonly what: string;
  readonly interference: () => Interference;
  readonly change: (plan: Plan) => Plan;
}

/** Passes everything on. */
class DiskWrapper implements KeyValueDisk {
  readonly disk: KeyValueDisk;

  constructor(disk: KeyValueDisk) {
    this.disk = disk;
  }

  get(key: Buffer): Promise<Buffer | undefined> {
    return this.disk.get(key);
  }

  entries(range: KeyRange): AsyncIterable<readonly [Buffer, Buffer]> {
    return this.disk.entries(range);
  }

  keys(range: KeyRange): AsyncIterable<Buffer> {
    return this.disk.keys(range);
  }

  batch(): DiskBatch {
    return this.disk.batch();
  }

  write(batch: DiskBatch, sync: boolean): Promise<void> {
    return this.disk.write(batch, sync);
  }

  close(): Promise<void> {
    return this.disk.close();
  }
}

/** Says that it has synced what it has only written. */
class HastyDisk extends DiskWrapper {
  #writes = 0;

  override write(batch: DiskBatch, sync: boolean): Promise<void> {
    return super.write(batch, sync && this.#writes++ % HONEST_EVERY === 0);
  }
}

/** Stores the first term and vote of each group, and none after it. */
class ForgetfulDisk extends DiskWrapper {
  readonly #known: Set<string>;

  constructor(disk: KeyValueDisk, known: Set<string>) {
    super(disk);
    this.#known = known;
  }

  override async write(batch: DiskBatch, sync: boolean): Promise<void> {
    if (!(batch instanceof FilteredBatch)) throw new Error('a batch goes to the disk that made it');
    await super.write(batch.inner, sync);
  }

  override batch(): DiskBatch {
    return new FilteredBatch(super.batch(), (key) => {
      if (key[0] !== GROUP_SPACE || key[GROUP_TAG_AT] !== HARD_STATE_TAG) return true;
      const isFirst = !this.#known.has(key.toString('hex'));
      this.#known.add(key.toString('hex'));
      return isFirst;
    });
  }
}

class FilteredBatch implements DiskBatch {
  readonly inner: DiskBatch;
  readonly #keeps: (key: Buffer) => boolean;

  constructor(inner: DiskBatch, keeps: (key: Buffer) => boolean) {
    this.inner = inner;
    this.#keeps = keeps;
  }

  put(key: Buffer, value: Buffer): void {
    if (this.#keeps(key)) this.inner.put(key, value);
  }

  delete(key: Buffer): void {
    this.inner.delete(key);
  }
}

/** The same object, but for these members. */
export function altered<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(object, name) {
      if (name in members) return Reflect.get(members, name) as unknown;
      const value: unknown = Reflect.get(object, name, object);
      return typeof value === 'function' ? (value.bind(object) as unknown) : value;
    },
  });
}

function skippingMachine(machine: StateMachine): StateMachine {
  return altered(machine, {
    apply: (entries) => {
      machine.apply(entries.filter(({ index }) => index !== SKIPPED_ENTRY));
    },
  });
}

function guessingStream(instance: StreamInstance): StreamInstance {
  return altered(instance, {
    submit: (submission: Submission) => {
      if (instance.status.role !== 'leader') {
        instance.submit(submission);
        return;
      }
      const firstSeq = instance.state().lastSeq + 1;
      instance.submit({ ...submission, settle: () => undefined });
      submission.settle({ kind: 'applied', firstSeq: firstSeq as never, exceptions: [] });
    },
  });
}

function rashConsumers(consumers: ConsumerSet, inbox: ClientInbox): ConsumerSet {
  return altered(consumers, {
    ack: (name, ack) => {
      const isKnown = consumers.ack(name, { ...ack, reply: '' });
      if (ack.reply !== '') inbox.published(ack.reply);
      return isKnown;
    },
  });
}

const onFiles = (plan: Plan): Plan => ({
  ...plan,
  streams: plan.streams.map((stream) => ({ ...stream, config: { ...stream.config, storage: 'file' } })),
});

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    what: 'an answer before the data is synced',
    interference: () => ({ disk: (disk) => new HastyDisk(disk) }),
    change: (plan) => ({ ...onFiles(plan), faults: ['powerCut'] }),
  },
  {
    what: 'a vote that is not stored',
    interference: () => {
      const known = new Map<string, Set<string>>();
      return {
        disk: (disk, node) => {
          const ofNode = known.get(node) ?? new Set();
          known.set(node, ofNode);
          return new ForgetfulDisk(disk, ofNode);
        },
      };
    },
    // Where disks are slow there is time for a power cut between a vote and the first entry of its term.
    change: (plan) => ({
      ...onFiles(plan),
      faults: ['powerCut'],
      faultPauseMs: { min: 300, max: 900 },
      diskPace: { minMs: 20, maxMs: 60 },
    }),
  },
  {
    what: 'an entry that one replica does not apply',
    interference: () => ({ machine: (machine, node) => (node === 'n2' ? skippingMachine(machine) : machine) }),
    change: (plan) => plan,
  },
  {
    what: 'a read without asking whether this is still the leader',
    interference: () => ({ instance: (instance) => altered(instance, { readBarrier: () => Promise.resolve() }) }),
    change: (plan) => ({ ...plan, faults: ['partition', 'oneWayCut', 'badNetwork'] }),
  },
  {
    what: 'a publish answered before it is committed',
    interference: () => ({ instance: guessingStream }),
    change: (plan) => plan,
  },
  {
    what: 'a double ack answered before it is on record',
    interference: () => ({ consumers: rashConsumers }),
    change: (plan) => ({ ...onFiles(plan), faults: ['crash', 'powerCut', 'partition'] }),
  },
];
