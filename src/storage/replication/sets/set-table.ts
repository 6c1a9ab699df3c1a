/** What is known of erasure sets while the store runs. */
import { disksOf, type SetRecord } from './set-record.ts';

/**
 * - `good`: its bytes were compared with the set's checksums since the program was started.
 * - `unchecked`: there is a file of that name. It counts as expected, not as sound.
 * - `damaged`: some of its bytes are wrong or cannot be read.
 */
export type ParityState = 'good' | 'unchecked' | 'damaged';

export class KnownSet {
  record: SetRecord;
  /** For each parity shard, from k on: on which disks there is a file, and what it is worth. */
  readonly parity: Map<number, Map<string, ParityState>> = new Map();
  /** All of it was read and decoded since the program was started, and nothing was found wrong
   *  since: copies that are left over may go. */
  isProven = false;
  /** Disks that have the newest record. */
  readonly recordedOn: Set<string> = new Set();
  /** When its parity was doubted last, on the monotonic clock. Undefined: not since the start, when
   *  all of it is read. */
  parityReadMs: number | undefined;
  /** Somebody wants one of its volumes to go. */
  isToDissolve = false;

  constructor(record: SetRecord) {
    this.record = record;
    for (let shard = this.data; shard < this.shards; shard++) this.parity.set(shard, new Map());
  }

  get data(): number {
    return this.record.volumes.length;
  }

  get shards(): number {
    return disksOf(this.record).length;
  }

  /** The shard's number; undefined: the volume is not in the set. */
  shardOf(volumeId: number): number | undefined {
    const shard = this.record.volumes.findIndex((volume) => volume.volumeId === volumeId);
    return shard < 0 ? undefined : shard;
  }
}

export class SetTable {
  readonly #sets = new Map<number, KnownSet>();
  readonly #ofVolume = new Map<number, KnownSet>();
  /** Records of sets that are no more, for as long as a disk may know better. */
  readonly dissolved: Map<number, SetRecord> = new Map();
  /** Volumes that are on their way to the trash. */
  readonly leaving: Set<number> = new Set();
  /** The highest number that was ever seen. */
  lastNumber = 0;

  /** The set that the volume belongs to, live or dissolving. */
  find(volumeId: number | undefined): KnownSet | undefined {
    return volumeId === undefined ? undefined : this.#ofVolume.get(volumeId);
  }

  get(setNumber: number): KnownSet | undefined {
    return this.#sets.get(setNumber);
  }

  /** In the order of their numbers. */
  all(): KnownSet[] {
    return [...this.#sets.values()].sort((a, b) => a.record.number - b.record.number);
  }

  add(set: KnownSet): void {
    this.#sets.set(set.record.number, set);
    this.lastNumber = Math.max(this.lastNumber, set.record.number);
    for (const { volumeId } of set.record.volumes) this.#ofVolume.set(volumeId, set);
  }

  delete(set: KnownSet): void {
    this.#sets.delete(set.record.number);
    for (const { volumeId } of set.record.volumes) {
      if (this.#ofVolume.get(volumeId) === set) this.#ofVolume.delete(volumeId);
    }
  }
}
