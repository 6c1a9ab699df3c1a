/** The table in which a shard notes what was done to it, and rows in chunks: the same statements
 *  for SQLite and MariaDB. */
import type { SchemaChange } from '../../change.ts';
import { currentVersion, upgradeRow } from '../../row-upgrades.ts';
import type { Row, RowUpgrades, SqlValue } from '../../row-upgrades.ts';
import type { StepNote, SweptRows } from '../../schema-target.ts';
import type { SqlSession } from './sql-session.ts';

export const NOTES_TABLE = 'schema_run';
export const NOTES_COLUMNS = `change_id VARCHAR(64) NOT NULL, step INTEGER NOT NULL,
  how VARCHAR(16) NOT NULL, min_code VARCHAR(32) NOT NULL, at_ms BIGINT NOT NULL,
  PRIMARY KEY (change_id, step)`;

const LIST = `/* holdfast:listStepNotes */ SELECT change_id, step, how, min_code, at_ms
  FROM schema_run ORDER BY change_id, step`;
const NOTE = `/* holdfast:noteStep */ INSERT INTO schema_run (change_id, step, how, min_code, at_ms)
  VALUES (?, ?, ?, ?, ?)`;

/** The table must be there. */
export async function listNotes(session: SqlSession): Promise<StepNote[]> {
  return (await session.query(LIST)).map(([changeId, step, how, minCode, atMs]) => ({
    changeId: String(changeId), step: Number(step), how: how as StepNote['how'],
    minCode: String(minCode), atMs: Number(atMs),
  }));
}

export async function noteStep(session: SqlSession, { change, step, how, nowMs }: {
  change: SchemaChange; step: number; how: StepNote['how']; nowMs: number;
}): Promise<void> {
  // What an expand or a backfill leaves behind is still read by the version before.
  const minCode = change.kind === 'contract' ? change.minCode : '';
  await session.change(NOTE, [change.id, step, how, minCode, nowMs]);
}

export function countOldText({ table, versionColumn }: RowUpgrades): string {
  return `/* holdfast:countOldRows */ SELECT COUNT(*) FROM ${table} WHERE ${versionColumn} < ?`;
}

/** Keys greater than one: written out column by column, since MariaDB compares whole rows without
 *  an index. */
function afterKey(key: readonly string[], after: readonly SqlValue[]): {
  text: string; values: SqlValue[];
} {
  const ranges = key.map((column, at) => (
    `(${[...key.slice(0, at).map((same) => `${same} = ?`), `${column} > ?`].join(' AND ')})`));
  const values = key.flatMap((_, at) => after.slice(0, at + 1));
  return { text: ` AND (${ranges.join(' OR ')})`, values };
}

/** Within a transaction. `lock` is what keeps others away from the rows that were read. */
export async function sweepRows(session: SqlSession, rows: RowUpgrades, { limit, after, lock }: {
  limit: number; after: readonly SqlValue[] | undefined; lock: string;
}): Promise<SweptRows> {
  const { table, key, versionColumn, columns } = rows;
  const names = [...key, versionColumn, ...columns];
  const from = after === undefined ? { text: '', values: [] } : afterKey(key, after);
  const text = `/* holdfast:readOldRows */ SELECT ${names.join(', ')} FROM ${table}
    WHERE ${versionColumn} < ?${from.text} ORDER BY ${key.join(', ')} LIMIT ?${lock}`;
  const found = await session.query(text, [currentVersion(rows), ...from.values, limit]);
  for (const values of found) {
    const row = Object.fromEntries(names.map((name, at) => [name, values[at]])) as Row;
    await writeRow(session, rows, upgradeRow(rows, row));
  }
  const last = found.at(-1)?.slice(0, key.length) as SqlValue[] | undefined;
  return { upgradedCount: found.length, next: found.length < limit ? undefined : last };
}

async function writeRow(session: SqlSession, rows: RowUpgrades, row: Row): Promise<void> {
  const { table, key, versionColumn, columns } = rows;
  const set = [...columns, versionColumn];
  const text = `/* holdfast:writeUpgradedRow */ UPDATE ${table}
    SET ${set.map((name) => `${name} = ?`).join(', ')}
    WHERE ${key.map((name) => `${name} = ?`).join(' AND ')}`;
  await session.change(text, [...set, ...key].map((name) => row[name] ?? null));
}
