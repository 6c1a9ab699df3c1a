import { HoldfastError } from '../../../base/errors.ts';
import type { DecodedVolume, SetAccess } from './set-access.ts';
import type { SetTable } from './set-table.ts';

/** What files, repair and the commands for disks have to know of erasure sets. */
export class SetView {
  readonly #table: SetTable;
  readonly #access: SetAccess;

  constructor(table: SetTable, access: SetAccess) {
    this.#table = table;
    this.#access = access;
  }

  /** Is it in a set, be that one that ends? */
  has(volumeId: number | undefined): boolean {
    return this.#table.find(volumeId) !== undefined;
  }

  /** True: one copy of it is enough, and the set's own keeper looks after it. */
  keeps(volumeId: number): boolean {
    return this.#table.find(volumeId)?.record.state === 'live';
  }

  /** The volume from the other shards of its set; undefined: it is in none. */
  decoded(volumeId: number | undefined): DecodedVolume | undefined {
    return this.#access.decoded(volumeId);
  }

  volumeIds(): number[] {
    return this.#table.all().flatMap(({ record }) =>
      record.volumes.map(({ volumeId }) => volumeId));
  }

  /** Its set ends from now on, if it is in one. @throws busy: it is in one. Ask again later. */
  checkMayLeave(volumeId: number): void {
    const set = this.#table.find(volumeId);
    if (set === undefined) return;
    set.isToDissolve = true;
    const message = 'The volume is part of an erasure set. The set is dissolved first, which takes '
      + 'its time; after that the volume can go.';
    throw new HoldfastError('busy', 'storage/ErasureSets', message, {
      code: 'volume-in-set', facts: { volumeId, set: set.record.number },
    });
  }

  /** While it leaves, no set is made of it. @throws as checkMayLeave. */
  async leave(volumeId: number, act: () => Promise<void>): Promise<void> {
    this.checkMayLeave(volumeId);
    this.#table.leaving.add(volumeId);
    try {
      await act();
    } finally {
      this.#table.leaving.delete(volumeId);
    }
  }
}
