/** The tables of one database on a MariaDB server. */
import { HoldfastError } from '../../../base/errors.ts';
import { Session, explainedFault, serverFault } from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { compareKeys } from '../../carried-table.ts';
import type {
  CarriedChanges, CarriedRow, CarriedTable, TableSide,
} from '../../carried-table.ts';
import { GROUPS_OF_PAGE, rowsOfPage } from '../sql/page-size.ts';
import { TableTexts } from '../sql/table-sql.ts';
import type { TableSql, TableStep } from '../sql/table-sql.ts';

const WORDS = { op: 'tables/MariadbTables', database: 'database' };
/** Of one statement: in powers of two below it, so that there are few different texts. */
const ROWS_OF_STATEMENT = 256;
const CHARACTERS_OF_STATEMENT = 1024 * 1024;
/** `Data too long for column`, `Out of range value`. */
const UNFITTING = new Set([1406, 1264]);

/** Its session may send what is not registered, as those that make tables do: the texts come from
 *  lists of tables, and nobody is served beside it. */
export class MariadbTables implements TableSide {
  readonly #session: Session;
  readonly #texts = new TableTexts('mariadb');

  private constructor(session: Session) {
    this.#session = session;
  }

  /** @throws unavailable. */
  static async open(address: ServerAddress): Promise<MariadbTables> {
    return explained(async () => new MariadbTables(await Session.open(address, 'schema')));
  }

  async count(table: CarriedTable): Promise<number> {
    const [[count] = []] = await this.#read(this.#texts.of(table).count());
    return Number(count);
  }

  async readPage(table: CarriedTable, after?: CarriedRow): Promise<CarriedRow[]> {
    const sql = this.#texts.of(table);
    if (!sql.hasWholeOrder) return this.#readGroups(sql, after);
    return this.#read(sql.page({ after, limit: rowsOfPage(table) }));
  }

  async #readGroups(sql: TableSql, after: CarriedRow | undefined): Promise<CarriedRow[]> {
    const upTo = (await this.#read(sql.groups(after, GROUPS_OF_PAGE))).at(-1);
    if (upTo === undefined) return [];
    const rows = await this.#read(sql.page({ after, upTo }));
    return rows.toSorted((one, other) => compareKeys(sql.table, one, other));
  }

  /** Each is a snapshot of its own. */
  async #read({ text, values }: TableStep): Promise<CarriedRow[]> {
    return explained(async () => {
      const { rows } = await this.#session.execute(`/* holdfast:carryRead */ ${text}`, values);
      await this.#session.run('COMMIT');
      return rows as CarriedRow[];
    });
  }

  async write(table: CarriedTable, { puts, deletes }: CarriedChanges): Promise<void> {
    const sql = this.#texts.of(table);
    await explained(async () => {
      for (const row of deletes) await this.#write(sql.delete(row));
      for (const some of chunks(puts)) await this.#write(sql.put(some));
      await this.#session.run('COMMIT');
    }, table);
  }

  async #write({ text, values }: TableStep): Promise<void> {
    await this.#session.execute(`/* holdfast:carryWrite */ ${text}`, values);
  }

  /** What was not committed is undone. */
  async close(): Promise<void> {
    this.#session.destroy();
  }
}

function* chunks(rows: readonly CarriedRow[]): Iterable<readonly CarriedRow[]> {
  for (let at = 0; at < rows.length;) {
    let characters = 0;
    let fitting = 0;
    for (const row of rows.slice(at, at + ROWS_OF_STATEMENT)) {
      for (const value of row) if (value !== null && typeof value !== 'number') {
        characters += value.length;
      }
      if (fitting > 0 && characters > CHARACTERS_OF_STATEMENT) break;
      fitting += 1;
    }
    const count = 2 ** Math.floor(Math.log2(fitting));
    yield rows.slice(at, at + count);
    at += count;
  }
}

async function explained<T>(act: () => Promise<T>, table?: CarriedTable): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const fault = serverFault(error);
    if (table === undefined || fault === undefined || !UNFITTING.has(fault.errno)) {
      throw explainedFault(error, WORDS);
    }
    throw new HoldfastError('precondition', WORDS.op, `The table ${table.name} has a row that is `
      + `larger than MariaDB takes: ${fault.message}`, { code: 'row-unfitting', cause: error });
  }
}
