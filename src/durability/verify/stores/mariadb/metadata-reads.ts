/** How verifiers ask a metadata database on MariaDB: each question is a transaction of its own, so
 *  every answer is the newest committed state. */
import { HoldfastError } from '../../../../base/errors.ts';
import type { Clock } from '../../../../platform/index.ts';
import { LoneStatements, namedSql } from '../../../../platform/mariadb/index.ts';
import type { NamedSql, ServerAddress } from '../../../../platform/mariadb/index.ts';

const OP = 'durability/MetadataReads';
/** They change nothing, so no table's keys have to be known. */
export const VERIFY_OWNER = { owner: 'durability.verify', tables: new Map<string, never>() };
const KNOWN_VERSIONS: readonly unknown[] = [1];
const GET_VERSION = namedSql('verifySchemaVersion',
  'SELECT value FROM meta WHERE name = \'schema_version\'', VERIFY_OWNER);

/** Rows behind a key of three columns, whose values are ?1 to ?3, in words that MariaDB answers
 *  from the key: a comparison of rows it answers by reading the table. */
export function behind(a: string, b: string, c: string): string {
  return `(${a} > ?1 OR (${a} = ?1 AND ${b} > ?2) OR (${a} = ?1 AND ${b} = ?2 AND ${c} > ?3))`;
}

export class MetadataReads {
  readonly #statements: LoneStatements;
  #checked: Promise<void> | undefined;

  /** Connects with the first question. */
  constructor(address: ServerAddress, clock: Clock) {
    const words = { op: OP, database: 'metadata database' };
    this.#statements = new LoneStatements({ address, clock, words });
  }

  /** @throws unavailable; invalid: tables of a version that is not known here. */
  async rows(statement: NamedSql, ...values: readonly unknown[]): Promise<unknown[][]> {
    this.#checked ??= this.#check();
    try {
      await this.#checked;
    } catch (error) {
      this.#checked = undefined;
      throw error;
    }
    return (await this.#statements.ask(statement, values)).rows;
  }

  async #check(): Promise<void> {
    const { rows: [row] } = await this.#statements.ask(GET_VERSION, []);
    if (KNOWN_VERSIONS.includes(row?.[0])) return;
    const message = 'The metadata database has a format that is not known here.';
    throw new HoldfastError('invalid', OP, message, { facts: { format: String(row?.[0]) } });
  }

  async close(): Promise<void> {
    await this.#statements.close();
  }
}
