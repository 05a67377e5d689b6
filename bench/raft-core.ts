/**
 * Measures the core alone: three members in one process, no disk, no wire, everything durable at once. What is left is
 * what Raft itself costs per entry, sealing and checking records included.
 *
 *     npx tsx bench/raft-core.ts [seconds per line]
 */
import { performance } from 'node:perf_hooks';
import type { NodeId } from '../src/base/brand.ts';
import { RaftCore } from '../src/raft/core/core.ts';
import { Effects } from '../src/raft/core/effects.ts';
import { makeMembership } from '../src/raft/core/membership.ts';
import { decodeFrame, encodeFrame } from '../src/raft/wire/frame.ts';
import type { PeerMessage } from '../src/raft/messages.ts';
import { allocateRecord, RECORD_HEADER_BYTES } from '../src/raft/record.ts';
import type { GroupId, LogIndex, Term } from '../src/raft/types.ts';

const GROUP = 1 as GroupId;
const ids = ['n1', 'n2', 'n3'] as NodeId[];
const COMPACT_EVERY = 4096;

class Bench {
  readonly #cores = new Map<NodeId, { readonly core: RaftCore; readonly effects: Effects }>();
  readonly #overTheWire: boolean;

  constructor(overTheWire: boolean) {
    this.#overTheWire = overTheWire;
    const state = { kind: 'created', membership: makeMembership({ voters: ids }), firstLeader: ids[0] } as const;
    for (const node of ids) {
      const core = new RaftCore({ node, group: GROUP, electionTimeoutMinMs: 300, repairNumber: () => 1, state });
      const effects = new Effects();
      core.start(0, effects);
      this.#cores.set(node, { core, effects });
    }
    this.#settle();
  }

  /** Proposes `entries` records of `bytes` each and carries out everything until nothing is left to do. */
  round(entries: number, bytes: number): void {
    const records = Array.from({ length: entries }, () => {
      const record = allocateRecord(bytes);
      record.fill(1, RECORD_HEADER_BYTES);
      return record;
    });
    const { core, effects } = this.#cores.get(ids[0]!)!;
    core.step({ kind: 'propose', records }, 0, effects);
    this.#settle();
  }

  #settle(): void {
    let network: PeerMessage[] = [];
    do {
      const next: PeerMessage[] = [];
      for (const message of network) {
        const { core, effects } = this.#cores.get(message.to)!;
        core.step({ kind: 'peer', message: this.#carry(message) }, 0, effects);
      }
      for (const { core, effects } of this.#cores.values()) this.#carryOut(core, effects, next);
      network = next;
    } while (network.length > 0);
  }

  #carry(message: PeerMessage): PeerMessage {
    if (!this.#overTheWire) return message;
    const decoded = decodeFrame(encodeFrame([{ group: GROUP, message }]), message);
    if (typeof decoded === 'string') throw new Error(decoded);
    return decoded[0]!.message;
  }

  #carryOut(core: RaftCore, effects: Effects, network: PeerMessage[]): void {
    const { hardState, append, send, sendOncePersisted } = effects;
    const last = append[append.length - 1];
    const messages = [...send, ...sendOncePersisted];
    effects.clear();
    if (last !== undefined || hardState !== undefined) {
      const index = last?.index ?? (0 as LogIndex);
      core.step({ kind: 'persisted', index, term: last?.term ?? (0 as Term), hardState }, 0, effects);
    }
    if (core.applyIndex - core.snapshotIndex > COMPACT_EVERY) {
      core.step({ kind: 'compact', index: core.applyIndex }, 0, effects);
    }
    messages.push(...effects.send);
    effects.send.length = 0;
    network.push(...messages);
  }
}

function measure(title: string, entries: number, bytes: number, overTheWire: boolean, seconds: number): void {
  const bench = new Bench(overTheWire);
  for (let warm = 0; warm < 200; warm++) bench.round(entries, bytes);
  const begin = performance.now();
  let rounds = 0;
  while (performance.now() - begin < seconds * 1000) {
    bench.round(entries, bytes);
    rounds++;
  }
  const elapsedMs = performance.now() - begin;
  const perEntryUs = (elapsedMs * 1000) / (rounds * entries);
  const mebibytes = (rounds * entries * bytes) / (elapsedMs / 1000) / 2 ** 20;
  console.log(
    `${title.padEnd(44)} ${perEntryUs.toFixed(2).padStart(8)} µs/entry ${mebibytes.toFixed(0).padStart(6)} MiB/s`,
  );
}

const seconds = Number(process.argv[2] ?? 1);
measure('1 entry of 256 B a round', 1, 256, false, seconds);
measure('64 entries of 256 B a round', 64, 256, false, seconds);
measure('1 entry of 64 KiB a round', 1, 65536, false, seconds);
measure('1 entry of 64 KiB a round, through frames', 1, 65536, true, seconds);
measure('64 entries of 256 B a round, through frames', 64, 256, true, seconds);
