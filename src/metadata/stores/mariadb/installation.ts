/**
 * A database knows whose it is: its table `installation` has one row, with the id of the
 * installation that made it. So no data directory works on the database of another one, and an
 * empty database is not taken for one whose files are all gone.
 */
import { HoldfastError } from '../../../base/errors.ts';
import { Session, binaryCollation, lookAtDatabase } from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { WORDS, explainedFault } from './faults.ts';

const TABLE = 'installation';
/** By name of the table: its columns and keys. */
export const INSTALLATION_TABLES: Readonly<Record<string, string>> = {
  [TABLE]: 'id SMALLINT NOT NULL, installation VARCHAR(64) NOT NULL, PRIMARY KEY (id)',
};
const OP = 'metadata/claimDatabase';

const GET = `/* holdfast:getInstallation */ SELECT installation FROM ${TABLE}
  WHERE id = 1`;
const PUT = `/* holdfast:putInstallation */ INSERT IGNORE INTO ${TABLE}
  (id, installation) VALUES (1, ?)`;

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
 *   name are wrong; conflict `database-of-another`, `database-unmarked`; not-found
 *   `database-empty`; unavailable `database-away`.
 */
export async function claimDatabase(address: ServerAddress, claim: Claim): Promise<void> {
  try {
    const session = await Session.open(address, 'schema');
    try {
      const { tables, isMariadb } = await lookAtDatabase(session, { ...WORDS, op: OP });
      if (tables.size === 0) await take(session, claim, isMariadb);
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

async function take(
  session: Session, { installation, mayTake }: Claim, isMariadb: boolean,
): Promise<void> {
  if (!mayTake) throw empty(installation);
  await session.run(`CREATE TABLE IF NOT EXISTS ${TABLE} (${INSTALLATION_TABLES[TABLE] ?? ''})
    ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=${binaryCollation(isMariadb)}`);
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
  const owner = String(row?.[0]);
  if (owner !== installation) throw anothers(owner, installation);
}

function anothers(owner: string, installation: string): HoldfastError {
  return new HoldfastError('conflict', OP,
    `This database belongs to another installation of Holdfast (${owner}); the data directory is `
    + `of ${installation}. Name the database that belongs to it in database.url, or start with the `
    + 'data directory that belongs to this database. Nothing was changed.',
    { code: 'database-of-another' });
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
