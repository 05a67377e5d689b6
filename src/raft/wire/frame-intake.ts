/** Owns what arrives from other nodes: each frame is decoded, and brought to the group or the part that it is for. */
import type { NodeId } from '../../base/brand.ts';
import type { Logger } from '../../base/logger.ts';
import type { Amnesia } from '../repair/amnesia.ts';
import { decodeFrame } from './frame.ts';
import type { Group } from '../group.ts';
import type { PeerMessage } from '../messages.ts';
import { decodeNodeFrame, isNodeFrame, type Beat } from './node-frame.ts';
import type { Peers } from '../peers.ts';
import type { RecordRepair } from '../repair/record-repair.ts';
import type { NodeStorage } from '../storage/node-storage.ts';
import type { GroupId } from '../types.ts';

export interface FrameIntakeOptions {
  readonly storage: NodeStorage;
  readonly logger: Logger;
  readonly peers: Peers;
  readonly amnesia: Amnesia;
  readonly repair: RecordRepair;
  readonly group: (id: GroupId) => Group | undefined;
  /** Runs what a state machine may throw out of. */
  readonly guard: (group: Group, run: () => void) => void;
  readonly beat: (to: NodeId) => void;
  /** Its process is a new one: groups that it led have no leader, and in those that it follows it knows of none. */
  readonly reborn: (node: NodeId) => void;
}

export class FrameIntake {
  readonly #options: FrameIntakeOptions;

  constructor(options: FrameIntakeOptions) {
    this.#options = options;
  }

  receive(from: NodeId, frame: Buffer): void {
    this.#options.peers.heardOf(from);
    if (isNodeFrame(frame)) {
      this.#receiveNodeFrame(from, frame);
      return;
    }
    const messages = decodeFrame(frame, { from, to: this.#options.storage.node });
    if (typeof messages === 'string') {
      this.#options.logger.warn({ from, defect: messages }, 'frame.refused');
      return;
    }
    for (const { group: id, message } of messages) {
      const group = this.#options.group(id);
      if (group === undefined) continue;
      this.#options.guard(group, () => {
        this.#receiveMessage(group, message);
      });
    }
  }

  #receiveMessage(group: Group, message: PeerMessage): void {
    switch (message.kind) {
      case 'requestVote':
      case 'timeoutNow':
        if (this.#options.amnesia.mayVote(group.members.voterSets)) group.receive(message);
        return;
      case 'requestVoteReply':
      case 'appendEntriesReply':
        this.#options.storage.notePeerCounter(message.from, message.journal);
        group.receive(message);
        return;
      case 'appendEntries':
        group.receive(message);
        return;
      case 'installSnapshot':
        group.receive(message);
        if (message.term === group.term) group.receiver.offered(message);
        return;
      case 'installSnapshotReply':
        group.receive(message);
        if (message.term === group.term && group.isLeader) group.sender.reply(message);
    }
  }

  #receiveNodeFrame(from: NodeId, bytes: Buffer): void {
    const { storage, logger, repair } = this.#options;
    const frame = decodeNodeFrame(bytes);
    if (frame === undefined) {
      logger.warn({ from }, 'frame.refused');
      return;
    }
    if (frame.kind === 'beat') {
      this.#receiveBeat(from, frame);
      return;
    }
    if (frame.kind === 'journal') {
      storage.notePeerCounter(from, frame.counter);
      return;
    }
    const group = this.#options.group(frame.group);
    if (group === undefined) return;
    switch (frame.kind) {
      case 'chunk':
        group.receiver.chunk(from, frame);
        return;
      case 'nothingLeft':
        group.repair.nothingLeftAt(from);
        return;
      case 'digest':
        group.digestVote.received(from, frame);
        return;
      case 'record':
        void repair.received(group, frame.index, Buffer.from(frame.record));
        return;
      case 'recordWanted':
        void repair.asked(group, from, frame.index);
    }
  }

  #receiveBeat(from: NodeId, frame: Beat): void {
    const { peers, amnesia, beat, reborn: greet } = this.#options;
    const { reborn, answered, amnesia: counter } = peers.beatReceived(from, frame);
    if (counter !== undefined) void amnesia.found(from, counter);
    if (reborn) greet(from);
    // It does not know us yet, and waits for our word before it promises us anything.
    if (reborn || answered || frame.receiverIncarnation !== peers.incarnation) beat(from);
  }
}
