import type { SpaceId, TenantId, UserId } from '../../base/ids.ts';
import type { Witness } from '../../base/witness.ts';

export type RowValue = string | number | null | Uint8Array;
/** In the order of the table's `columns`. */
export type Row = readonly RowValue[];
/** In the order of the table's `key`. */
export type RowKey = readonly (string | number)[];

/** Rows of a tenant are those of its parts: what is its own, and each of its spaces. */
export type Part =
  | { readonly kind: 'tenant'; readonly tenant: TenantId }
  | { readonly kind: 'space'; readonly id: SpaceId; readonly owner: UserId | null };

export interface RowRange {
  /** Only rows whose key comes after this one. */
  readonly after?: RowKey;
  /** Only rows up to this one. */
  readonly upTo?: RowKey;
  readonly limit: number;
}

export interface LogEntry {
  readonly seq: number;
  /** A table of ROW_TABLES, or WHOLE_SPACE with the space's id as key. */
  readonly name: string;
  readonly key: RowKey;
}

/** Where a tenant's changes may be written. `home`: here; `frozen`: here, but not now;
 *  `moved`: elsewhere. No row says `home`, with epoch 0. */
export interface Placement {
  readonly epoch: number;
  readonly state: 'home' | 'frozen' | 'moved';
}

export const HOME: Placement = { epoch: 0, state: 'home' };

export interface TableChanges {
  readonly name: string;
  readonly puts: readonly Row[];
  readonly deletes: readonly RowKey[];
}

/**
 * The rows of one tenant in one metadata database: what a move copies, follows and removes.
 *
 * Tables are those of `row-tables.ts`. All methods may run concurrently, also with all work of the
 * store itself; the methods that write are serial with it. Once one has resolved, what it wrote
 * survives a power cut, and each is one transaction unless it says otherwise.
 * Errors: `busy`, `unavailable`, as MetadataStore.
 */
export interface TenantRows {
  /** From now on every change of a row of the tenant is noted in a log, in the transaction of the
   *  change itself; also of spaces that are made later. Calm when it has begun already: then the
   *  log stays as it is. Changes made by `apply` are noted too. */
  beginCapture(tenant: TenantId): Promise<void>;

  /** Whether a capture has begun and not ended: somebody's move of the tenant is not over. */
  isCaptured(tenant: TenantId): Promise<boolean>;

  /** Forgets the log as well. Calm when nothing was begun. */
  endCapture(tenant: TenantId): Promise<void>;

  /** Oldest first, at most `limit`. A row that changed twice is there twice. Entries appear in the
   *  order of commits: none ever comes before one that was read. */
  readLog(tenant: TenantId, limit: number): Promise<LogEntry[]>;

  /** `seq` of the newest entry; 0 when there is none. */
  lastOfLog(tenant: TenantId): Promise<number>;

  /** Forgets entries up to `seq`. */
  trimLog(tenant: TenantId, seq: number): Promise<void>;

  /** Spaces of the tenant by ascending id, after that of `after`. */
  listParts(tenant: TenantId, limit: number, after?: SpaceId): Promise<Part[]>;

  /** Rows of a part by ascending key, as of one moment. Fewer than `limit` say nothing: only an
   *  empty answer is the end. It may answer more than `limit` where rows belong together. */
  readRange(table: string, part: Part, range: RowRange): Promise<Row[]>;

  /** Those that are there of these, in any order. */
  readRows(table: string, keys: readonly RowKey[]): Promise<Row[]>;

  /** Puts rows, in place of what has the same key, and deletes others; both are calm when it was
   *  done before. @throws conflict `place-changed`: the tenant is not `moved` here with this epoch
   *  at the moment of the change; then nothing is changed. */
  apply(tenant: TenantId, epoch: number, changes: readonly TableChanges[]): Promise<void>;

  findPlacement(tenant: TenantId): Promise<Placement>;

  /** Whether it was `from` until now, and is `to`. Once it has resolved, no change of the tenant
   *  is under way that was let in by `from`. */
  setPlacement(tenant: TenantId, from: Placement, to: Placement): Promise<boolean>;

  readWitness(): Promise<Witness>;

  /** Each mark to the larger of both. */
  raiseWitness(witness: Witness): Promise<void>;

  /** The same rows, for one mover of the tenant: what it writes through these is refused once
   *  anybody else has held the tenant's rows, or the hold has ended: `unavailable`
   *  `moved-by-another`, and nothing is changed. It is looked at in the transaction of the change,
   *  so it holds also for what was sent before. */
  hold(tenant: TenantId): Promise<TenantRows>;

  /** Of whoever has them: nobody holds them from now on. Calm for all others. */
  endHold(tenant: TenantId): Promise<void>;
}

/** Rows that one call reads or writes, and entries of a log. */
export const ROWS_LIMIT_MAX = 1_000;
