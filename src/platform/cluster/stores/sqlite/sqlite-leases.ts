/** Leases in a SQLite file: for processes of one machine. */
import Database from 'better-sqlite3';
import { HoldfastError } from '../../../../base/errors.ts';
import type { Clock } from '../../../clock.ts';
import { prepareTexts, sqliteText } from '../../../sql/sqlite-texts.ts';
import type { PreparedTexts } from '../../../sql/sqlite-texts.ts';
import { clusterClosed } from '../../cluster-refusals.ts';
import type { Lease, LeaseRecord, Leases } from '../../leases.ts';

const BUSY_TIMEOUT_MS = 2_000;
const OP = 'platform/SqliteLeases';

const SCHEMA = `CREATE TABLE IF NOT EXISTS lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL,
  epoch INTEGER NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID`;

const HELD = 'name = @name AND holder = @holder AND epoch = @epoch AND until > @now';

/** What MariaDB runs in its own words: ../mariadb/cluster-schema.ts. */
export const LEASE_TEXTS = {
  takeLease: sqliteText<[object], { epoch: number }>(`INSERT INTO lease (name, holder, epoch,
    until) VALUES (@name, @holder, 1, @now + @ttlMs) ON CONFLICT (name) DO UPDATE
    SET holder = @holder, epoch = epoch + 1, until = @now + @ttlMs
    WHERE until <= @now OR holder = @holder RETURNING epoch`),
  renewLease: sqliteText<[object]>(`UPDATE lease SET until = @now + @ttlMs WHERE ${HELD}`),
  releaseLease: sqliteText<[object]>(`UPDATE lease SET until = 0 WHERE ${HELD}`),
  holdsLease: sqliteText<[object], object>(`SELECT 1 FROM lease WHERE ${HELD}`),
  listLeases: sqliteText<[object], LeaseRecord>(`SELECT name, holder, epoch,
    until - @now AS leftMs FROM lease ORDER BY name`),
};

type LeaseSql = PreparedTexts<typeof LEASE_TEXTS>;

export class SqliteLeases implements Leases {
  readonly #clock: Clock;
  readonly #database: Database.Database;
  readonly #sql: LeaseSql;

  private constructor(database: Database.Database, clock: Clock) {
    this.#clock = clock;
    this.#database = database;
    this.#sql = prepareTexts(database, 'cluster', LEASE_TEXTS);
  }

  /** @throws unavailable. */
  static open(file: string, clock: Clock): SqliteLeases {
    return explained(() => {
      const database = new Database(file, { timeout: BUSY_TIMEOUT_MS });
      try {
        database.pragma('journal_mode = WAL');
        database.pragma('synchronous = FULL');
        database.exec(SCHEMA);
        return new SqliteLeases(database, clock);
      } catch (error) {
        database.close();
        throw error;
      }
    });
  }

  async take(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    const values = { name, holder, ttlMs, now: this.#clock.now() };
    const row = this.#ask(({ takeLease }) => takeLease.get(values));
    return row && { name, holder, epoch: row.epoch };
  }

  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    const values = { ...lease, ttlMs, now: this.#clock.now() };
    return this.#ask(({ renewLease }) => renewLease.run(values)).changes > 0;
  }

  async release(lease: Lease): Promise<void> {
    this.#ask(({ releaseLease }) => releaseLease.run({ ...lease, now: this.#clock.now() }));
  }

  async holds(lease: Lease): Promise<boolean> {
    return this.#ask(({ holdsLease }) => holdsLease.get({ ...lease, now: this.#clock.now() }))
      !== undefined;
  }

  async list(): Promise<LeaseRecord[]> {
    return this.#ask(({ listLeases }) => listLeases.all({ now: this.#clock.now() }));
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #ask<T>(act: (sql: LeaseSql) => T): T {
    if (!this.#database.open) throw clusterClosed();
    return explained(() => act(this.#sql));
  }
}

function explained<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const message = 'The file of leases cannot be used. Look at the disk.';
    throw new HoldfastError('unavailable', OP, message, { cause });
  }
}
