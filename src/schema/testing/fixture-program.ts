/** A part of a program in two versions, which both serve the same rows. 1.0.0 knows one column for
 *  a name, 2.0.0 knows two. */
import { currentVersion, upgradeRow } from '../row-upgrades.ts';
import type { Row } from '../row-upgrades.ts';
import type { SqlSession } from '../stores/sql/sql-session.ts';
import { PERSON_ROWS } from './fixture-changes.ts';

export interface FixtureProgram {
  readonly version: string;
  put(id: number, name: string): Promise<void>;
  find(id: number): Promise<string | undefined>;
}

/** Knows of forms that a row has one: that is what makes the next version possible. */
export function programBefore(session: SqlSession): FixtureProgram {
  return {
    version: '1.0.0',
    async put(id, name) {
      await session.atomically(async () => {
        const changed = await session.change(
          'UPDATE person SET full_name = ?, form = 0 WHERE id = ?', [name, id]);
        if (changed > 0) return;
        await session.change(
          'INSERT INTO person (id, full_name, form) VALUES (?, ?, 0)', [id, name]);
      });
    },
    async find(id) {
      const [row] = await session.query('SELECT full_name FROM person WHERE id = ?', [id]);
      return row === undefined ? undefined : String(row[0]);
    },
  };
}

const WITH_OLD = ['id', 'form', 'full_name', 'given_name', 'family_name'];

/** `writesOld` until the contract: 1.0.0 reads nothing else. */
export function programAfter(
  session: SqlSession, writesOld: () => boolean,
): FixtureProgram {
  const columns = (): string[] => WITH_OLD.filter((name) => writesOld() || name !== 'full_name');
  return {
    version: '2.0.0',
    async put(id, name) {
      const [given = '', family = ''] = name.split(' ');
      const row: Row = {
        id, form: currentVersion(PERSON_ROWS), full_name: name, given_name: given,
        family_name: family,
      };
      const names = columns();
      await session.atomically(() => session.change(
        `REPLACE INTO person (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
        names.map((column) => row[column] ?? null)));
    },
    async find(id) {
      const names = columns();
      const [found] = await session.query(
        `SELECT ${names.join(', ')} FROM person WHERE id = ?`, [id]);
      if (found === undefined) return undefined;
      const read = Object.fromEntries(names.map((name, at) => [name, found[at]])) as Row;
      const row = upgradeRow(PERSON_ROWS, read);
      return [row['given_name'], row['family_name']].filter((part) => part !== '').join(' ');
    },
  };
}
