/** The seam between the runner of schema changes and one shard's database. */
import type { Catalogue } from './catalogue.ts';
import type { Engine, Family, SchemaChange } from './change.ts';
import type { RowUpgrades, SqlValue } from './row-upgrades.ts';

/** `made`: by this call; `found`: it was there, and is noted from now on; `known`: noted before. */
export type StepOutcome = 'made' | 'found' | 'known';

/** What a shard keeps about itself. */
export interface StepNote {
  readonly changeId: string;
  readonly step: number;
  readonly how: 'made' | 'found';
  /** Programs that are older cannot serve this shard; the one of the change when it is a
   *  contract. */
  readonly minCode: string;
  readonly atMs: number;
}

export interface SweptRows {
  readonly upgradedCount: number;
  /** The key of the last row that was looked at; undefined when there are no more old rows. */
  readonly next: readonly SqlValue[] | undefined;
  /** Until others who write had let this in. */
  readonly waitedMs: number;
  /** From then until it was durable: so long nobody else could write. */
  readonly heldMs: number;
}

export const SWEEP_ROWS_MAX = 1_000;

/**
 * A SchemaTarget alters and describes the tables of one shard.
 *
 * Calls on one target are made one after the other; several targets, also of other processes, may
 * work on one shard at once. Durability: what a resolved call has changed survives a power cut, and
 * a step is noted in the shard itself, so that none is made twice, wherever a runner is killed.
 * Errors: `unavailable` when the database cannot be reached, `busy` when others hold it, from every
 * method; others as listed.
 */
export interface SchemaTarget {
  /** Makes one step, if the catalogue does not show that it is done, and notes it.
   *  @throws invalid: the database refuses the statement; internal: it was taken, and the catalogue
   *  still does not show what it should. */
  runStep(change: SchemaChange, step: number, nowMs: number): Promise<StepOutcome>;

  /** Notes that a backfill has found no old row. Calm when that is noted. */
  noteSwept(change: SchemaChange, nowMs: number): Promise<void>;

  /** By change and step. */
  listNotes(): Promise<StepNote[]>;

  /** All tables but those of the runner. */
  readCatalogue(): Promise<Catalogue>;

  /** Rows that have not the present form. */
  countOld(rows: RowUpgrades): Promise<number>;

  /** Upgrades at most `limit` old rows (1 to SWEEP_ROWS_MAX) that come after a key, in one
   *  transaction that nobody else writes into. */
  sweep(
    rows: RowUpgrades, options: { limit: number; after: readonly SqlValue[] | undefined },
  ): Promise<SweptRows>;

  /** Why more work should wait, for people; undefined when it need not. */
  findLoad(): Promise<string | undefined>;

  close(): Promise<void>;
}

/** A shard, as a directory of shards lists it. */
export interface SchemaShard {
  /** For people and notes; unique, at most 128 characters. */
  readonly name: string;
  readonly family: Family;
  readonly engine: Engine;
  /** Tables of others that may lie in the same database; those that are there have to be right. */
  readonly beside?: Catalogue;
  /** Names of those of them that are there from the beginning; the others are made when needed. */
  readonly besideAlways?: readonly string[];
  /** @throws unavailable. */
  open(): Promise<SchemaTarget>;
}
