/** The SQL that reads and writes whole tables, in the words of SQLite and of MariaDB. Texts are
 *  made of the names in lists of tables alone; values never become part of them. */
import { columnsOf } from '../../carried-table.ts';
import type { CarriedRow, CarriedTable, CarriedValue, TableDialect } from '../../carried-table.ts';

export interface TableStep {
  readonly text: string;
  readonly values: CarriedValue[];
}

/** Of one table in one kind of database. */
export class TableSql {
  readonly table: CarriedTable;
  readonly #dialect: TableDialect;
  readonly #name: string;
  readonly #columns: readonly string[];
  readonly #key: readonly string[];
  readonly #order: readonly string[];

  constructor(dialect: TableDialect, table: CarriedTable) {
    const { key, name, orderedBy = key.length, onMariadb = {}, onSqlite } = table;
    const own = (column: string): string => (dialect === 'mariadb'
      ? onMariadb.columns?.[column] ?? column : column);
    this.table = table;
    this.#dialect = dialect;
    this.#name = dialect === 'mariadb' ? onMariadb.name ?? name : onSqlite?.source ?? name;
    this.#columns = columnsOf(table).map(own);
    this.#key = key.map(own);
    this.#order = this.#key.slice(0, orderedBy);
  }

  get hasWholeOrder(): boolean {
    return this.#order.length === this.#key.length;
  }

  count(): TableStep {
    return this.#step('SELECT COUNT(*)', [], []);
  }

  /** Rows behind `after`, up to `upTo` where that is said. */
  page({ after, upTo, limit }: {
    after: CarriedRow | undefined; upTo?: CarriedRow; limit?: number;
  }): TableStep {
    const bounds = [
      ...(after === undefined ? [] : [this.#bound('>', after)]),
      ...(upTo === undefined ? [] : [this.#bound('<=', upTo)]),
    ];
    return this.#step(`SELECT ${this.#columns.join(', ')}`, bounds,
      [`ORDER BY ${this.#order.join(', ')}`], limit);
  }

  /** The ordering columns of the next groups of rows. */
  groups(after: CarriedRow | undefined, limit: number): TableStep {
    const order = this.#order.join(', ');
    return this.#step(`SELECT ${order}`, after === undefined ? [] : [this.#bound('>', after)],
      [`GROUP BY ${order} ORDER BY ${order}`], limit);
  }

  #step(
    what: string, bounds: readonly TableStep[], rest: readonly string[], limit?: number,
  ): TableStep {
    const { only } = this.table;
    const where = [...(only === undefined ? [] : [`(${only})`]), ...bounds.map(({ text }) => text)];
    const words = [
      what, `FROM ${this.#name}`, where.length > 0 ? `WHERE ${where.join(' AND ')}` : '', ...rest,
      limit === undefined ? '' : `LIMIT ${limit}`,
    ];
    return {
      text: words.filter((word) => word !== '').join(' '),
      values: bounds.flatMap(({ values }) => values),
    };
  }

  /** SQLite finds the place in an index by a comparison of rows, MariaDB by one of columns. */
  #bound(sign: '>' | '<=', row: CarriedRow): TableStep {
    const names = this.#order;
    const own = row.slice(0, names.length);
    if (this.#dialect === 'sqlite' || names.length === 1) {
      const places = names.map(() => '?').join(', ');
      return { text: `(${names.join(', ')}) ${sign} (${places})`, values: [...own] };
    }
    const values: CarriedValue[] = [];
    const cases = names.map((name, at) => {
      values.push(...own.slice(0, at + 1));
      const equal = names.slice(0, at).map((each) => `${each} = ? AND `).join('');
      const last = at === names.length - 1 ? sign : sign.slice(0, 1);
      return `(${equal}${name} ${last} ?)`;
    });
    return { text: `(${cases.join(' OR ')})`, values };
  }

  /** Of SQLite takes one row. */
  put(rows: readonly CarriedRow[]): TableStep {
    const { onSqlite } = this.table;
    if (this.#dialect === 'sqlite') {
      const places = this.#columns.map(() => '?').join(', ');
      const text = onSqlite?.put ?? `INSERT OR REPLACE INTO ${this.#name}
        (${this.#columns.join(', ')}) VALUES (${places})`;
      return { text, values: rows.flat() };
    }
    const made = Object.entries(this.table.onMariadb?.made ?? {});
    const places = [...this.#columns.map(() => '?'), ...made.map(([, { sql }]) => sql)].join(', ');
    const slots = made.flatMap(([, { from }]) => this.#slots(from));
    const into = [...this.#columns, ...made.map(([column]) => column)].join(', ');
    const all = rows.map(() => `(${places})`).join(', ');
    return {
      text: `REPLACE INTO ${this.#name} (${into}) VALUES ${all}`,
      values: rows.flatMap((row) => [...row, ...slots.map((slot) => row[slot] ?? null)]),
    };
  }

  delete(row: CarriedRow): TableStep {
    const matches = this.#key.map((name) => `${name} = ?`).join(' AND ');
    return { text: `DELETE FROM ${this.#name} WHERE ${matches}`,
      values: row.slice(0, this.#key.length) };
  }

  #slots(columns: readonly string[]): number[] {
    return columns.map((column) => columnsOf(this.table).indexOf(column));
  }
}

/** Texts are made once for each table. */
export class TableTexts {
  readonly #dialect: TableDialect;
  readonly #known = new Map<CarriedTable, TableSql>();

  constructor(dialect: TableDialect) {
    this.#dialect = dialect;
  }

  of(table: CarriedTable): TableSql {
    const known = this.#known.get(table) ?? new TableSql(this.#dialect, table);
    this.#known.set(table, known);
    return known;
  }
}
