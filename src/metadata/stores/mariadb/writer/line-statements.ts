/**
 * The writer's statements, run over the line: reads are answered from what this transaction has
 * read already, or fetched ahead; writes wait in a queue. What is remembered is dropped as soon as
 * something is written that touches it.
 */
import { valuesFor } from '../../../../platform/mariadb/index.ts';
import type { SqlValue } from '../../../../platform/mariadb/index.ts';
import type { SqlStatement, StatementName, Statements } from '../../sqlite/statements.ts';
import type { LineClient } from '../line/line-client.ts';
import { WriteQueue } from './write-queue.ts';
import type { Touches } from './write-queue.ts';
import {
  COUNTED, PLACES, TABLES_TOUCHED, WRITER_STATEMENTS, WRITTEN_THROUGH, idKey, placeKey,
} from './writer-statements.ts';
import type { RowKey } from './writer-statements.ts';

/** Answers that one transaction remembers; a full memory begins anew. */
const REMEMBERED_MAX = 20_000;

type Rows = readonly unknown[][];

interface Remembered {
  rows: Rows;
  touches: Touches;
}

/** One that the writer asks. */
export interface Question {
  name: StatementName;
  values: SqlValue[];
}

/** Questions of one transaction that are kept for the next. */
const NEEDED_MAX = 24;

/** Statements that the writer never asks for here: transactions are the database's. */
const OF_TRANSACTIONS: ReadonlySet<StatementName> =
  new Set<StatementName>(['begin', 'commit', 'rollback']);

export class LineStatements {
  readonly sql: Statements;
  readonly #line: LineClient;
  readonly #queue = new WriteQueue();
  readonly #memory = new Map<string, Remembered>();
  /** By the place of a node its id, of all nodes that this transaction has read. */
  readonly #idAt = new Map<RowKey, RowKey>();
  readonly #guesses = new Set<string>();
  readonly #needed = new Map<string, Question>();
  #isInTransaction = false;
  #hasStrayReads = false;

  constructor(line: LineClient) {
    this.#line = line;
    const names = Object.keys(WRITER_STATEMENTS) as StatementName[];
    const entries = names.filter((name) => !OF_TRANSACTIONS.has(name))
      .map((name) => [name, this.#statement(name)] as const);
    this.sql = Object.fromEntries(entries) as unknown as Statements;
  }

  #statement(name: StatementName): SqlStatement {
    const statement = WRITER_STATEMENTS[name];
    return {
      get: (...args) => this.#read(name, valuesFor(statement, args))[0],
      all: (...args) => [...this.#read(name, valuesFor(statement, args))],
      run: (...args) => ({ changes: this.#write(name, valuesFor(statement, args)) }),
    };
  }

  #touches(name: StatementName, values: readonly SqlValue[]): Touches {
    const keys = PLACES[name]?.(values) ?? [];
    const withIds = keys.flatMap((key) => {
      const id = this.#idAt.get(key);
      return id === undefined ? [key] : [key, id];
    });
    const tables = TABLES_TOUCHED[name] ?? WRITER_STATEMENTS[name].tables;
    return new Map(tables.map((table) => {
      const own = withIds.filter((key) => key.startsWith(`${table} `));
      return [table, own.length === 0 ? undefined : own];
    }));
  }

  #read(name: StatementName, values: SqlValue[]): Rows {
    const key = memoryKey(name, values);
    const known = this.#memory.get(key);
    if (known !== undefined) {
      if (this.#guesses.has(key)) this.#needed.set(key, { name, values });
      return known.rows;
    }
    const touches = this.#touches(name, values);
    const { text } = WRITER_STATEMENTS[name];
    const steps = this.#queue.meets(touches) ? this.#queue.take() : [];
    const isStray = !this.#isInTransaction;
    if (isStray) this.#hasStrayReads = true;
    const rows = this.#line.run([...steps, { text, values }], isStray).at(-1)?.rows ?? [];
    if (!isStray) {
      this.remember(name, values, rows);
      if (this.#needed.size < NEEDED_MAX) this.#needed.set(key, { name, values });
    }
    return rows;
  }

  /** Notes what a question that may be asked would be answered. */
  guess({ name, values }: Question, rows: Rows): void {
    this.remember(name, values, rows);
    this.#guesses.add(memoryKey(name, values));
  }

  /** What this transaction has asked by itself so far, and the guesses that were right. */
  get needed(): readonly Question[] {
    return [...this.#needed.values()];
  }

  /** Notes what a statement would answer. */
  remember(name: StatementName, values: readonly SqlValue[], rows: Rows): void {
    if (this.#memory.size >= REMEMBERED_MAX) this.#memory.clear();
    if (name === 'getNode' || name === 'getChild') this.#noteNodes(values[0] ?? null, rows);
    const touches = this.#touches(name, values);
    this.#memory.set(memoryKey(name, values), { rows, touches });
  }

  #noteNodes(spaceId: SqlValue, rows: Rows): void {
    for (const [id, parentId, canon] of rows as SqlValue[][]) {
      const place = placeKey(spaceId, parentId ?? null, canon ?? null);
      this.#idAt.set(place, idKey(spaceId, id ?? null));
    }
  }

  #write(name: StatementName, values: SqlValue[]): number {
    const touches = this.#touches(name, values);
    this.#forgetWhat(name, values, touches);
    if (COUNTED.has(name)) {
      const steps = [...this.#queue.take(), { text: WRITER_STATEMENTS[name].text, values }];
      return this.#line.run(steps).at(-1)?.changes ?? 0;
    }
    this.#queue.add(name, values, touches);
    const through = WRITTEN_THROUGH[name]?.(values);
    if (through !== undefined) this.remember(through.name, through.values, through.rows);
    if (this.#queue.isFull) this.#line.run(this.#queue.take());
    return 0;
  }

  #forgetWhat(name: StatementName, values: readonly SqlValue[], touches: Touches): void {
    if (name === 'insertNode') {
      const [spaceId = null, parentId = null, canon = null, id = null] = values;
      this.#idAt.set(placeKey(spaceId, parentId, canon), idKey(spaceId, id));
    }
    for (const [key, remembered] of this.#memory) {
      if (meet(remembered.touches, touches)) this.#memory.delete(key);
    }
  }

  /** What waits, to be sent before the commit. */
  takeWaiting(): ReturnType<WriteQueue['take']> {
    return this.#queue.take();
  }

  /** Whether something was read outside of all transactions. */
  get hasStrayReads(): boolean {
    return this.#hasStrayReads;
  }

  begin(): void {
    this.#forget();
    this.#isInTransaction = true;
  }

  /** The transaction is committed or undone. */
  end(): void {
    this.#forget();
    this.#isInTransaction = false;
  }

  #forget(): void {
    this.#hasStrayReads = false;
    this.#queue.forget();
    this.#memory.clear();
    this.#idAt.clear();
    this.#guesses.clear();
    this.#needed.clear();
  }
}

function memoryKey(name: StatementName, values: readonly SqlValue[]): string {
  return `${name} ${JSON.stringify(values)}`;
}

function kindOf(key: RowKey): string {
  return key.split(' ', 2).join(' ');
}

/** As between groups of the queue: keys tell rows apart only within one kind. */
function meet(a: Touches, b: Touches): boolean {
  for (const [table, ours] of a) {
    if (!b.has(table)) continue;
    const theirs = b.get(table);
    if (ours === undefined || theirs === undefined) return true;
    const kinds = new Set(ours.map(kindOf));
    if (theirs.some((key) => ours.includes(key))) return true;
    if (!theirs.some((key) => kinds.has(kindOf(key)))) return true;
  }
  return false;
}
