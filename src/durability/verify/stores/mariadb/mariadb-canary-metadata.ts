/**
 * The metadata of canaries on a MariaDB server: each in a database of its own beside the users', on
 * the same server and with the same tables, whose names nobody else has. So what is planted is read
 * as users' metadata is, and no statement that plants it could reach a user's row: a connection has
 * one database, and these are never opened on another. Temporary tables would go by themselves, but
 * each connection has its own, and where one were missing the user's table would be meant.
 *
 * Making databases is a right that Holdfast needs for nothing else: see docs/mariadb-users.md.
 */
import { createHash } from 'node:crypto';
import { assert } from '../../../../base/assert.ts';
import { HoldfastError } from '../../../../base/errors.ts';
import type { MetadataStore } from '../../../../metadata/index.ts';
import type { Clock } from '../../../../platform/index.ts';
import {
  asSchemaUser, explainedFault, serverFault, Session, withSession,
} from '../../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../../platform/mariadb/index.ts';
import type { CanaryMetadata } from '../../prove/canary-backends.ts';
import { mariadbMetadataEdits } from './mariadb-metadata-edits.ts';
import { MariadbJournalSource } from './mariadb-journal-source.ts';
import { MariadbManifestSource } from './mariadb-manifest-source.ts';

const OP = 'durability/MariadbCanaryMetadata';
const WORDS = { op: OP, database: 'database server' };
const PREFIX = 'holdfast_canary_';
const MARK_LETTERS = 8;
/** Making tables is what takes the time, and users wait behind it on a cluster. */
const LANE_COUNT = 2;
/** One that is held, the first canary, and a canary and its reader for each lane. */
const DATABASES_MAX = 2 + 2 * LANE_COUNT;
/** A right is lacking. */
const DENIED: readonly number[] = [1044, 1142, 1143, 1227];
const THERE_ALREADY = 1007;
/** Each database has its own: an open store learns by it that its tables were changed. */
const TURN = 'writer_turn';

export interface MariadbCanaryParts {
  /** Of the users' metadata: it says which server, and as whom. */
  readonly address: ServerAddress;
  /** In reports. */
  readonly name: string;
  readonly installation: string;
  readonly clock: Clock;
  /** All tables that `open` makes: what has others is not ours. */
  readonly tables: ReadonlySet<string>;
  /** As the program opens its metadata; makes what is missing. */
  readonly open: (address: ServerAddress) => Promise<MetadataStore>;
}

export class MariadbCanaryMetadata implements CanaryMetadata {
  readonly name: string;
  readonly laneCount = LANE_COUNT;
  readonly #parts: MariadbCanaryParts;
  readonly #prefix: string;
  readonly #byPath = new Map<string, string>();
  /** With tables, and with rows of no more use. */
  readonly #free: string[] = [];
  /** By database. Making a store takes longer than all that it is asked. */
  readonly #stores = new Map<string, MetadataStore>();
  #madeCount = 0;
  /** Those databases are ours to remove. */
  #hasBegun = false;
  /** Connected to a canary's database for as long as the proof goes on: so others see that it
   *  does. */
  #holder: Session | undefined;

  constructor(parts: MariadbCanaryParts) {
    this.#parts = parts;
    this.name = parts.name;
    const mark = createHash('sha256')
      .update(JSON.stringify([parts.installation, parts.address.database])).digest('hex');
    this.#prefix = `${PREFIX}${mark.slice(0, MARK_LETTERS)}_`;
  }

  async begin(): Promise<void> {
    await this.#onServer(async (session) => {
      await this.#checkAlone(session);
      await this.#removeAll(session);
      const held = await this.#make(session);
      this.#hasBegun = true;
      this.#holder = await Session.open({ ...this.#asMaker(), database: held }, 'schema');
      await this.#tryRights(session, held);
    });
  }

  /** The connections of a proof that was killed end with it. */
  async #checkAlone(session: Session): Promise<void> {
    const { rows: [row] } = await session.execute(
      'SELECT COUNT(*) FROM information_schema.processlist WHERE LEFT(db, ?) = ?',
      [this.#prefix.length, this.#prefix]);
    if (row?.[0] !== 0) throw this.#underWay();
  }

  #underWay(cause?: unknown): HoldfastError {
    return new HoldfastError('conflict', OP, `Another proof is under way on ${this.name}: somebody `
      + `uses a database ${this.#prefix}…. Wait until it has ended. Nothing was planted.`,
    { code: 'canary-in-use', cause });
  }

  /** Also those of a proof that was killed. */
  async #removeAll(session: Session): Promise<void> {
    const { rows } = await session.execute(
      'SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, ?) = ?',
      [this.#prefix.length, this.#prefix]);
    for (const [name] of rows as [string][]) {
      await this.#checkOurs(session, name);
      await session.run(`DROP DATABASE \`${name}\``);
    }
  }

  async #checkOurs(session: Session, database: string): Promise<void> {
    const strange = (await tablesOf(session, database))
      .find((table) => !this.#parts.tables.has(table));
    if (strange === undefined) return;
    throw new HoldfastError('conflict', OP, `The database ${database} has a table ${strange}, `
      + 'which no proof has made. Look whose it is and remove it by hand. Nothing was planted.',
    { code: 'canary-not-ours' });
  }

  /** All at once, so that nothing ends half way. */
  async #tryRights(session: Session, database: string): Promise<void> {
    const [table] = this.#parts.tables;
    const tried = `\`${database}\`.\`${table}\``;
    await session.run(`CREATE TABLE ${tried} (a INTEGER NOT NULL PRIMARY KEY)`);
    await session.run(`INSERT INTO ${tried} VALUES (1)`);
    await session.run(`UPDATE ${tried} SET a = 2`);
    await session.run(`SELECT a FROM ${tried}`);
    await session.run(`DELETE FROM ${tried}`);
    await session.run('COMMIT');
    await session.run(`DROP TABLE ${tried}`);
  }

  async #make(session: Session): Promise<string> {
    assert(this.#madeCount < DATABASES_MAX, 'a proof has few canaries at a time');
    const name = `${this.#prefix}${this.#madeCount}`;
    this.#madeCount += 1;
    await session.run(`CREATE DATABASE \`${name}\``);
    return name;
  }

  async open(path: string): Promise<MetadataStore> {
    if (!this.#byPath.has(path)) {
      this.#byPath.set(path, await this.#onServer((session) => this.#make(session)));
    }
    const database = this.#databaseOf(path);
    const store = this.#stores.get(database) ?? await this.#parts.open(this.#addressOf(path));
    this.#stores.set(database, store);
    return store;
  }

  /** Its store stays open: it serves whatever canary has the database next. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  openSource(path: string): MariadbManifestSource {
    return new MariadbManifestSource(this.#addressOf(path), this.#parts.clock);
  }

  openJournal(path: string): MariadbJournalSource {
    return new MariadbJournalSource(this.#addressOf(path), this.#parts.clock);
  }

  edit(path: string) {
    return mariadbMetadataEdits(this.#addressOf(path));
  }

  async copy(from: string, to: string): Promise<void> {
    await this.#onServer(async (session) => {
      const source = this.#databaseOf(from);
      const target = this.#byPath.get(to) ?? this.#free.pop()
        ?? await this.#makeLike(session, source);
      this.#byPath.set(to, target);
      for (const table of await filledTablesOf(session, target)) {
        if (table !== TURN) await session.run(`DELETE FROM \`${target}\`.\`${table}\``);
      }
      for (const table of await filledTablesOf(session, source)) {
        const said = table === TURN ? 'INSERT IGNORE' : 'INSERT';
        await session.run(`${said} INTO \`${target}\`.\`${table}\`
          SELECT * FROM \`${source}\`.\`${table}\``);
      }
      await session.run(`UPDATE \`${target}\`.\`${TURN}\` SET turn = turn + 1`);
    });
  }

  async #makeLike(session: Session, source: string): Promise<string> {
    const target = await this.#make(session);
    for (const table of await tablesOf(session, source)) {
      await session.run(
        `CREATE TABLE \`${target}\`.\`${table}\` LIKE \`${source}\`.\`${table}\``);
    }
    return target;
  }

  drop(path: string): Promise<void> {
    const name = this.#byPath.get(path);
    if (name !== undefined) this.#free.push(name); // The next copy replaces what is in it.
    this.#byPath.delete(path);
    return Promise.resolve();
  }

  async fingerprint(path: string): Promise<string> {
    const database = this.#databaseOf(path);
    return this.#onServer(async (session) => {
      const tables = (await tablesOf(session, database))
        .map((table) => `\`${database}\`.\`${table}\``);
      const { rows } = await session.run(`CHECKSUM TABLE ${tables.join(', ')}`);
      return JSON.stringify(rows.map(([, sum]) => sum));
    });
  }

  async end(): Promise<void> {
    if (!this.#hasBegun) return;
    await Promise.allSettled([...this.#stores.values()].map((store) => store.close()));
    await this.#onServer((session) => this.#removeAll(session));
    this.#holder?.destroy();
    this.#holder = undefined;
    this.#byPath.clear();
    this.#stores.clear();
    this.#free.length = 0;
    this.#madeCount = 0;
    this.#hasBegun = false;
  }

  #databaseOf(path: string): string {
    const name = this.#byPath.get(path);
    assert(name?.startsWith(this.#prefix) === true, 'a canary has a database of its own');
    return name;
  }

  /** Whoever makes tables, for all: one right less to give. */
  #addressOf(path: string): ServerAddress {
    return { ...this.#asMaker(), database: this.#databaseOf(path) };
  }

  #asMaker(): ServerAddress {
    const { schemaUser: _, ...maker } = asSchemaUser(this.#parts.address);
    return maker;
  }

  async #onServer<T>(act: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await withSession({ ...this.#asMaker(), database: '' }, 'schema', act);
    } catch (error) {
      const { errno = 0 } = serverFault(error) ?? {};
      if (DENIED.includes(errno)) throw this.#denied(error);
      if (errno === THERE_ALREADY) throw this.#underWay(error);
      throw explainedFault(error, WORDS);
    }
  }

  #denied(cause: unknown): HoldfastError {
    const { user } = this.#asMaker();
    return new HoldfastError('denied', OP, `On ${this.name}, faults are planted in databases of `
      + `their own beside the users', named ${PREFIX}…, and the database user ${user} may not make `
      + 'them. Let somebody who may give rights say on that server, with the host that the user '
      + `has there (SELECT user, host FROM mysql.user), and try again:\n  ${grantFor(user)}\n`
      + 'Or say --on-files: that proves the verifiers on metadata in files alone. Nothing was '
      + 'planted.', { code: 'canary-denied', cause });
  }
}

/** As docs/mariadb-users.md has it. A `_` in the name of a database stands for any letter. */
function grantFor(user: string): string {
  const pattern = `${PREFIX}%`.replaceAll('_', '\\_');
  return 'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP '
    + `ON \`${pattern}\`.* TO '${user}'@'HOST';`;
}

/** Those with any row. */
async function filledTablesOf(session: Session, database: string): Promise<string[]> {
  const questions = (await tablesOf(session, database)).map((table) =>
    `SELECT '${table}' FROM DUAL WHERE EXISTS (SELECT 1 FROM \`${database}\`.\`${table}\`)`);
  const { rows } = await session.run(questions.join(' UNION ALL '));
  return rows.map(([name]) => String(name));
}

async function tablesOf(session: Session, database: string): Promise<string[]> {
  const { rows } = await session.execute(
    'SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY table_name',
    [database]);
  return rows.map(([name]) => String(name));
}
