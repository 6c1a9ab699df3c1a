/** Rows of tenants on a MariaDB server: what changes them takes the writer's turn like all other
 *  changes, so that writers elsewhere learn of it. */
import { Session, alterTables, serverFault } from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import type { RowValue } from '../../move/tenant-rows.ts';
import type { RowDatabase } from '../rows/row-database.ts';
import type { SqlStep } from '../rows/row-sql.ts';
import type { WriterClient } from '../sqlite/writer-client.ts';
import { WORDS, explainedFault } from './faults.ts';
import { moveStatement } from './move-statements.ts';
import { withSession } from './open-database.ts';

/** While a table waits for its trigger nobody can begin to use it. */
const ALTER_WAIT_S = 2;
/** Only who may make triggers sees them. */
const LIST_TRIGGERS = `/* holdfast:listTriggers */ SELECT trigger_name
  FROM information_schema.triggers WHERE trigger_schema = DATABASE()`;

export class MariadbRowDatabase implements RowDatabase {
  readonly dialect = 'mariadb';
  readonly #address: ServerAddress;
  readonly #writer: WriterClient;
  #session: Promise<Session> | undefined;
  /** One question after the other: they share a connection. */
  #asked: Promise<unknown> = Promise.resolve();

  constructor(address: ServerAddress, writer: WriterClient) {
    this.#address = address;
    this.#writer = writer;
  }

  read(step: SqlStep): Promise<RowValue[][]> {
    const answer = this.#asked.then(() => this.#ask(step));
    this.#asked = answer.catch(() => undefined);
    return answer;
  }

  /** Each is a snapshot of its own. */
  async #ask({ text, values }: SqlStep): Promise<RowValue[][]> {
    try {
      if ((await this.#session)?.isCurrent === false) await this.close();
      const session = await (this.#session ??= Session.open(this.#address, 'read'));
      const { rows } = await session.execute(moveStatement({ text }), values);
      await session.run('COMMIT');
      return rows as RowValue[][];
    } catch (error) {
      await this.close();
      throw explainedFault(error);
    }
  }

  async write(steps: readonly SqlStep[], isAside: boolean): Promise<number> {
    const { count } = await this.#writer.submit({ op: 'write-rows', steps, isAside });
    return count;
  }

  async triggers(): Promise<string[]> {
    const { rows } = await withSession(this.#address, 'schema', (session) =>
      session.run(LIST_TRIGGERS));
    return rows.map(([name]) => String(name));
  }

  alter(texts: readonly string[]): Promise<void> {
    return alterTables(this.#address, texts, { words: WORDS, waitS: ALTER_WAIT_S });
  }

  /** The next question opens a new connection. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    try {
      (await session)?.destroy();
    } catch (error) {
      if (serverFault(error) === undefined) throw error; // It never came to be.
    }
  }
}
