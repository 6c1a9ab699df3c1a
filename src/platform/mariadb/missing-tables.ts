import type { Session } from './session.ts';

/** Makes those of the tables that are not there; who finds all of them needs no right to make any.
 *  Several may do this at once. @throws the driver's error. */
export async function makeMissingTables(
  session: Session, tables: Readonly<Record<string, string>>,
): Promise<void> {
  const { rows } = await session.run('SHOW TABLES');
  const there = new Set(rows.map(([name]) => String(name)));
  const missing = Object.entries(tables).filter(([name]) => !there.has(name));
  if (missing.length === 0) return;
  for (const [name, columns] of missing) {
    await session.run(`CREATE TABLE IF NOT EXISTS ${name} (${columns})
      ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE ${session.collation}`);
  }
}
