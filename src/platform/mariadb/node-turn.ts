/**
 * What a process changes beside metadata, accounts and the directory of shards: its sign of life,
 * leases, webhooks and the like. It has a row of its own, which it raises with each of these, right
 * before it commits: nobody waits for anybody, also on a cluster. An older copy of the database
 * lacks the latest number, and is known by it: see known-database.ts. A sign of life is told every
 * second, so one that is older than that is known whatever it lacks.
 */
import type { KnownDatabase } from './known-database.ts';
import { keysOf, namedTable, valuesFor } from './named-sql.ts';
import type { Session } from './session.ts';

export const NODE_TURN_TABLES: Readonly<Record<string, string>> = {
  node_turn: `id VARCHAR(64) NOT NULL, turn BIGINT NOT NULL, raised_at BIGINT NOT NULL,
    PRIMARY KEY (id)`,
};

const SERVER_MS = 'CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)';
/** A process that was silent for so long is over, or has to be started anew. */
const KEEP_MS = 30 * 24 * 60 * 60 * 1000;
const SWEPT_MAX = 1_000;

const SQL = namedTable({
  raiseNodeTurn: `INSERT INTO node_turn (id, turn, raised_at)
    VALUES (?, LAST_INSERT_ID(1), ${SERVER_MS})
    ON DUPLICATE KEY UPDATE turn = LAST_INSERT_ID(turn + 1), raised_at = ${SERVER_MS}`,
  knownNodeTurn: 'SELECT turn FROM node_turn WHERE id = ?',
  sweepNodeTurns: `DELETE FROM node_turn WHERE raised_at < ${SERVER_MS} - ${KEEP_MS}
    ORDER BY id LIMIT ${SWEPT_MAX}`,
}, {
  owner: 'platform.known', tables: keysOf(NODE_TURN_TABLES),
  withoutKey: { sweepNodeTurns: 'it has a row for each process of a month' },
});

/** The row of this process. Plain data, so that it can be handed to a thread. */
export interface OwnTurn {
  readonly id: string;
  /** Whether the table is there, and turns are raised. */
  readonly isKept: SharedArrayBuffer;
}

export function newOwnTurn(id: string): OwnTurn {
  return { id, isKept: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) };
}

/** From now on this process raises its turn. The table is there. */
export async function keepTurns(
  session: Session, known: KnownDatabase | undefined,
): Promise<void> {
  await session.run(SQL.sweepNodeTurns.text);
  await session.run('COMMIT');
  if (known !== undefined) Atomics.store(new Int32Array(known.own.isKept), 0, 1);
}

function isKept(known: KnownDatabase | undefined): known is KnownDatabase {
  return known !== undefined && Atomics.load(new Int32Array(known.own.isKept), 0) === 1;
}

/** What a transaction says last, before it commits; LAST_INSERT_ID is given the number. undefined:
 *  this process keeps no turns. */
export function raisingTurn(
  known: KnownDatabase | undefined,
): { text: string; values: ReturnType<typeof valuesFor> } | undefined {
  if (!isKept(known)) return undefined;
  return { text: SQL.raiseNodeTurn.text, values: valuesFor(SQL.raiseNodeTurn, [known.own.id]) };
}

/** The number in the row of a process; undefined: there is none. */
export async function ownTurnOf(
  session: Session, { own }: KnownDatabase,
): Promise<number | undefined> {
  const { rows: [row] } = await session.execute(
    SQL.knownNodeTurn.text, valuesFor(SQL.knownNodeTurn, [own.id]));
  return row === undefined ? undefined : Number(row[0]);
}
