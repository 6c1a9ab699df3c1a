/** The tables of one SQLite file. Statements run on the calling thread: nobody else is served. */
import Database from 'better-sqlite3';
import { HoldfastError } from '../../../base/errors.ts';
import { prepareTexts, sqliteText } from '../../../platform/index.ts';
import { compareKeys } from '../../carried-table.ts';
import type {
  CarriedChanges, CarriedRow, CarriedTable, CarriedValue, TableSide,
} from '../../carried-table.ts';
import { TableTexts } from '../sql/table-sql.ts';
import type { TableSql, TableStep } from '../sql/table-sql.ts';
import { GROUPS_OF_PAGE, rowsOfPage } from '../sql/page-size.ts';

const OP = 'tables/SqliteTables';
/** Commands that make a user have a file open for some moments. */
const HOLD_WAIT_MS = 5_000;

export class SqliteTables implements TableSide {
  readonly #database: Database.Database;
  readonly #texts = new TableTexts('sqlite');

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** The file must be there, with its tables. @throws unavailable; corrupt. */
  static open(file: string): SqliteTables {
    return explained(() => {
      const database = new Database(file, { fileMustExist: true });
      database.pragma('synchronous = FULL');
      return new SqliteTables(database);
    });
  }

  /** For reading: until it is closed nobody else reads or writes the file. Whoever comes so late
   *  that it has another name by then cannot write: with a journal, and not a log, SQLite looks at
   *  that. @throws unavailable: somebody has it open; corrupt. */
  static hold(file: string): SqliteTables {
    return explained(() => {
      const database = new Database(file, { fileMustExist: true, timeout: HOLD_WAIT_MS });
      try {
        database.pragma('journal_mode = DELETE');
        database.exec('BEGIN EXCLUSIVE');
        return new SqliteTables(database);
      } catch (error) {
        database.close();
        throw error;
      }
    });
  }

  async count(table: CarriedTable): Promise<number> {
    const [[count] = []] = this.#read(this.#texts.of(table).count());
    return Number(count);
  }

  async readPage(table: CarriedTable, after?: CarriedRow): Promise<CarriedRow[]> {
    const sql = this.#texts.of(table);
    if (!sql.hasWholeOrder) return this.#readGroups(sql, after);
    return this.#read(sql.page({ after, limit: rowsOfPage(table) }));
  }

  #readGroups(sql: TableSql, after: CarriedRow | undefined): CarriedRow[] {
    const upTo = this.#read(sql.groups(after, GROUPS_OF_PAGE)).at(-1);
    if (upTo === undefined) return [];
    return this.#read(sql.page({ after, upTo }))
      .toSorted((one, other) => compareKeys(sql.table, one, other));
  }

  #read({ text, values }: TableStep): CarriedRow[] {
    return explained(() => this.#database.prepare(text).raw(true).all(...values) as CarriedRow[]);
  }

  async write(table: CarriedTable, { puts, deletes }: CarriedChanges): Promise<void> {
    const sql = this.#texts.of(table);
    explained(() => this.#database.transaction(() => {
      this.#each(deletes.map((row) => sql.delete(row)));
      this.#each(puts.map((row) => sql.put([row])));
    }).immediate());
  }

  /** All of one text, which writes a row each time. */
  #each(steps: readonly TableStep[]): void {
    const [first] = steps;
    if (first === undefined) return;
    const { carryWrite } = prepareTexts(this.#database, 'tables', {
      carryWrite: sqliteText<CarriedValue[]>(first.text),
    });
    for (const { values } of steps) carryWrite.run(...values);
  }

  /** What was written is in the file itself then, and not in a log beside it. */
  close(): void {
    if (!this.#database.open) return;
    if (!this.#database.inTransaction) {
      explained(() => this.#database.pragma('wal_checkpoint(TRUNCATE)'));
    }
    this.#database.close();
  }
}

function explained<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (!code.startsWith('SQLITE_')) throw cause;
    const options = { cause, facts: { code } };
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
      throw new HoldfastError('corrupt', OP, 'A database file is damaged. Restore it from a '
        + 'backup.', options);
    }
    if (code.startsWith('SQLITE_FULL')) {
      throw new HoldfastError('full', OP, 'The disk of the data directory is full. Make room '
        + 'first.', options);
    }
    throw new HoldfastError('unavailable', OP, 'A database file cannot be read or written. Look at '
      + 'its disk, and whether somebody else has it open.', options);
  }
}
