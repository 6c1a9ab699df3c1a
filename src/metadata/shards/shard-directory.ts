/** Where the tenants of an installation are: which shard has which, and since which move. */
import type { SpaceId, TenantId } from '../../base/ids.ts';
import type { Instant } from '../records.ts';

/** `making`: its database is not there yet, nobody asks it. `open`: new tenants may come.
 *  `draining`: keeps what it has, and gets no new tenants. `closed`: holds nobody, and is not asked
 *  any more; its number stays taken. */
export type ShardState = 'making' | 'open' | 'draining' | 'closed';

/** One database that holds metadata. */
export interface ShardRecord {
  /** 0 to SHARD_NUMBER_MAX, never given twice: the ids of what is made there begin at `firstIdOf`
   *  of it. 0 is the one that every installation begins with. */
  number: number;
  /** For people. Unique. */
  name: string;
  /** `mariadb://user@host:port/database`, or `sqlite:` and a path below the data directory; never
   *  with a password. '' for shard 0, which the settings name. Unique. */
  url: string;
  /** A file with the password of the database's user, on every machine that runs Holdfast. */
  passwordPath: string | undefined;
  state: ShardState;
  madeAt: Instant;
}

export type NewShard = Pick<ShardRecord, 'name' | 'url' | 'passwordPath'> & {
  at: Instant;
  /** `open` unless said. */
  state?: 'making' | 'open';
};

/** Where a tenant is at home. The epoch is 0 until it is moved, and grows by one with each move. */
export interface TenantPlace {
  tenant: TenantId;
  shard: number;
  epoch: number;
}

/** A space whose number no longer says where it is: it is wherever its tenant is. */
export interface MovedSpace {
  spaceId: SpaceId;
  tenant: TenantId;
}

/** All of a directory, as of one moment. */
export interface DirectoryView {
  /** Grows with every change. */
  rev: number;
  /** By ascending number; shard 0 first, always. */
  shards: readonly ShardRecord[];
  /** By ascending tenant. One that is not among them is on shard 0 with epoch 0, or nowhere yet. */
  places: readonly TenantPlace[];
  /** By ascending space. */
  movedSpaces: readonly MovedSpace[];
}

/** A tenant's move, once all that it has is where it goes. */
export interface PlaceMove {
  tenant: TenantId;
  /** What the mover has seen: of another epoch nothing is changed. */
  epochWas: number;
  shard: number;
  /** All spaces that the tenant has. */
  spaces: readonly SpaceId[];
}

/**
 * A ShardDirectory knows the shards of an installation and which tenant is on which. It is small,
 * and seldom changes; everybody who works with it keeps a copy (see cached-directory.ts).
 *
 * Every method may run concurrently, in several processes; changes are serial. Durability: what has
 * resolved survives a power cut. Errors: `unavailable` when it cannot be reached, or was closed;
 * `busy`; others as listed. After `unavailable` a change may have been made or not: each may be
 * asked for once more.
 */
export interface ShardDirectory {
  /** The `rev` of the present view, cheaper than the view. */
  readRev(): Promise<number>;

  read(): Promise<DirectoryView>;

  /** Gives it the next number. @throws exists `shard-exists`: the name or the URL is taken, by a
   *  closed one too; invalid: a name or URL that breaks a rule, or has a password; too-large: there
   *  are no numbers left. */
  addShard(shard: NewShard): Promise<ShardRecord>;

  /** @throws not-found `shard-missing`; conflict `shard-in-use`: closed, while tenants are there;
   *  conflict `shard-closed`: it was closed, which is for good; invalid: back to making; denied:
   *  shard 0 stays open or drains. */
  setShardState(number: number, state: ShardState): Promise<ShardRecord>;

  /** Gives a tenant its place, with epoch 0; if it has one, answers that.
   *  @throws not-found `shard-missing`; conflict `shard-closed`, `shard-draining`, also of one
   *  that is not made yet. */
  place(tenant: TenantId, shard: number): Promise<TenantPlace>;

  /** Gives a tenant another place, with the next epoch, and notes its spaces as moved, in one
   *  change. Calm when exactly this was done before. A tenant without a place counts as on shard 0
   *  with epoch 0. @throws conflict `place-changed`: its epoch is another; not-found
   *  `shard-missing`; conflict `shard-closed`, `shard-draining`: it is not made yet. */
  movePlace(move: PlaceMove): Promise<TenantPlace>;

  /** Calm when called twice. */
  close(): Promise<void>;
}

/** Every directory begins with it. */
export const FIRST_SHARD: ShardRecord = {
  number: 0, name: 'main', url: '', passwordPath: undefined, state: 'open', madeAt: 0,
};
