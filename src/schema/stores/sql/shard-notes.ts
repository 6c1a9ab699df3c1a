/** The table in which a shard notes what was done to it, and rows in chunks: the same statements
 *  for SQLite and MariaDB. */
import { systemClock } from '../../../platform/index.ts';
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
const NOTE = `/* holdfast:noteStep */ REPLACE INTO schema_run
  (change_id, step, how, min_code, at_ms) VALUES (?, ?, ?, ?, ?)`;

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

interface Chunk {
  readonly limit: number;
  readonly after: readonly SqlValue[] | undefined;
  /** What keeps others away from the rows that were read. */
  readonly lock: string;
  /** Within the transaction, before it reads: nobody else writes from then on. */
  readonly takeTurn?: () => Promise<unknown>;
}

/** Old rows are looked for while others write: among many new ones that takes long. Then each is
 *  read again, and upgraded if it is still old, in one transaction. */
export async function sweepRows(
  session: SqlSession, rows: RowUpgrades, { limit, after, lock, takeTurn }: Chunk,
): Promise<SweptRows> {
  const found = await findOldKeys(session, rows, { limit, after });
  const begunMs = systemClock.monotonic();
  let turnMs = begunMs;
  const upgradedCount = found.length === 0 ? 0 : await session.atomically(async () => {
    await takeTurn?.();
    turnMs = systemClock.monotonic();
    let count = 0;
    for (const key of found) if (await upgradeOne(session, rows, { key, lock })) count += 1;
    return count;
  });
  return {
    upgradedCount, next: found.length < limit ? undefined : found.at(-1),
    waitedMs: turnMs - begunMs, heldMs: systemClock.monotonic() - turnMs,
  };
}

async function findOldKeys(
  session: SqlSession, rows: RowUpgrades, { limit, after }: Pick<Chunk, 'limit' | 'after'>,
): Promise<SqlValue[][]> {
  const { table, key, versionColumn } = rows;
  const from = after === undefined ? { text: '', values: [] } : afterKey(key, after);
  const text = `/* holdfast:findOldRows */ SELECT ${key.join(', ')} FROM ${table}
    WHERE ${versionColumn} < ?${from.text} ORDER BY ${key.join(', ')} LIMIT ?`;
  return await session.query(text, [currentVersion(rows), ...from.values, limit]) as SqlValue[][];
}

async function upgradeOne(
  session: SqlSession, rows: RowUpgrades, { key, lock }: { key: SqlValue[]; lock: string },
): Promise<boolean> {
  const names = [...rows.key, rows.versionColumn, ...rows.columns];
  const text = `/* holdfast:readOldRow */ SELECT ${names.join(', ')} FROM ${rows.table}
    WHERE ${rows.key.map((name) => `${name} = ?`).join(' AND ')}
    AND ${rows.versionColumn} < ?${lock}`;
  const [values] = await session.query(text, [...key, currentVersion(rows)]);
  if (values === undefined) return false; // Others have removed or upgraded it.
  const row = Object.fromEntries(names.map((name, at) => [name, values[at]])) as Row;
  await writeRow(session, rows, upgradeRow(rows, row));
  return true;
}

async function writeRow(session: SqlSession, rows: RowUpgrades, row: Row): Promise<void> {
  const { table, key, versionColumn, columns } = rows;
  const set = [...columns, versionColumn];
  const text = `/* holdfast:writeUpgradedRow */ UPDATE ${table}
    SET ${set.map((name) => `${name} = ?`).join(', ')}
    WHERE ${key.map((name) => `${name} = ?`).join(' AND ')}`;
  await session.change(text, [...set, ...key].map((name) => row[name] ?? null));
}
