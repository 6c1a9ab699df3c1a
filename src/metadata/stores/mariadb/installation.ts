/**
 * A database knows whose it is: its table `installation` has one row, with the id of the
 * installation that made it. So no data directory works on the database of another one, and an
 * empty database is not taken for one whose files are all gone.
 */
import { HoldfastError } from '../../../base/errors.ts';
import {
  Session, lookAtDatabase, underSchemaLock, withSession,
} from '../../../platform/mariadb/index.ts';
import type { AskRows, ServerAddress } from '../../../platform/mariadb/index.ts';
import { checkShardNumber } from '../../shard-number.ts';
import { WORDS, explainedFault } from './faults.ts';

const TABLE = 'installation';
/** By name of the table: its columns and keys. */
export const INSTALLATION_TABLES: Readonly<Record<string, string>> = {
  [TABLE]: 'id SMALLINT NOT NULL, installation VARCHAR(64) NOT NULL, PRIMARY KEY (id)',
};
const OP = 'metadata/claimDatabase';

/** How far a database is its installation's: as a whole; it is being filled from files; what is in
 *  it is being carried to files; it was. Servers take only whole ones. */
export type DatabaseMark = 'whole' | 'filling' | 'leaving' | 'left';

export interface DatabaseOwner {
  readonly installation: string;
  readonly mark: DatabaseMark;
}

const GET = `/* holdfast:getInstallation */ SELECT installation FROM ${TABLE}
  WHERE id = 1`;
const PUT = `/* holdfast:putInstallation */ INSERT IGNORE INTO ${TABLE}
  (id, installation) VALUES (1, ?)`;
const SET = `/* holdfast:setInstallation */ UPDATE ${TABLE} SET installation = ?
  WHERE id = 1`;

const LIST_TABLES = `/* holdfast:hasInstallation */ SELECT table_name FROM information_schema.tables
  WHERE table_schema = DATABASE()`;
const GET_SHARD = '/* holdfast:getShard */ SELECT value FROM meta WHERE name = \'shard\'';
/** For somebody who is altering the tables. */
const LOCK_WAIT_S = 3;

export interface Claim {
  /** Whose the database is to be. */
  readonly installation: string;
  /** Whether an empty database may become that one's. */
  readonly mayTake: boolean;
}

/**
 * Looks whether the server's settings are safe, and whether the database belongs to this
 * installation; an empty one is made its own, if it may be. Durable once resolved, and may be done
 * again at any time.
 * @throws invalid `metadata-unsafe-server`: with every reason; `database-not-ours`: it is another
 *   program's; unavailable `database-refused`: the user, its password or rights, or the database's
 *   name are wrong; conflict `database-of-another`, `database-unmarked`, `database-filling`,
 *   `database-leaving`, `database-left`; not-found `database-empty`; unavailable `database-away`.
 */
export async function claimDatabase(address: ServerAddress, claim: Claim): Promise<void> {
  try {
    const session = await Session.open(address, 'schema');
    try {
      const { tables } = await lookAtDatabase(session, { ...WORDS, op: OP });
      if (tables.size === 0) await take(session, claim);
      else if (!tables.has(TABLE)) throw unmarked();
      await compare(session, claim);
      await session.run('COMMIT');
    } finally {
      await session.end();
    }
  } catch (error) {
    throw explainedFault(error);
  }
}

/** Whose a database is; undefined: it is empty. Changes nothing.
 *  @throws as claimDatabase, but for what it says of other installations. */
export async function findOwner(address: ServerAddress): Promise<DatabaseOwner | undefined> {
  return withDatabase(address, async (session) => {
    const { tables } = await lookAtDatabase(session, { ...WORDS, op: OP });
    if (tables.size === 0) return undefined;
    if (!tables.has(TABLE)) throw unmarked();
    const { rows: [row] } = await session.run(GET);
    return row === undefined ? undefined : ownerOf(String(row[0]));
  });
}

/** What a database has to be for whoever works on its tables beside the servers. */
export interface WantedDatabase {
  readonly installation: string;
  readonly shard: number;
}

/** Of another installation or shard it is never. Changes nothing.
 *  @throws conflict `database-of-another`; invalid `metadata-other-shard`. */
export async function checkNotAnothers(ask: AskRows, wanted: WantedDatabase): Promise<void> {
  await compareWith(ask, wanted);
}

/** For who is about to alter its tables, under the lock of schema-lock.ts: it is wholly this one.
 *  Changes nothing. @throws as checkNotAnothers; conflict `database-unmarked`, `database-left`,
 *  `database-leaving`, `database-filling`; not-found `database-empty`. */
export async function checkWhole(ask: AskRows, wanted: WantedDatabase): Promise<void> {
  const { tables, owner } = await compareWith(ask, wanted);
  if (tables.size === 0) throw empty(wanted.installation);
  if (owner === undefined) throw unmarked();
  if (owner.mark !== 'whole') throw onTheMove(owner.mark);
}

async function compareWith(
  ask: AskRows, { installation, shard }: WantedDatabase,
): Promise<{ tables: ReadonlySet<string>; owner: DatabaseOwner | undefined }> {
  const tables = new Set((await ask(LIST_TABLES)).map(([name]) => String(name)));
  const [row] = tables.has(TABLE) ? await ask(GET) : [];
  const owner = row && ownerOf(String(row[0]));
  if (owner !== undefined && owner.installation !== installation) {
    throw anothers(owner.installation, installation);
  }
  // Tables that are just being made do not say it yet.
  const [number] = tables.has('meta') ? await ask(GET_SHARD) : [];
  if (number !== undefined) checkShardNumber(Number(number[0]), shard);
  return { tables, owner };
}

/** For who knows from findOwner that it is empty or the installation's own. Durable once resolved;
 *  then nobody is altering its tables, and whoever is about to sees it.
 *  @throws unavailable; busy `schema-locked`. */
export async function markDatabase(
  address: ServerAddress, { installation, mark }: DatabaseOwner,
): Promise<void> {
  await withDatabase(address, async (session) => {
    await lookAtDatabase(session, { ...WORDS, op: OP });
    const text = mark === 'whole' ? installation : `${mark}:${installation}`;
    const rows: AskRows = async (question) => (await session.run(question)).rows;
    await underSchemaLock(rows, { op: OP, waitS: LOCK_WAIT_S }, async () => {
      await take(session, { installation: text, mayTake: true });
      await session.execute(SET, [text]);
      await session.run('COMMIT');
    });
  });
}

/** By name of the table: the number of its last turn. */
export type DatabaseTurns = Readonly<Record<string, number>>;

/** Of tables whose one row is raised by each change, by whomever. @throws unavailable. */
export async function readTurns(
  address: ServerAddress, tables: readonly string[],
): Promise<DatabaseTurns> {
  return withDatabase(address, async (session) => {
    const turns: Record<string, number> = {};
    for (const table of tables) turns[table] = await turnOf(session, table) ?? NaN;
    return turns;
  });
}

/** Marks a database as left and takes the turns away, all at once: so whoever opened it before is
 *  refused from then on. Answers false, and changes nothing, when somebody has written since these
 *  turns were read. Durable once resolved. @throws unavailable. */
export async function leaveDatabase(
  address: ServerAddress, { installation, turns }: { installation: string; turns: DatabaseTurns },
): Promise<boolean> {
  return withDatabase(address, async (session) => {
    const tables = Object.keys(turns);
    for (const table of tables) {
      if (await turnOf(session, table, ' FOR UPDATE') !== turns[table]) return false;
    }
    for (const table of tables) await session.run(`/* holdfast:endTurns */ DELETE FROM ${table}`);
    await session.execute(SET, [`left:${installation}`]);
    return true;
  });
}

async function turnOf(session: Session, table: string, lock = ''): Promise<number | undefined> {
  const { rows: [row] } = await session.run(
    `/* holdfast:getTurn */ SELECT turn FROM ${table} WHERE id = 1${lock}`);
  return row === undefined ? undefined : Number(row[0]);
}

async function withDatabase<T>(
  address: ServerAddress, act: (session: Session) => Promise<T>,
): Promise<T> {
  try {
    return await withSession(address, 'schema', act);
  } catch (error) {
    throw explainedFault(error);
  }
}

function ownerOf(text: string): DatabaseOwner {
  const [, mark, rest] = /^(filling|leaving|left):(.*)$/.exec(text) ?? [];
  return rest === undefined ? { installation: text, mark: 'whole' }
    : { installation: rest, mark: mark as DatabaseMark };
}

async function take(session: Session, { installation, mayTake }: Claim): Promise<void> {
  if (!mayTake) throw empty(installation);
  await session.run(`CREATE TABLE IF NOT EXISTS ${TABLE} (${INSTALLATION_TABLES[TABLE] ?? ''})
    ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=${session.collation}`);
  await session.execute(PUT, [installation]);
  await session.run('COMMIT');
}

async function compare(session: Session, { installation, mayTake }: Claim): Promise<void> {
  let { rows: [row] } = await session.run(GET);
  if (row === undefined) {
    // Whoever began to take it was stopped between the table and the row.
    if (!mayTake) throw empty(installation);
    await session.execute(PUT, [installation]);
    ({ rows: [row] } = await session.run(GET));
  }
  const owner = ownerOf(String(row?.[0]));
  if (owner.installation !== installation) throw anothers(owner.installation, installation);
  if (owner.mark !== 'whole') throw onTheMove(owner.mark);
}

function anothers(owner: string, installation: string): HoldfastError {
  return new HoldfastError('conflict', OP,
    `This database belongs to another installation of Holdfast (${owner}); the data directory is `
    + `of ${installation}. Name the database that belongs to it in database.url, or start with the `
    + 'data directory that belongs to this database. Nothing was changed.',
    { code: 'database-of-another' });
}

const ON_THE_MOVE = {
  filling: 'This database is being filled from files, and is not whole: what counts is still in '
    + 'the files. Go on with: holdfast database move --to mariadb --yes. Or stay with the files: '
    + 'take database.url out of the settings.',
  leaving: 'What is in this database is being carried to files. Go on with: holdfast database move '
    + '--to files --yes. Or stay with the database: holdfast database move --to mariadb --yes.',
  left: 'What was in this database has been carried to files. If that was cut short, end it with: '
    + 'holdfast database move --to files --yes. Then take database.url out of the settings.',
};

function onTheMove(mark: keyof typeof ON_THE_MOVE): HoldfastError {
  return new HoldfastError('conflict', OP, `${ON_THE_MOVE[mark]} Nothing was changed.`,
    { code: `database-${mark}` });
}

function unmarked(): HoldfastError {
  return new HoldfastError('conflict', OP,
    'This database has tables of Holdfast, and none that says whose it is: it is a shard, or was '
    + 'restored in part. Name another one in database.url, or restore it as a whole. Nothing was '
    + 'changed.', { code: 'database-unmarked' });
}

function empty(installation: string): HoldfastError {
  return new HoldfastError('not-found', OP,
    'This database is empty, but there are files already: what this installation '
    + `(${installation}) knows of them is in another database. Name that one in database.url, or `
    + 'restore it from a backup. Nothing was changed.', { code: 'database-empty' });
}
