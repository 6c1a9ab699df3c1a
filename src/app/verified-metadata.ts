/**
 * What verifiers read of a tenant's metadata: in the shard on which the tenant is, by now. A tenant
 * that moves leaves rows behind for a day, and what is read there would be of the past.
 */
import type { TenantId } from '../base/ids.ts';
import type { JournalSource, ManifestSource } from '../durability/index.ts';
import {
  MariadbJournalSource,
} from '../durability/verify/stores/mariadb/mariadb-journal-source.ts';
import {
  MariadbManifestSource,
} from '../durability/verify/stores/mariadb/mariadb-manifest-source.ts';
import {
  SqliteJournalScratch,
} from '../durability/verify/stores/sqlite/sqlite-journal-scratch.ts';
import {
  SqliteJournalSource,
} from '../durability/verify/stores/sqlite/sqlite-journal-source.ts';
import {
  SqliteManifestSource,
} from '../durability/verify/stores/sqlite/sqlite-manifest-source.ts';
import type { Clock } from '../platform/index.ts';
import type { ShardAddress } from './shard-address.ts';
import type { ShardPlaces } from './shard-places.ts';

interface Opened {
  readonly shard: number;
  readonly source: ManifestSource & { close(): void | Promise<void> };
  readonly journal: JournalSource & { close(): void | Promise<void> };
}

export interface VerifiedTenant {
  readonly tenant: TenantId;
  /** Of all marks those of the tenant's volumes, by their own numbers. */
  readonly ownMarks: (all: Iterable<readonly [number, number]>) => [number, number][];
}

export class VerifiedMetadata {
  readonly #places: ShardPlaces;
  readonly #of: VerifiedTenant;
  readonly #clock: Clock;
  /** The last is the one in use; those before may still be read from. */
  readonly #opened: Opened[] = [];

  readonly source: ManifestSource = {
    page: async (after, limit) => (await this.#at()).source.page(after, limit),
    find: async (key) => (await this.#at()).source.find(key),
    marks: async () => (await this.#at()).source.marks(),
  };

  readonly journal: JournalSource = {
    spaces: async () => (await this.#at()).journal.spaces(),
    space: async (id) => (await this.#at()).journal.space(id),
    events: async (id, after, limit) => (await this.#at()).journal.events(id, after, limit),
    members: async (id, page) => (await this.#at()).journal.members(id, page),
    membersAt: async (id, page) => (await this.#at()).journal.membersAt(id, page),
    pastFloor: async (id) => (await this.#at()).journal.pastFloor(id),
    folderBytes: async (id, folderId) => (await this.#at()).journal.folderBytes(id, folderId),
    openScratch: () => SqliteJournalScratch.open(),
  };

  constructor(places: ShardPlaces, of: VerifiedTenant, clock: Clock) {
    this.#places = places;
    this.#of = of;
    this.#clock = clock;
  }

  async #at(): Promise<Opened> {
    const shard = this.#places.numberOf(this.#of.tenant);
    const known = this.#opened.find((one) => one.shard === shard);
    if (known !== undefined) return known;
    const found = await this.#places.addressOf(shard);
    const opened = this.#opened.find((one) => one.shard === shard) ?? this.#open(shard, found);
    if (!this.#opened.includes(opened)) this.#opened.push(opened);
    return opened;
  }

  #open(shard: number, found: ShardAddress): Opened {
    const { tenant } = this.#of;
    if (found.kind === 'file') {
      return {
        shard, source: SqliteManifestSource.open(found.file, this.#of),
        journal: SqliteJournalSource.open(found.file, tenant),
      };
    }
    return {
      shard, source: new MariadbManifestSource(found.address, this.#clock, this.#of),
      journal: new MariadbJournalSource(found.address, this.#clock, tenant),
    };
  }

  async close(): Promise<void> {
    for (const { source, journal } of this.#opened.splice(0)) {
      await source.close();
      await journal.close();
    }
  }
}
