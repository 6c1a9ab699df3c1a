/**
 * Makes the tables of one database equal to those of another, and compares both.
 *
 * Both sides are read in order of their keys, side by side: what only the source has, or has
 * otherwise, is put; what only the target has is deleted. So a copy that was cut short goes on by
 * being done again, and a source that has changed meanwhile is no special case: what agrees costs
 * reading alone. Memory holds a page of each side. What was written is believed only when both
 * sides, read anew, have the same digests.
 */
import { createHash } from 'node:crypto';
import { HoldfastError } from '../base/errors.ts';
import { compareKeys, textOfRow } from './carried-table.ts';
import type { CarriedRow, CarriedTable, TableSide } from './carried-table.ts';

/** Changes of one transaction. */
const CHANGES_MAX = 2_000;
/** … and what their texts may come to. */
const CHANGE_CHARACTERS_MAX = 8 * 1024 * 1024;
const REPORT_ROWS = 1_000;

export interface TablePair {
  readonly from: TableSide;
  readonly to: TableSide;
  readonly tables: readonly CarriedTable[];
}

/** Told of rows that were read at the source since it was last told. */
export type OnRows = (table: CarriedTable, count: number) => void;

/** Rows that were put or deleted at the target. @throws as TableSide. */
export async function carryTables({ from, to, tables }: TablePair, onRows: OnRows):
Promise<number> {
  let changed = 0;
  for (const table of tables) changed += await carryTable({ from, to, table }, onRows);
  return changed;
}

async function carryTable(
  { from, to, table }: { from: TableSide; to: TableSide; table: CarriedTable }, onRows: OnRows,
): Promise<number> {
  const ours = new RowStream(from, table);
  const theirs = new RowStream(to, table);
  const batch = new Batch(to, table);
  const tell = counter(table, onRows);
  for (;;) {
    const source = await ours.head();
    const target = await theirs.head();
    if (source === undefined && target === undefined) break;
    const order = source === undefined ? 1
      : target === undefined ? -1 : compareKeys(table, source, target);
    if (source !== undefined && order <= 0) {
      const isThere = order === 0 && target !== undefined
        && textOfRow(source) === textOfRow(target);
      if (!isThere) await batch.put(source);
      ours.pass();
      tell();
    } else if (target !== undefined) await batch.delete(target);
    if (order >= 0) theirs.pass();
  }
  await batch.flush();
  tell.end();
  return batch.changed;
}

/** Reads both sides anew. @throws corrupt `copy-differs`: names the table; as TableSide. */
export async function compareTables({ from, to, tables }: TablePair, onRows: OnRows):
Promise<void> {
  for (const table of tables) {
    const tell = counter(table, onRows);
    const ours = await digestOf(from, table, tell);
    tell.end();
    const theirs = await digestOf(to, table, () => undefined);
    if (ours.digest !== theirs.digest) throw differs(table, ours.count, theirs.count);
  }
}

async function digestOf(
  side: TableSide, table: CarriedTable, onRow: () => void,
): Promise<{ count: number; digest: string }> {
  const hash = createHash('sha256');
  const rows = new RowStream(side, table);
  let count = 0;
  for (let row = await rows.head(); row !== undefined; row = await rows.head()) {
    hash.update(textOfRow(row)).update('\n');
    count += 1;
    rows.pass();
    onRow();
  }
  return { count, digest: hash.digest('hex') };
}

/** Rows of one side in order of their keys, a page at a time. */
class RowStream {
  readonly #side: TableSide;
  readonly #table: CarriedTable;
  #page: readonly CarriedRow[] = [];
  #at = 0;
  #last: CarriedRow | undefined;
  #isOver = false;

  constructor(side: TableSide, table: CarriedTable) {
    this.#side = side;
    this.#table = table;
  }

  /** Not a promise while rows are at hand: there are millions of them. */
  head(): CarriedRow | undefined | Promise<CarriedRow | undefined> {
    const row = this.#page[this.#at];
    return row !== undefined || this.#isOver ? row : this.#turn();
  }

  async #turn(): Promise<CarriedRow | undefined> {
    this.#page = await this.#side.readPage(this.#table, this.#last);
    this.#at = 0;
    this.#last = this.#page.at(-1);
    this.#isOver = this.#last === undefined;
    return this.#page[0];
  }

  pass(): void {
    this.#at += 1;
  }
}

/** Changes on their way to the target. */
class Batch {
  readonly #to: TableSide;
  readonly #table: CarriedTable;
  #puts: CarriedRow[] = [];
  #deletes: CarriedRow[] = [];
  #characters = 0;
  changed = 0;

  constructor(to: TableSide, table: CarriedTable) {
    this.#to = to;
    this.#table = table;
  }

  async put(row: CarriedRow): Promise<void> {
    this.#puts.push(row);
    for (const value of row) {
      if (typeof value === 'string' || value instanceof Uint8Array) {
        this.#characters += value.length;
      }
    }
    await this.#flushWhenFull();
  }

  async delete(row: CarriedRow): Promise<void> {
    this.#deletes.push(row.slice(0, this.#table.key.length));
    await this.#flushWhenFull();
  }

  async #flushWhenFull(): Promise<void> {
    const count = this.#puts.length + this.#deletes.length;
    if (count >= CHANGES_MAX || this.#characters >= CHANGE_CHARACTERS_MAX) await this.flush();
  }

  async flush(): Promise<void> {
    const [puts, deletes] = [this.#puts, this.#deletes];
    if (puts.length + deletes.length === 0) return;
    [this.#puts, this.#deletes, this.#characters] = [[], [], 0];
    await this.#to.write(this.#table, { puts, deletes });
    this.changed += puts.length + deletes.length;
  }
}

function counter(table: CarriedTable, onRows: OnRows): (() => void) & { end: () => void } {
  let count = 0;
  const end = (): void => {
    if (count > 0) onRows(table, count);
    count = 0;
  };
  return Object.assign(() => {
    count += 1;
    if (count >= REPORT_ROWS) end();
  }, { end });
}

function differs({ name }: CarriedTable, ours: number, theirs: number): HoldfastError {
  return new HoldfastError('corrupt', 'tables/compareTables',
    `What was carried over differs from what it was copied from, in the table ${name} (${ours} `
    + `rows, and ${theirs} where they were carried to). Nothing counts as moved. Does somebody `
    + 'else write to that database? Give the command again.', { code: 'copy-differs' });
}
