/**
 * What MariaDB and MySQL say in different words. A session learns by its server's version which of
 * the two it speaks to; everybody else says what is known to both, or asks the session.
 */

export interface Dialect {
  /** Compares names byte by byte, blanks at the end included: the plain `utf8mb4_bin` takes `a` and
   *  `a ` for one name. */
  readonly collation: string;
  /** Further settings of every session. */
  readonly settings: readonly string[];
  /** Has the server itself give up what takes longer. */
  readonly patience: (timeoutMs: number) => string;
  /** A statement with the look for a key switched off, for it alone: see safe-updates.ts. */
  readonly unlooked: (sql: string) => string;
  /** Whether a server may be one of a Galera cluster that we know how to speak to. */
  readonly mayBeClustered: boolean;
}

const MARIADB_BINARY = 'utf8mb4_nopad_bin';
const MYSQL_BINARY = 'utf8mb4_0900_bin';
/** Deeper than any chain of folders. */
const RECURSION_MAX = 100_000;

const MARIADB: Dialect = {
  collation: MARIADB_BINARY,
  settings: [
    `max_recursive_iterations = ${RECURSION_MAX}`,
    // Tables made of JSON take the texts of the database's own default, where most letters do not
    // exist: names with them would not be found. MySQL makes them of utf8mb4 always.
    `collation_database = ${MARIADB_BINARY}`,
  ],
  patience: (timeoutMs) => `SET SESSION max_statement_time = ${timeoutMs / 1_000}`,
  unlooked: (sql) => `SET STATEMENT sql_safe_updates = 0 FOR ${sql}`,
  mayBeClustered: true,
};

const MYSQL: Dialect = {
  collation: MYSQL_BINARY,
  settings: [`cte_max_recursion_depth = ${RECURSION_MAX}`],
  // It gives up what reads; what writes waits for locks no longer than its session says.
  patience: (timeoutMs) => `SET SESSION max_execution_time = ${timeoutMs}`,
  unlooked: (sql) => sql.replace(/^\w+/, (word) => `${word} /*+ SET_VAR(sql_safe_updates = 0) */`),
  mayBeClustered: false,
};

export function isMariadb(version: string): boolean {
  return version.includes('MariaDB');
}

export function dialectOf(version: string): Dialect {
  return isMariadb(version) ? MARIADB : MYSQL;
}

/** The collation that our texts call MariaDB's is what a server calls its own, and back: so texts
 *  and what catalogues show are the same of both. */
export function inServersWords(sql: string, { collation }: Pick<Dialect, 'collation'>): string {
  return sql.replaceAll(MARIADB_BINARY, collation);
}

export function inOurWords(collation: string): string {
  return collation === MYSQL_BINARY ? MARIADB_BINARY : collation;
}
