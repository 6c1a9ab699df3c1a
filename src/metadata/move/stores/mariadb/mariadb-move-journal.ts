/** The records of moves in the directory database, so that another node goes on with what one has
 *  left: docs/formats/tenant-moves.md. */
import { parseTenantId } from '../../../../base/ids.ts';
import type { Clock } from '../../../../platform/index.ts';
import {
  OneSession, Session, explainedFault, keysOf, makeMissingTables, namedTable,
} from '../../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../../platform/mariadb/index.ts';
import type { MoveJournal, MoveRecord } from '../../move-record.ts';
import { movedByAnother } from '../../move-refusals.ts';
import { parseMoveNote, textOfMove } from '../../move-note.ts';

const WORDS = { op: 'metadata/MariadbMoveJournal', database: 'directory database' };

export const MOVE_TABLES: Readonly<Record<string, string>> = {
  tenant_move: `tenant VARCHAR(255) NOT NULL, lease_epoch BIGINT NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (tenant)`,
};

/** Several may do this at once. */
export async function ensureMoveTables(session: Session): Promise<void> {
  await makeMissingTables(session, MOVE_TABLES);
}

/** All records, for whoever only looks. @throws unavailable. */
export async function readMoves(address: ServerAddress, clock: Clock): Promise<MoveRecord[]> {
  const session = await Session.open(address, 'schema').catch((error: unknown) => {
    throw explainedFault(error, WORDS);
  });
  await ensureMoveTables(session).finally(() => session.end());
  const journal = new MariadbMoveJournal({ address, clock, epoch: 0 });
  return journal.list().finally(() => journal.close());
}

const SQL = namedTable({
  listMoves: 'SELECT tenant, note FROM tenant_move ORDER BY tenant',
  /** What was noted under a later lease stays. */
  putMove: `INSERT INTO tenant_move (tenant, lease_epoch, note) VALUES (@tenant, @epoch, @note)
    ON DUPLICATE KEY UPDATE note = IF(lease_epoch <= @epoch, @note, note),
      lease_epoch = GREATEST(lease_epoch, @epoch)`,
  epochOfMove: 'SELECT lease_epoch FROM tenant_move WHERE tenant = ?',
}, { owner: 'metadata.moves', tables: keysOf(MOVE_TABLES) });

export interface MariadbMoveJournalParts {
  readonly address: ServerAddress;
  readonly clock: Clock;
  /** Of the lease under which this process moves tenants. */
  readonly epoch: number;
}

export class MariadbMoveJournal implements MoveJournal {
  readonly #session: OneSession;
  readonly #epoch: number;

  /** Its table must be there: see ensureMoveTables. Nothing is asked of the server yet. */
  constructor({ address, clock, epoch }: MariadbMoveJournalParts) {
    this.#session = new OneSession({ address, clock, words: WORDS, isKnown: true });
    this.#epoch = epoch;
  }

  list(): Promise<MoveRecord[]> {
    return this.#session.transact(async (ask) => {
      const { rows } = await ask(SQL.listMoves);
      return (rows as [string, string][]).map(([tenant, note]) =>
        parseMoveNote(parseTenantId(tenant), note));
    });
  }

  /** @throws conflict: another process has the lease by now. */
  put(record: MoveRecord): Promise<void> {
    return this.#session.transact(async (ask) => {
      const { tenant } = record;
      await ask(SQL.putMove, { tenant, epoch: this.#epoch, note: textOfMove(record) });
      const { rows: [[epoch] = []] } = await ask(SQL.epochOfMove, tenant);
      if (Number(epoch) !== this.#epoch) throw movedByAnother();
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
