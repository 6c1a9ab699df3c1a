/**
 * Rows of several forms in one table. Each row says by a number which form it has; `upgrades[n]`
 * makes a row of form n + 1 of one of form n. A program upgrades what it reads, in memory, and
 * writes what it writes in its own form; a sweep does the rest.
 *
 * A program of the version before writes rows in ITS form and says so in the row: the number goes
 * back, and the row is upgraded again. So a row never says that it is new while its new columns are
 * stale. Until the contract the new form keeps the old columns right too: the version before reads
 * nothing else.
 */
import { HoldfastError } from '../base/errors.ts';

export type SqlValue = string | number | Uint8Array | null;
export type Row = Readonly<Record<string, SqlValue>>;

export interface RowUpgrades {
  readonly table: string;
  /** The columns of its primary key, in order. */
  readonly key: readonly string[];
  /** A whole number, 0 for rows from before there were forms. */
  readonly versionColumn: string;
  /** What upgrades read and write. */
  readonly columns: readonly string[];
  /** Pure. They see the key, and do not change it. */
  readonly upgrades: readonly ((row: Row) => Row)[];
}

/** The form that this program writes. */
export function currentVersion({ upgrades }: RowUpgrades): number {
  return upgrades.length;
}

/** The same row in the form of this program. @throws invalid: written by a newer program. */
export function upgradeRow(rows: RowUpgrades, row: Row): Row {
  const found = Number(row[rows.versionColumn] ?? 0);
  const current = currentVersion(rows);
  if (found > current) {
    throw new HoldfastError('invalid', 'schema/upgradeRow', 'These rows were written by a newer '
      + 'version of Holdfast. Start that version.', { facts: { found, current } });
  }
  const upgraded = rows.upgrades.slice(found).reduce((old, upgrade) => upgrade(old), row);
  return { ...upgraded, [rows.versionColumn]: current };
}
