import type { SpaceId, TenantId } from '../../../../base/ids.ts';
import { directoryClosed } from '../../directory-refusals.ts';
import { RuledDirectory } from '../../directory-rules.ts';
import type { DirectoryRows, DirectoryTables, Ruling } from '../../directory-rules.ts';
import { FIRST_SHARD } from '../../shard-directory.ts';
import type { DirectoryView, ShardRecord, TenantPlace } from '../../shard-directory.ts';

class MemoryTables implements DirectoryTables {
  #rev = 0;
  readonly #shards = new Map<number, ShardRecord>([[0, FIRST_SHARD]]);
  readonly #places = new Map<TenantId, TenantPlace>();
  readonly #moved = new Map<SpaceId, TenantId>();
  #isClosed = false;

  #checkOpen(): void {
    if (this.#isClosed) throw directoryClosed();
  }

  async readRev(): Promise<number> {
    this.#checkOpen();
    return this.#rev;
  }

  #rows(): DirectoryRows {
    return {
      shards: [...this.#shards.values()],
      places: [...this.#places.values()].toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1)),
    };
  }

  async read(): Promise<DirectoryView> {
    this.#checkOpen();
    const movedSpaces = [...this.#moved].map(([spaceId, tenant]) => ({ spaceId, tenant }))
      .toSorted((a, b) => a.spaceId - b.spaceId);
    return structuredClone({ rev: this.#rev, ...this.#rows(), movedSpaces });
  }

  async change<T>(rule: (rows: DirectoryRows) => Ruling<T>): Promise<T> {
    this.#checkOpen();
    const { answer, write } = rule(this.#rows());
    if (write === undefined) return answer;
    const { shard, place, moved } = write;
    if (shard !== undefined) this.#shards.set(shard.number, shard);
    if (place !== undefined) this.#places.set(place.tenant, place);
    for (const spaceId of moved?.spaces ?? []) this.#moved.set(spaceId, moved?.tenant as TenantId);
    this.#rev += 1;
    return answer;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }
}

/** A ShardDirectory in memory, for tests: it forgets. */
export class MemoryShardDirectory extends RuledDirectory {
  constructor() {
    super(new MemoryTables());
  }
}
