/** Tables that are carried as a whole from one kind of database to another: what they are called on
 *  both, and by what a row is known. */

export type CarriedValue = string | number | null | Uint8Array;
/** In the order of the table's columns: those of its key come first. */
export type CarriedRow = readonly CarriedValue[];

export type TableDialect = 'sqlite' | 'mariadb';

/** Columns and table have the names of SQLite; `onMariadb` says where they have others there. */
export interface CarriedTable {
  readonly name: string;
  /** Names a row in both. */
  readonly key: readonly string[];
  readonly others: readonly string[];
  /** Rows are read in order of so many columns of the key, all that agree in them together: the
   *  databases keep the rest of the key in different orders. Left out: all. */
  readonly orderedBy?: number;
  /** Which rows are carried, as SQL that both take; left out: all. */
  readonly only?: string;
  readonly onMariadb?: {
    readonly name?: string;
    /** By the names on SQLite. */
    readonly columns?: Readonly<Record<string, string>>;
    /** Columns that are made from the row: SQL, and the columns that its places stand for. */
    readonly made?: Readonly<Record<string, { sql: string; from: readonly string[] }>>;
  };
  /** Where SQLite has no such table: what is read in its place, and what a row is put by, with a
   *  place for each of its columns. */
  readonly onSqlite?: { readonly source: string; readonly put: string };
}

export interface CarriedChanges {
  readonly puts: readonly CarriedRow[];
  readonly deletes: readonly CarriedRow[];
}

/**
 * The tables of one database, which nobody else changes meanwhile.
 *
 * Errors: `unavailable`, `busy`, `full`; precondition `row-unfitting`: a value is larger than this
 * database takes. Calls come one after the other.
 */
export interface TableSide {
  /** Rows that are carried. */
  count(table: CarriedTable): Promise<number>;

  /** Rows behind `after` (behind its ordering columns), in order of the key, byte by byte; none:
   *  that was the end. A page has all rows that agree in the ordering columns. */
  readPage(table: CarriedTable, after?: CarriedRow): Promise<CarriedRow[]>;

  /** One transaction, durable once resolved. A put takes the place of every row that it would clash
   *  with; a row to delete need not be there. */
  write(table: CarriedTable, changes: CarriedChanges): Promise<void>;
}

export function columnsOf({ key, others }: CarriedTable): readonly string[] {
  return [...key, ...others];
}

/** As both databases order keys: texts by their bytes. */
export function compareKeys(
  { key }: CarriedTable, one: CarriedRow, other: CarriedRow,
): number {
  for (let at = 0; at < key.length; at += 1) {
    const order = compareValues(one[at] ?? null, other[at] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(one: CarriedValue, other: CarriedValue): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return Buffer.compare(Buffer.from(String(one)), Buffer.from(String(other)));
}

/** One text for a row, whichever database it came from. */
export function textOfRow(row: CarriedRow): string {
  return JSON.stringify(row.map((value) => (value instanceof Uint8Array
    ? { bytes: Buffer.from(value).toString('base64') } : value)));
}
