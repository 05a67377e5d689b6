/**
 * Owns what the leader of a stream does by itself: expiry and schedules by the clock, and what a change of configuration
 * left to be done. It only proposes; replicas apply.
 */
import type { Logger } from '../base/logger.ts';
import type { Runtime } from '../base/runtime.ts';
import { ExpiryKeeper } from './expiry/expiry-keeper.ts';
import { MessageReader } from './records/message-reader.ts';
import type { LoggedOperation } from './entries/operation-applier.ts';
import type { ProducedMessage } from './entries/produced-batch.ts';
import type { ReplicatedState } from './replicated-state.ts';
import { ScheduleKeeper } from './schedules/schedule-keeper.ts';
import type { StreamReader } from './types.ts';

/** What the keepers work on and with. */
export interface TimedSurroundings {
  readonly state: ReplicatedState;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly reader: MessageReader;
  readonly isLeader: () => boolean;
  /** Both reject when this node does not lead. */
  readonly execute: (operation: LoggedOperation) => Promise<unknown>;
  readonly produce: (batch: readonly ProducedMessage[]) => Promise<unknown>;
}

export class Timekeeper {
  readonly #expiry: ExpiryKeeper;
  readonly #schedules: ScheduleKeeper;
  readonly #surroundings: TimedSurroundings;
  #isSweeping = false;

  constructor(options: Omit<TimedSurroundings, 'reader'> & { readonly read: StreamReader['read'] }) {
    const surroundings = { ...options, reader: new MessageReader(options.read, options.runtime) };
    this.#expiry = new ExpiryKeeper(surroundings);
    this.#schedules = new ScheduleKeeper(surroundings);
    this.#surroundings = surroundings;
  }

  /** Something was applied, or the leader changed. */
  schedule(): void {
    this.#expiry.schedule();
    this.#schedules.schedule();
    if (this.#surroundings.state.sweep !== undefined) this.#keepSweeping();
  }

  /** The configuration changed: what was planned no longer holds. */
  reschedule(): void {
    this.#expiry.reschedule();
    this.#schedules.schedule();
  }

  /** What a change of configuration began goes on, step by step. */
  #keepSweeping(): void {
    const { isLeader, execute } = this.#surroundings;
    if (this.#isSweeping || !isLeader()) return;
    this.#isSweeping = true;
    const settled = (): void => {
      this.#isSweeping = false;
      this.schedule();
    };
    // Not the leader any more: who leads then goes on.
    execute({ op: 'sweep' }).then(settled, () => {
      this.#isSweeping = false;
    });
  }

  close(): void {
    this.#expiry.close();
    this.#schedules.close();
  }
}
