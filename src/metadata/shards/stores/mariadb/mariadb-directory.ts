/** A ShardDirectory in a database on a MariaDB server. */
import { HoldfastError } from '../../../../base/errors.ts';
import type { SpaceId, TenantId } from '../../../../base/ids.ts';
import type { Clock } from '../../../../platform/index.ts';
import {
  OneByOne, Session, checkSettings, explainedFault, noteLatest, patienceOfSmall, patiently,
  readSettings, valuesFor,
} from '../../../../platform/mariadb/index.ts';
import type { NamedSql, ServerAddress, SqlValue } from '../../../../platform/mariadb/index.ts';
import { directoryClosed } from '../../directory-refusals.ts';
import { RuledDirectory } from '../../directory-rules.ts';
import type {
  DirectoryRows, DirectoryTables, DirectoryWrite, Ruling,
} from '../../directory-rules.ts';
import { FIRST_SHARD } from '../../shard-directory.ts';
import type { DirectoryView, ShardRecord, ShardState } from '../../shard-directory.ts';
import {
  DIRECTORY_FORMAT, DIRECTORY_SQL as SQL, DIRECTORY_TABLES, createDirectoryTable,
} from './directory-schema.ts';

const OP = 'metadata/MariadbShardDirectory';
const WORDS = { op: OP, database: 'directory of shards' };
/** Of one question, making the connection included. The directory is small: who waits longer than
 *  this waits for a server that does not answer. */
const ANSWER_MS_MAX = 3_000;

export interface MariadbDirectoryOptions {
  address: ServerAddress;
  clock: Clock;
}

class MariadbTables implements DirectoryTables {
  readonly #options: MariadbDirectoryOptions;
  readonly #patience: ReturnType<typeof patienceOfSmall>;
  #session: Session | undefined;
  /** One question at a time has the session. */
  readonly #queue: OneByOne;
  #isClosed = false;

  constructor(options: MariadbDirectoryOptions) {
    this.#options = options;
    this.#patience = patienceOfSmall(options);
    this.#queue = new OneByOne({ clock: options.clock, words: WORDS });
  }

  readRev(): Promise<number> {
    return this.#inTurn(async (session) => {
      const [[rev]] = await ask(session, SQL.directoryRev) as [[number]];
      await session.run('COMMIT');
      return rev;
    });
  }

  read(): Promise<DirectoryView> {
    return this.#inTurn(async (session) => {
      const [[rev]] = await ask(session, SQL.directoryRev) as [[number]];
      const rows = await rowsOf(session);
      const moved = await ask(session, SQL.listMovedSpaces) as [SpaceId, TenantId][];
      await session.run('COMMIT');
      return { rev, ...rows, movedSpaces: moved.map(([spaceId, tenant]) => ({ spaceId, tenant })) };
    });
  }

  change<T>(rule: (rows: DirectoryRows) => Ruling<T>): Promise<T> {
    return this.#inTurn(async (session) => {
      await ask(session, SQL.raiseDirectoryRev);
      const { answer, write } = rule(await rowsOf(session));
      if (write === undefined) {
        await session.run('ROLLBACK');
        return answer;
      }
      const [[rev]] = await ask(session, SQL.directoryRev) as [[number]];
      await writeRows(session, write);
      await session.run('COMMIT');
      noteLatest(this.#options.address.known, 'directory', rev);
      return answer;
    });
  }

  /** One after the other; a refused or failed one leaves no transaction behind. */
  #inTurn<T>(act: (session: Session) => Promise<T>): Promise<T> {
    return this.#queue.run(() => this.#patiently(act));
  }

  async #patiently<T>(act: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await patiently(this.#patience, () => this.#inTime(act));
    } catch (error) {
      throw explainedFault(error, WORDS);
    }
  }

  async #inTime<T>(act: (session: Session) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw directoryClosed();
    const late = Promise.withResolvers<never>();
    const cancel = this.#options.clock.after(ANSWER_MS_MAX, () => late.reject(
      new HoldfastError('unavailable', OP, 'The directory of shards does not answer. Try again '
        + 'shortly.')));
    const work = this.#work(act);
    work.catch(() => undefined); // One that is late ends with its connection.
    try {
      return await Promise.race([work, late.promise]);
    } catch (error) {
      this.#drop();
      throw error;
    } finally {
      cancel();
    }
  }

  async #work<T>(act: (session: Session) => Promise<T>): Promise<T> {
    if (this.#session?.isCurrent === false) this.#drop();
    this.#session ??= await this.#open();
    return act(this.#session);
  }

  async #open(): Promise<Session> {
    const session = await Session.open(this.#options.address, 'write');
    if (!this.#isClosed) return session;
    session.destroy();
    throw directoryClosed();
  }

  #drop(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#drop();
    await this.#queue.idle();
  }
}

async function ask(
  session: Session, statement: NamedSql, ...values: SqlValue[]
): Promise<unknown[][]> {
  return (await session.execute(statement.text, valuesFor(statement, values))).rows;
}

type ShardRow = [number, string, string, string | null, ShardState, number];

async function rowsOf(session: Session): Promise<DirectoryRows> {
  const shards = (await ask(session, SQL.listShards) as ShardRow[]).map(
    ([number, name, url, passwordPath, state, madeAt]): ShardRecord => ({
      number, name, url, passwordPath: passwordPath ?? undefined, state, madeAt,
    }));
  const places = (await ask(session, SQL.listPlaces) as [TenantId, number, number][]).map(
    ([tenant, shard, epoch]) => ({ tenant, shard, epoch }));
  return { shards, places };
}

async function writeRows(
  session: Session, { shard, place, moved }: DirectoryWrite,
): Promise<void> {
  if (shard !== undefined) {
    const { number, name, url, passwordPath, state, madeAt } = shard;
    await ask(session, SQL.putShard, number, name, url, passwordPath ?? null, state, madeAt);
  }
  if (place !== undefined) {
    await ask(session, SQL.putPlace, place.tenant, place.shard, place.epoch);
  }
  if (moved !== undefined && moved.spaces.length > 0) {
    await ask(session, SQL.putMovedSpaces, moved.tenant, JSON.stringify(moved.spaces));
  }
}

/** Several may do this at once: each step is calm when it was done, and the format comes last. */
async function ensureTables(address: ServerAddress): Promise<void> {
  const session = await Session.open(address, 'schema');
  try {
    checkSettings(await readSettings(session));
    for (const [name, columns] of Object.entries(DIRECTORY_TABLES)) {
      await session.run(createDirectoryTable(name, columns, session.collation));
    }
    const { number, name, url, state, madeAt } = FIRST_SHARD;
    await ask(session, SQL.putFirstShard, number, name, url, null, state, madeAt);
    await ask(session, SQL.putDirectoryNumber, 'rev', 0);
    await ask(session, SQL.putDirectoryNumber, 'format', DIRECTORY_FORMAT);
    const [[format]] = await ask(session, SQL.directoryFormat) as [[number]];
    await session.run('COMMIT');
    if (format !== DIRECTORY_FORMAT) {
      throw new HoldfastError('invalid', OP, 'The directory of shards was written by a newer '
        + 'version. Start that version.', { code: 'format-newer' });
    }
  } finally {
    session.destroy();
  }
}

export class MariadbShardDirectory extends RuledDirectory {
  private constructor(options: MariadbDirectoryOptions) {
    super(new MariadbTables(options));
  }

  /** Makes its tables where they are not there yet. @throws unavailable; invalid: the server is
   *  not safe, or the tables are of a newer version. */
  static async open(options: MariadbDirectoryOptions): Promise<MariadbShardDirectory> {
    try {
      await ensureTables(options.address);
    } catch (error) {
      throw explainedFault(error, WORDS);
    }
    return new MariadbShardDirectory(options);
  }

  /** For who knows that its tables are there: nothing is asked of the server yet. */
  static of(options: MariadbDirectoryOptions): MariadbShardDirectory {
    return new MariadbShardDirectory(options);
  }
}
