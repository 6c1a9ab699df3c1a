/** A file with the table that fixture changes are about. */
import type { FixtureShard } from '../schema-target.conformance.ts';
import type { Row } from '../row-upgrades.ts';
import { SqliteSchemaTarget } from '../stores/sqlite/sqlite-schema-target.ts';
import { SqliteSession } from '../stores/sqlite/sqlite-session.ts';
import type { SqlSession } from '../stores/sql/sql-session.ts';
import { PERSON_BEFORE } from './fixture-changes.ts';

export async function sqliteFixture(file: string): Promise<FixtureShard> {
  const within = async <T>(act: (session: SqliteSession) => Promise<T>): Promise<T> => {
    const session = await SqliteSession.open(file, { create: true });
    try {
      return await act(session);
    } finally {
      await session.close();
    }
  };
  await within((session) => session.alter(`CREATE TABLE person (${PERSON_BEFORE})`));
  const name = file.slice(file.lastIndexOf('/') + 1).replace('.db', '');
  return {
    shard: {
      name, family: 'metadata', engine: 'sqlite', open: () => SqliteSchemaTarget.open(file),
    },
    ...personRows(within),
  };
}

/** The same for every database that speaks SQL. */
export function personRows(
  within: <T>(act: (session: SqlSession) => Promise<T>) => Promise<T>,
): Omit<FixtureShard, 'shard'> {
  return {
    insert: (rows) => within(async (session) => {
      await session.atomically(async () => {
        for (const { id, full_name: name, form } of rows) {
          await session.change('INSERT INTO person (id, full_name, form) VALUES (?, ?, ?)',
            [id ?? null, name ?? null, form ?? null]);
        }
      });
    }),
    readRows: () => within(async (session) => {
      const rows = await session.query(
        'SELECT id, full_name, given_name, family_name, form FROM person ORDER BY id');
      return rows.map(([id, fullName, given, family, form]) => ({
        id, full_name: fullName, given_name: given, family_name: family, form,
      }) as Row);
    }),
    addColumn: (column) => within((session) => (
      session.alter(`ALTER TABLE person ADD COLUMN ${column} VARCHAR(255) NULL`))),
  };
}
