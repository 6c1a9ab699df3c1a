/** The emptying of shards in the directory database, so that whichever server moves tenants goes on
 *  with it: docs/formats/shard-drains.md. */
import type { Clock } from '../../../../platform/index.ts';
import {
  OneSession, keysOf, makeMissingTables, namedTable,
} from '../../../../platform/mariadb/index.ts';
import type { ServerAddress, Session } from '../../../../platform/mariadb/index.ts';
import { drainChanged, parseDrainNote, textOfDrain } from '../../drain-journal.ts';
import type { DrainJournal, DrainRecord } from '../../drain-journal.ts';

const WORDS = { op: 'metadata/MariadbDrainJournal', database: 'directory database' };

export const DRAIN_TABLES: Readonly<Record<string, string>> = {
  shard_drain: 'shard BIGINT NOT NULL, rev BIGINT NOT NULL, note TEXT NOT NULL, '
    + 'PRIMARY KEY (shard)',
};

/** Several may do this at once. */
export async function ensureDrainTables(session: Session): Promise<void> {
  await makeMissingTables(session, DRAIN_TABLES);
}

const SQL = namedTable({
  listDrains: 'SELECT rev, note FROM shard_drain ORDER BY shard',
  /** The note is changed before the number by which it is known. */
  putDrain: `INSERT INTO shard_drain (shard, rev, note) VALUES (@shard, @rev + 1, @note)
    ON DUPLICATE KEY UPDATE note = IF(rev = @rev, @note, note),
      rev = IF(rev = @rev, @rev + 1, rev)`,
  getDrain: 'SELECT rev, note FROM shard_drain WHERE shard = ?',
}, { owner: 'metadata.drains', tables: keysOf(DRAIN_TABLES) });

export class MariadbDrainJournal implements DrainJournal {
  readonly #session: OneSession;

  /** Its table must be there: see ensureDrainTables. Nothing is asked of the server yet. */
  constructor(parts: { readonly address: ServerAddress; readonly clock: Clock }) {
    this.#session = new OneSession({ ...parts, words: WORDS, isKnown: true });
  }

  list(): Promise<DrainRecord[]> {
    return this.#session.transact(async (ask) => {
      const { rows } = await ask(SQL.listDrains);
      return (rows as [number, string][]).map(([rev, note]) => parseDrainNote(note, Number(rev)));
    });
  }

  /** What is noted says whether it was this one, also when nobody knows if it was committed. */
  put(record: DrainRecord): Promise<DrainRecord> {
    const { shard, rev } = record;
    const note = textOfDrain(record);
    return this.#session.transact(async (ask) => {
      await ask(SQL.putDrain, { shard, rev, note });
      const { rows: [[nowRev, nowNote] = []] } = await ask(SQL.getDrain, shard);
      if (Number(nowRev) !== rev + 1 || nowNote !== note) throw drainChanged(shard);
      return { ...record, rev: rev + 1 };
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
