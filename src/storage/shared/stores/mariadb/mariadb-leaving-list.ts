/** A LeavingList in the directory database. Every transaction that changes it first raises the row
 *  of the rounds, so one comes after the other. */
import type { BlockId } from '../../../../base/ids.ts';
import type { Clock } from '../../../../platform/index.ts';
import { OneSession, binaryCollation, namedTable } from '../../../../platform/mariadb/index.ts';
import type { AskOne, ServerAddress, Session } from '../../../../platform/mariadb/index.ts';
import { GOING_MS, LISTED_PAGE_MAX } from '../../leaving-list.ts';
import type { LeavingList, ListedRound } from '../../leaving-list.ts';

const WORDS = { op: 'storage/MariadbLeavingList', database: 'directory database' };

const TABLES: Readonly<Record<string, string>> = {
  leaving_round: 'number BIGINT NOT NULL, turn BIGINT NOT NULL, name VARCHAR(8) PRIMARY KEY',
  leaving_block: `store VARCHAR(255) NOT NULL, id BINARY(32) NOT NULL, round BIGINT NOT NULL,
    going_until BIGINT NOT NULL, PRIMARY KEY (store, id)`,
};

/** Several may do this at once. */
export async function ensureLeavingTables(session: Session): Promise<void> {
  const { rows: [[version] = []] } = await session.run('SELECT VERSION()');
  const collation = binaryCollation(String(version).includes('MariaDB'));
  for (const [name, columns] of Object.entries(TABLES)) {
    await session.run(`CREATE TABLE IF NOT EXISTS ${name} (${columns})
      ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE ${collation}`);
  }
  await session.run('INSERT IGNORE INTO leaving_round (name, number, turn) VALUES (\'all\', 0, 0)');
  await session.run('COMMIT');
}

const SERVER_MS = 'CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)';
/** Ids come as a JSON array of their digits. */
const GIVEN = 'JSON_TABLE(@ids, \'$[*]\' COLUMNS (id VARCHAR(64) PATH \'$\')) given';
const ROWS = `leaving_block ON leaving_block.store = @store
  AND leaving_block.id = UNHEX(given.id)`;

const SQL = namedTable({
  leavingTurn: 'UPDATE leaving_round SET turn = turn + 1 WHERE name = \'all\'',
  leavingNext: 'UPDATE leaving_round SET number = number + 1 WHERE name = \'all\'',
  leavingRound: 'SELECT number FROM leaving_round WHERE name = \'all\'',
  announceLeaving: `INSERT IGNORE INTO leaving_block (store, id, round, going_until)
    SELECT @store, UNHEX(given.id), @round, 0 FROM ${GIVEN}`,
  readLeaving: `SELECT HEX(id), round FROM leaving_block WHERE store = ?`,
  findLeaving: `SELECT given.id FROM ${GIVEN} STRAIGHT_JOIN ${ROWS}
    WHERE going_until <= ${SERVER_MS} AND round <= @round`,
  takeLeaving: `UPDATE ${GIVEN} STRAIGHT_JOIN ${ROWS}
    SET leaving_block.going_until = ${SERVER_MS} + ${GOING_MS}
    WHERE going_until <= ${SERVER_MS} AND round <= @round`,
  dropLeft: `DELETE leaving_block FROM ${GIVEN} STRAIGHT_JOIN ${ROWS}`,
  strikeLeaving: `DELETE leaving_block FROM ${GIVEN} STRAIGHT_JOIN ${ROWS}
    WHERE going_until <= ${SERVER_MS}`,
  findGoing: `SELECT given.id FROM ${GIVEN} STRAIGHT_JOIN ${ROWS}`,
  pruneLeaving: `DELETE FROM leaving_block WHERE store = ? AND round <= ?
    AND going_until <= ${SERVER_MS}`,
});

export class MariadbLeavingList implements LeavingList {
  readonly #session: OneSession;

  /** Its tables must be there: see ensureLeavingTables. Nothing is asked of the server yet. */
  constructor(parts: { address: ServerAddress; clock: Clock }) {
    this.#session = new OneSession({ ...parts, words: WORDS });
  }

  announce(store: string, ids: readonly BlockId[]): Promise<void> {
    return this.#session.transact(async (ask) => {
      await ask(SQL.leavingNext);
      const round = await roundOf(ask);
      for (let at = 0; at < ids.length; at += LISTED_PAGE_MAX) {
        const page = JSON.stringify(ids.slice(at, at + LISTED_PAGE_MAX));
        await ask(SQL.announceLeaving, { store, round, ids: page });
      }
    });
  }

  readRound(): Promise<number> {
    return this.#session.transact((ask) => roundOf(ask));
  }

  read(store: string): Promise<{ round: number; blocks: ListedRound[] }> {
    return this.#session.transact(async (ask) => {
      const round = await roundOf(ask);
      const rows = (await ask(SQL.readLeaving, store)).rows as [string, number][];
      const blocks = rows.map(([id, its]) => ({ id: id.toLowerCase() as BlockId, round: its }));
      return { round, blocks };
    });
  }

  take(store: string, ids: readonly BlockId[], round: number): Promise<BlockId[]> {
    return this.#changing(async (ask) => {
      const values = { store, round, ids: JSON.stringify(ids) };
      const found = idsIn(await ask(SQL.findLeaving, values));
      await ask(SQL.takeLeaving, values);
      return found;
    });
  }

  left(store: string, ids: readonly BlockId[]): Promise<void> {
    return this.#changing(async (ask) => {
      await ask(SQL.dropLeft, { store, ids: JSON.stringify(ids) });
    });
  }

  strike(store: string, ids: readonly BlockId[]): Promise<BlockId[]> {
    return this.#changing(async (ask) => {
      const values = { store, ids: JSON.stringify(ids) };
      await ask(SQL.strikeLeaving, values);
      return idsIn(await ask(SQL.findGoing, values));
    });
  }

  prune(store: string, round: number): Promise<void> {
    return this.#changing(async (ask) => {
      await ask(SQL.pruneLeaving, store, round);
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #changing<T>(act: (ask: AskOne) => Promise<T>): Promise<T> {
    return this.#session.transact(async (ask) => {
      await ask(SQL.leavingTurn);
      return act(ask);
    });
  }
}

async function roundOf(ask: AskOne): Promise<number> {
  const { rows: [[round] = [0]] } = await ask(SQL.leavingRound);
  return Number(round);
}

function idsIn({ rows }: { rows: unknown[][] }): BlockId[] {
  return rows.map(([id]) => id as BlockId);
}
