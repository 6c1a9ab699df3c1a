/** Rows of tenants in SQLite: what changes them goes through the one writer of the file. */
import type { RowDatabase } from '../rows/row-database.ts';
import type { SqlStep } from '../rows/row-sql.ts';
import type { RowValue } from '../../move/tenant-rows.ts';
import type { Connection } from './connection.ts';
import { explained } from './faults.ts';
import type { WriterClient } from './writer-client.ts';

interface Parts {
  /** For reading. */
  readonly connection: Connection;
  readonly writer: WriterClient;
  /** Called when rows that readers remember may have changed. */
  readonly onChanged: () => void;
}

export class SqliteRowDatabase implements RowDatabase {
  readonly dialect = 'sqlite';
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async read({ text, values }: SqlStep): Promise<RowValue[][]> {
    return explained(() =>
      this.#parts.connection.prepare(text).raw(true).all(...values) as RowValue[][]);
  }

  async write(steps: readonly SqlStep[], isAside: boolean): Promise<number> {
    const { writer, onChanged } = this.#parts;
    const { count } = await writer.submit({ op: 'write-rows', steps, isAside })
      .finally(() => {
        if (!isAside) onChanged();
      });
    return count;
  }

  async triggers(): Promise<string[]> {
    const rows = await this.read({
      text: "SELECT name FROM sqlite_schema WHERE type = 'trigger'", values: [],
    });
    return rows.map(([name]) => String(name));
  }

  async alter(texts: readonly string[]): Promise<void> {
    await this.write(texts.map((text) => ({ text, values: [] })), true);
  }
}
