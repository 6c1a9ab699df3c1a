/** A LeavingList in the directory database. Every transaction that changes it first raises the row
 *  of the rounds, so one comes after the other. */
import type { BlockId } from '../../../../base/ids.ts';
import type { Clock } from '../../../../platform/index.ts';
import {
  OneSession, keysOf, makeMissingTables, namedTable,
} from '../../../../platform/mariadb/index.ts';
import type { AskOne, ServerAddress, Session } from '../../../../platform/mariadb/index.ts';
import { GOING_MS, LISTED_MAX, LISTED_PAGE_MAX } from '../../leaving-list.ts';
import type { LeavingList, ListedRound } from '../../leaving-list.ts';

const WORDS = { op: 'storage/MariadbLeavingList', database: 'directory database' };

export const LEAVING_TABLES: Readonly<Record<string, string>> = {
  leaving_round: `name VARCHAR(8) NOT NULL, number BIGINT NOT NULL, turn BIGINT NOT NULL,
    PRIMARY KEY (name)`,
  leaving_block: `store VARCHAR(255) NOT NULL, id BINARY(32) NOT NULL, round BIGINT NOT NULL,
    going_until BIGINT NOT NULL, PRIMARY KEY (store, id)`,
};

/** Several may do this at once. */
export async function ensureLeavingTables(session: Session): Promise<void> {
  await makeMissingTables(session, LEAVING_TABLES);
  await session.run('INSERT IGNORE INTO leaving_round (name, number, turn) VALUES (\'all\', 0, 0)');
  await session.run('COMMIT');
}

const SERVER_MS = 'CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)';
/** Pages of less are filled up with their last id. */
const PLACES = Array.from({ length: LISTED_PAGE_MAX }, () => '?').join(', ');
const THESE = `store = ? AND id IN (${PLACES})`;
/** Rows of one statement. */
const ANNOUNCED_AT_ONCE = 1_000;

const SQL = namedTable({
  leavingTurn: 'UPDATE leaving_round SET turn = turn + 1 WHERE name = \'all\'',
  leavingNext: 'UPDATE leaving_round SET number = number + 1 WHERE name = \'all\'',
  leavingRound: 'SELECT number FROM leaving_round WHERE name = \'all\'',
  /** Ids as a JSON array of their digits. */
  announceLeaving: `INSERT IGNORE INTO leaving_block (store, id, round, going_until)
    SELECT ?1, UNHEX(given.id), ?2, 0
    FROM JSON_TABLE(?3, '$[*]' COLUMNS (id VARCHAR(64) PATH '$')) given`,
  readLeaving: 'SELECT HEX(id), round FROM leaving_block WHERE store = ?',
  findLeaving: `SELECT HEX(id) FROM leaving_block WHERE ${THESE}
    AND going_until <= ${SERVER_MS} AND round <= ?`,
  takeLeaving: `UPDATE leaving_block SET going_until = ${SERVER_MS} + ${GOING_MS} WHERE ${THESE}
    AND going_until <= ${SERVER_MS} AND round <= ?`,
  dropLeft: `DELETE FROM leaving_block WHERE ${THESE}`,
  strikeLeaving: `DELETE FROM leaving_block WHERE store = ? AND id = ?
    AND going_until <= ${SERVER_MS}`,
  findGoing: 'SELECT 1 FROM leaving_block WHERE store = ? AND id = ?',
  pruneLeaving: `DELETE FROM leaving_block WHERE store = ? AND round <= ?
    AND going_until <= ${SERVER_MS}`,
}, {
  owner: 'storage.shared', tables: keysOf(LEAVING_TABLES),
  rows: { announceLeaving: ANNOUNCED_AT_ONCE, pruneLeaving: LISTED_MAX },
});

export class MariadbLeavingList implements LeavingList {
  readonly #session: OneSession;

  /** Its tables must be there: see ensureLeavingTables. Nothing is asked of the server yet. */
  constructor(parts: { address: ServerAddress; clock: Clock }) {
    this.#session = new OneSession({ ...parts, words: WORDS, isKnown: true });
  }

  announce(store: string, ids: readonly BlockId[]): Promise<void> {
    return this.#session.transact(async (ask) => {
      await ask(SQL.leavingNext);
      const round = await roundOf(ask);
      for (let at = 0; at < ids.length; at += ANNOUNCED_AT_ONCE) {
        const page = JSON.stringify(ids.slice(at, at + ANNOUNCED_AT_ONCE));
        await ask(SQL.announceLeaving, store, round, page);
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
    if (ids.length === 0) return Promise.resolve([]);
    return this.#changing(async (ask) => {
      const values = [store, ...pageOf(ids), round];
      const { rows } = await ask(SQL.findLeaving, values);
      await ask(SQL.takeLeaving, values);
      return rows.map(([id]) => String(id).toLowerCase() as BlockId);
    });
  }

  async left(store: string, ids: readonly BlockId[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#changing((ask) => ask(SQL.dropLeft, [store, ...pageOf(ids)]));
  }

  strike(store: string, ids: readonly BlockId[]): Promise<BlockId[]> {
    return this.#changing(async (ask) => {
      const going: BlockId[] = [];
      for (const id of ids) {
        await ask(SQL.strikeLeaving, store, bytesOf(id));
        if ((await ask(SQL.findGoing, store, bytesOf(id))).rows.length > 0) going.push(id);
      }
      return going;
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

function bytesOf(id: BlockId): Buffer {
  return Buffer.from(id, 'hex');
}

/** As many as there are places. */
function pageOf(ids: readonly BlockId[]): Buffer[] {
  return Array.from({ length: LISTED_PAGE_MAX }, (_, at) =>
    bytesOf(ids[Math.min(at, ids.length - 1)] as BlockId));
}
