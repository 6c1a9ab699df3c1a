/**
 * What is asked of a database, apart from how it is asked.
 *
 * The logic of the identity store is written once, as generators: where it needs an answer of the
 * database it yields the question. SQLite answers at once, so a whole transaction runs in one turn
 * of the event loop; a server across a network is waited for. Neither the logic nor SQLite's speed
 * knows of the other.
 */

/** A value as both databases take and give it. */
export type SqlValue = number | string | null;

/** Values by place (`?`), or one record of them by name (`@name`). */
export type Bind = readonly unknown[];

/** One question, yielded to whoever runs the work. */
export interface Ask {
  readonly statement: Statement<never, unknown>;
  /** `one`: a row or undefined; `all`: rows; `run`: how many rows it found to change; `run-many`:
   *  nothing is answered. */
  readonly way: 'one' | 'all' | 'run' | 'run-many';
  /** Of `run-many`: one for each time. */
  readonly bind: Bind;
}

/** Work that asks the database, and in the end has a result. It is thrown away, and begun anew,
 *  when the database broke off: it changes nothing but through its statements. */
export type Work<T> = Generator<Ask, T, unknown>;

export interface StatementParts {
  readonly text: string;
  /** Of the rows that it answers, in order; none: its answer is one number. */
  readonly columns: readonly string[];
  /** How many rows a run may write: see the registry of statements. */
  readonly rowsMax: number;
  /** Does what `text` does once for each entry of a list, given as JSON: for a database that is far
   *  away. A list of lists, each in the order of the places of `text`. */
  readonly textForMany?: string;
}

export class Statement<B extends Bind, Row> {
  readonly parts: StatementParts;

  constructor(parts: StatementParts) {
    this.parts = parts;
  }

  * one(...bind: B): Work<Row | undefined> {
    return (yield { statement: this, way: 'one', bind }) as Row | undefined;
  }

  * all(...bind: B): Work<Row[]> {
    return (yield { statement: this, way: 'all', bind }) as Row[];
  }

  * run(...bind: B): Work<number> {
    return (yield { statement: this, way: 'run', bind }) as number;
  }

  /** Only of a statement that has a text for it. */
  * runMany(binds: readonly B[]): Work<void> {
    if (binds.length > 0) yield { statement: this, way: 'run-many', bind: binds };
  }
}
