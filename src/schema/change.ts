/**
 * What a change of the schema is. One change of the program's data is up to three of these:
 * `expand` adds what the new program needs and the old one does not mind, `backfill` brings old
 * rows into the new form, `contract` takes away what no program reads any more. Between them both
 * programs serve the same data.
 */
import type { RowUpgrades } from './row-upgrades.ts';

export type Engine = 'sqlite' | 'mariadb';
/** Which tables: those of the metadata, or those of accounts. */
export type Family = 'metadata' | 'identity';
export type ChangeKind = 'expand' | 'backfill' | 'contract';

/** How much a step costs: `instant` touches no rows, `inplace` reads them while others write,
 *  `copy` writes the table anew and keeps writers out. MariaDB is told, and refuses a step that is
 *  dearer than it says. */
export type Algorithm = 'instant' | 'inplace' | 'copy';

/** What the catalogue shows when a step is done. A runner looks for it before and after. */
export interface Effect {
  readonly table: string;
  /** Without column and index the effect is the table itself. */
  readonly column?: string;
  readonly index?: string;
  /** For a step that changes a column's type: what it is then, as the catalogue writes it. */
  readonly type?: Readonly<Record<Engine, string>>;
  /** For a step that takes away. */
  readonly isGone?: true;
}

/** One statement. */
export interface SchemaStep {
  readonly effect: Effect;
  readonly sqlite: string;
  /** Without ALGORITHM and LOCK, which the runner adds. */
  readonly mariadb: string;
}

interface AnyChange {
  /** Small letters, digits and hyphens; never used again. */
  readonly id: string;
  readonly family: Family;
  /** For people: what for. */
  readonly title: string;
  /** The first version of the program that can do with what the change leaves behind. Of a
   *  contract: the first that mentions nothing of what it takes away. That one reads rows of the
   *  new form only, and does not serve a shard where there are others. */
  readonly minCode: string;
  /** The change that must be done everywhere before this one. */
  readonly after?: string;
}

export interface Expand extends AnyChange {
  readonly kind: 'expand';
  readonly algorithm: Algorithm;
  readonly steps: readonly SchemaStep[];
  /** True when this program cannot serve a shard that lacks it. */
  readonly isNeeded: boolean;
}

export interface Backfill extends AnyChange {
  readonly kind: 'backfill';
  readonly rows: RowUpgrades;
}

export interface Contract extends AnyChange {
  readonly kind: 'contract';
  readonly algorithm: Algorithm;
  readonly steps: readonly SchemaStep[];
  /** Rows of which none may be old any more. */
  readonly rows?: RowUpgrades;
}

export type SchemaChange = Expand | Backfill | Contract;

/** Steps that alter tables; a backfill has none. */
export function stepsOf(change: SchemaChange): readonly SchemaStep[] {
  return change.kind === 'backfill' ? [] : change.steps;
}

/** How many notes a shard has of a change that is done there. */
export function noteCountOf(change: SchemaChange): number {
  return change.kind === 'backfill' ? 1 : change.steps.length;
}

/** Negative when `a` is older. Numbers with dots between; what follows a hyphen does not count. */
export function compareVersions(a: string, b: string): number {
  const [ours, theirs] = [a, b].map((version) => (
    (version.split('-')[0] ?? '').split('.').map(Number)));
  for (let at = 0; at < 3; at += 1) {
    const difference = (ours?.[at] ?? 0) - (theirs?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
