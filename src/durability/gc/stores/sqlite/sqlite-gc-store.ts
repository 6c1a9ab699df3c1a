import type { Database } from 'better-sqlite3';
import type { BlockId } from '../../../../base/ids.ts';
import { prepareTexts, sqliteText } from '../../../../platform/index.ts';
import type { PreparedTexts } from '../../../../platform/index.ts';
import {
  AGREEMENT_MS, type CensusFigures, type CensusRecord, type GcStore, type LedgerHead,
  type SuspectBlock, type SuspectCounts,
} from '../../gc-store.ts';
import { explained, openGcDatabase, openGcDatabaseReadonly } from './open-gc-database.ts';

/** However many: the table holds what one census has not met. */
const ALL = { rowsMax: Infinity };

interface SuspectRow {
  first_at: number;
  first_census: number;
}

export const GC_TEXTS = {
  beginCensus: sqliteText<[number]>('INSERT INTO census (begun_at) VALUES (?)'),
  endCensus: sqliteText<[object]>(`UPDATE census SET ended_at = @at,
    manifest_count = @manifestCount, reference_count = @referenceCount,
    pending_bytes = @pendingBytes, absent_count = @absentCount, unmet_count = @unmetCount,
    unmet_bytes = @unmetBytes, condemned_count = @condemnedCount,
    condemned_bytes = @condemnedBytes WHERE id = @census`),
  listCensuses: sqliteText<[number], CensusRow>(`SELECT id AS census, begun_at AS begunAt,
    ended_at AS endedAt, manifest_count AS manifestCount, reference_count AS referenceCount,
    pending_bytes AS pendingBytes, absent_count AS absentCount, unmet_count AS unmetCount,
    unmet_bytes AS unmetBytes, condemned_count AS condemnedCount,
    condemned_bytes AS condemnedBytes FROM census ORDER BY id DESC LIMIT ?`),
  // A first sight in the future was noted by a clock that was wrong.
  suspect: sqliteText<[object], SuspectRow>(`INSERT INTO suspect (id, size_bytes, first_at,
    first_census, latest_census) VALUES (@id, @sizeBytes, @at, @census, @census)
    ON CONFLICT (id) DO UPDATE SET latest_census = @census, first_at = min(first_at, @at)
    RETURNING first_at, first_census`),
  condemn: sqliteText<[number, Buffer]>('UPDATE suspect SET condemned_by = ? WHERE id = ?'),
  clear: sqliteText<[number]>('DELETE FROM suspect WHERE latest_census <> ?', ALL),
  forget: sqliteText<[]>('DELETE FROM suspect', ALL),
  countSuspects: sqliteText<[object], CountRow>(`SELECT count(*) AS count,
    coalesce(sum(size_bytes), 0) AS bytes, coalesce(sum(first_at <= @aged), 0) AS agedCount,
    coalesce(sum(CASE WHEN first_at <= @aged THEN size_bytes END), 0) AS agedBytes,
    min(first_at) AS oldestAt FROM suspect`),
  oldestAccuser: sqliteText<[], number | null>(
    'SELECT min(first_census) FROM suspect WHERE condemned_by IS NOT NULL', { rowAs: 'value' },
  ),
  getHead: sqliteText<[], LedgerHead>('SELECT seq, hash FROM ledger_head WHERE only = 1'),
  putHead: sqliteText<[object]>(`INSERT INTO ledger_head (only, seq, hash) VALUES (1, @seq, @hash)
    ON CONFLICT (only) DO UPDATE SET seq = @seq, hash = @hash`),
};

type CensusRow = Omit<CensusRecord, 'endedAt'> & { endedAt: number | null };
type CountRow = Omit<SuspectCounts, 'oldestAt'> & { oldestAt: number | null };

/** A GcStore in one SQLite file, DATA/gc.db. */
export class SqliteGcStore implements GcStore {
  readonly #database: Database;
  readonly #sql: PreparedTexts<typeof GC_TEXTS>;

  private constructor(database: Database) {
    this.#database = database;
    this.#sql = prepareTexts(database, 'durability.gc', GC_TEXTS);
  }

  /** @throws as openGcDatabase. */
  static open(file: string): SqliteGcStore {
    return new SqliteGcStore(openGcDatabase(file));
  }

  /** undefined when there is none yet. @throws as openGcDatabase. */
  static openReadonly(file: string): SqliteGcStore | undefined {
    const database = openGcDatabaseReadonly(file);
    return database === undefined ? undefined : new SqliteGcStore(database);
  }

  beginCensus(at: number): number {
    return this.#do('beginCensus', () => Number(this.#sql.beginCensus.run(at).lastInsertRowid));
  }

  noteUnmet(census: number, at: number, blocks: readonly SuspectBlock[]): BlockId[] {
    return this.#together('noteUnmet', () => {
      const agreed: BlockId[] = [];
      for (const { id, sizeBytes } of blocks) {
        const values = { id: Buffer.from(id, 'hex'), sizeBytes, at, census };
        const row = this.#sql.suspect.get(values) as SuspectRow;
        const isAged = row.first_at <= at - AGREEMENT_MS;
        if (isAged && row.first_census < census) agreed.push(id);
      }
      return agreed;
    });
  }

  noteCondemned(census: number, ids: readonly BlockId[]): void {
    this.#together('noteCondemned', () => {
      for (const id of ids) this.#sql.condemn.run(census, Buffer.from(id, 'hex'));
    });
  }

  endCensus(census: number, at: number, figures: CensusFigures): void {
    this.#together('endCensus', () => {
      this.#sql.clear.run(census);
      this.#sql.endCensus.run({ census, at, ...figures });
    });
  }

  forgetSuspects(): void {
    this.#do('forgetSuspects', () => this.#sql.forget.run());
  }

  listCensuses(limit: number): CensusRecord[] {
    const rows = this.#do('listCensuses', () => this.#sql.listCensuses.all(limit));
    return rows.map((row) => ({ ...row, endedAt: row.endedAt ?? undefined }));
  }

  countSuspects(at: number): SuspectCounts {
    const aged = at - AGREEMENT_MS;
    const row = this.#do('countSuspects', () =>
      this.#sql.countSuspects.get({ aged })) as CountRow;
    return { ...row, oldestAt: row.oldestAt ?? undefined };
  }

  oldestAccuser(): number | undefined {
    return this.#do('oldestAccuser', () => this.#sql.oldestAccuser.get()) ?? undefined;
  }

  findLedgerHead(): LedgerHead | undefined {
    return this.#do('findLedgerHead', () => this.#sql.getHead.get());
  }

  putLedgerHead({ seq, hash }: LedgerHead): void {
    this.#do('putLedgerHead', () => this.#sql.putHead.run({ seq, hash }));
  }

  close(): void {
    this.#database.close();
  }

  #do<T>(method: string, act: () => T): T {
    return explained(`durability/SqliteGcStore.${method}`, act);
  }

  #together<T>(method: string, act: () => T): T {
    return this.#do(method, () => this.#database.transaction(act).immediate());
  }
}
