/**
 * What a transaction has still to write. A statement that changes rows is not sent at once: it
 * waits here until somebody reads what it touches, or until the commit. So the same statements of
 * many changes go together, each as one with many rows, and a batch of a hundred new files costs
 * the round trips of one.
 *
 * A statement may only overtake others that touch none of its rows. Rows are known by keys (see
 * writer-statements.ts); where they are not, a table counts as touched from end to end.
 */
import type { SqlValue } from '../../../../platform/mariadb/index.ts';
import type { StatementName } from '../../sqlite/statements.ts';
import type { Step } from '../line/line-messages.ts';
import { canGather, stepsFor } from './bulk-statements.ts';
import { LAST_COUNTS } from './writer-statements.ts';
import type { RowKey } from './writer-statements.ts';

/** What a statement touches: by table, the keys of its rows; `undefined`: all of it. */
export type Touches = ReadonlyMap<string, readonly RowKey[] | undefined>;

/** A batch that gathers more than this sends some of it early. */
export const ROWS_WAITING_MAX = 4_096;

class TouchedTable {
  isWhole = false;
  readonly keys = new Set<RowKey>();
  readonly kinds = new Set<string>();

  add(keys: readonly RowKey[] | undefined): void {
    if (keys === undefined) this.isWhole = true;
    for (const key of keys ?? []) {
      this.keys.add(key);
      this.kinds.add(kindOf(key));
    }
  }

  /** Keys of different kinds may be of one row: only within one kind they tell rows apart. */
  meets(keys: readonly RowKey[] | undefined): boolean {
    if (this.isWhole || keys === undefined) return true;
    if (keys.some((key) => this.keys.has(key))) return true;
    return !keys.some((key) => this.kinds.has(kindOf(key)));
  }
}

function kindOf(key: RowKey): string {
  return key.split(' ', 2).join(' ');
}

class Group {
  readonly name: StatementName;
  readonly rows: SqlValue[][] = [];
  readonly #tables = new Map<string, TouchedTable>();

  constructor(name: StatementName) {
    this.name = name;
  }

  /** Whether there is a row more now. */
  add(values: SqlValue[], touches: Touches): boolean {
    const isAgain = LAST_COUNTS.has(this.name) && this.hasRow(touches);
    if (isAgain) this.#replace(values);
    else this.rows.push(values);
    for (const [table, keys] of touches) {
      const touched = this.#tables.get(table) ?? new TouchedTable();
      this.#tables.set(table, touched);
      touched.add(keys);
    }
    return !isAgain;
  }

  /** Of these statements the last value is the key. */
  #replace(values: SqlValue[]): void {
    const at = this.rows.findIndex((row) => row.at(-1) === values.at(-1));
    this.rows[at] = values;
  }

  meets(touches: Touches): boolean {
    for (const [table, keys] of touches) {
      if (this.#tables.get(table)?.meets(keys) === true) return true;
    }
    return false;
  }

  /** Whether it has the very row already: then one statement cannot do both. */
  hasRow(touches: Touches): boolean {
    for (const [table, keys] of touches) {
      const touched = this.#tables.get(table);
      if (keys?.some((key) => touched?.keys.has(key) === true) === true) return true;
    }
    return false;
  }
}

export class WriteQueue {
  #groups: Group[] = [];
  #rowCount = 0;

  get isFull(): boolean {
    return this.#rowCount >= ROWS_WAITING_MAX;
  }

  add(name: StatementName, values: SqlValue[], touches: Touches): void {
    if (this.#groupFor(name, touches).add(values, touches)) this.#rowCount += 1;
  }

  #groupFor(name: StatementName, touches: Touches): Group {
    if (canGather(name)) {
      for (const group of this.#groups.toReversed()) {
        const isOurs = group.name === name;
        if (isOurs && (LAST_COUNTS.has(name) || !group.hasRow(touches))) return group;
        if (group.meets(touches)) break;
      }
    }
    const group = new Group(name);
    this.#groups.push(group);
    return group;
  }

  /** Whether something waits that a statement would have to see. */
  meets(touches: Touches): boolean {
    return this.#groups.some((group) => group.meets(touches));
  }

  /** All that waits, in an order that keeps its meaning; then nothing waits any more. */
  take(): Step[] {
    const steps = this.#groups.flatMap(({ name, rows }) => stepsFor(name, rows));
    this.forget();
    return steps;
  }

  forget(): void {
    this.#groups = [];
    this.#rowCount = 0;
  }
}
