/** Carries the tables of all sections between files and a server, compares both, and tells how fast
 *  that goes and how long it will take. */
import type { DatabaseAmount, OnDatabaseRows } from '../cli/index.ts';
import { failpoint } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import { carryTables, compareTables } from '../tables/index.ts';
import type { TablePair, TableSide } from '../tables/index.ts';
import { MariadbTables } from '../tables/stores/mariadb/mariadb-tables.ts';
import { SqliteTables } from '../tables/stores/sqlite/sqlite-tables.ts';
import { draftOf } from './database-move-note.ts';
import type { DatabaseSection } from './database-sections.ts';

const TELL_EVERY_MS = 2_000;

interface PlacedSection extends DatabaseSection {
  readonly path: string;
}

interface CarrierParts {
  readonly address: ServerAddress;
  readonly clock: Clock;
}

export class DatabaseCarrier {
  readonly #parts: CarrierParts;
  readonly #sections: readonly PlacedSection[];

  constructor(parts: CarrierParts, sections: readonly PlacedSection[]) {
    this.#parts = parts;
    this.#sections = sections;
  }

  static async intoDrafts(
    root: string, parts: CarrierParts, sections: readonly DatabaseSection[],
  ): Promise<DatabaseCarrier> {
    const placed: PlacedSection[] = [];
    for (const section of sections) {
      placed.push({ ...section, path: await draftOf(root, section.file) });
    }
    return new DatabaseCarrier(parts, placed);
  }

  /** Where files are carried to: makes those that are missing. */
  async makeFiles(): Promise<void> {
    const { clock } = this.#parts;
    for (const { open, path } of this.#sections) await open(path, { create: true, clock });
  }

  async countFiles(): Promise<DatabaseAmount[]> {
    const amounts: DatabaseAmount[] = [];
    for (const section of this.#sections) {
      const side = SqliteTables.open(section.path);
      try {
        amounts.push(await amountOf(section, side));
      } finally {
        side.close();
      }
    }
    return amounts;
  }

  async countOnServer(): Promise<DatabaseAmount[]> {
    const side = await MariadbTables.open(this.#parts.address);
    try {
      const amounts: DatabaseAmount[] = [];
      for (const section of this.#sections) amounts.push(await amountOf(section, side));
      return amounts;
    } finally {
      await side.close();
    }
  }

  /** Both sides are the same when `flip` is called: then the files are no longer held open, or,
   *  when they are what is carried, still held against everybody else.
   *  @throws as carryTables and compareTables. */
  async carry<T>(
    way: 'to-server' | 'to-files',
    { onRows, flip }: { onRows: OnDatabaseRows; flip: () => Promise<T> },
  ): Promise<T> {
    const amounts = await (way === 'to-server' ? this.countFiles() : this.countOnServer());
    const rowCount = amounts.reduce((sum, amount) => sum + amount.rowCount, 0);
    const server = await MariadbTables.open(this.#parts.address);
    const pairs: (TablePair & { file: SqliteTables })[] = [];
    try {
      for (const { path, tables } of this.#sections) {
        const file = way === 'to-server' ? SqliteTables.hold(path) : SqliteTables.open(path);
        const [from, to] = way === 'to-server' ? [file, server] : [server, file];
        pairs.push({ from, to, tables, file });
      }
      await this.#walk(pairs, { step: 'copy', rowCount }, onRows);
      await this.#walk(pairs, { step: 'compare', rowCount }, onRows);
      if (way === 'to-files') for (const { file } of pairs) file.close();
      return await flip();
    } finally {
      for (const { file } of pairs) file.close();
      await server.close();
    }
  }

  async #walk(pairs: readonly TablePair[], total: PaceTotal, onRows: OnDatabaseRows):
  Promise<void> {
    const pace = new Pace(this.#parts.clock, total, onRows);
    const act = total.step === 'copy' ? carryTables : compareTables;
    for (const pair of pairs) {
      await act(pair, (_, count) => {
        pace.add(count);
        failpoint(`app.database-${total.step}`);
      });
    }
    pace.end();
  }
}

async function amountOf(
  { name, tables }: DatabaseSection, side: TableSide,
): Promise<DatabaseAmount> {
  let rowCount = 0;
  for (const table of tables) rowCount += await side.count(table);
  return { name, rowCount };
}

interface PaceTotal {
  readonly step: 'copy' | 'compare';
  readonly rowCount: number;
}

/** Tells now and then how far one step is. */
class Pace {
  readonly #clock: Clock;
  readonly #total: PaceTotal;
  readonly #onRows: OnDatabaseRows;
  readonly #begunMs: number;
  #toldMs: number;
  #doneCount = 0;

  constructor(clock: Clock, total: PaceTotal, onRows: OnDatabaseRows) {
    this.#clock = clock;
    this.#total = total;
    this.#onRows = onRows;
    this.#begunMs = clock.monotonic();
    this.#toldMs = this.#begunMs;
  }

  add(count: number): void {
    this.#doneCount += count;
    if (this.#clock.monotonic() - this.#toldMs >= TELL_EVERY_MS) this.end();
  }

  end(): void {
    this.#toldMs = this.#clock.monotonic();
    const tookS = Math.max(0.001, (this.#toldMs - this.#begunMs) / 1000);
    const rowsPerSecond = Math.round(this.#doneCount / tookS);
    const { rowCount } = this.#total;
    const remainingS = rowsPerSecond === 0 ? undefined
      : Math.ceil(Math.max(0, rowCount - this.#doneCount) / rowsPerSecond);
    this.#onRows({ ...this.#total, doneCount: this.#doneCount, rowsPerSecond, remainingS });
  }
}
