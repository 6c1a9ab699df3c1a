/**
 * Where the databases of a data directory are, as its file `database.json` says: written before
 * anything is kept on a MariaDB server, and compared with the settings at every start. Without it
 * they are SQLite files in the directory. The database says in turn whose it is, and says it first
 * (see metadata/stores/mariadb/installation.ts). So nobody starts with an empty tree because a
 * setting was changed.
 */
import { readdir, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { formatDatabaseUrl, isLoopback, isThere, readDatabaseSecrets } from '../platform/index.ts';
import type { DatabaseSettings, DatabaseUrl, Logger } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import { readJson, replaceJson, syncFolder } from '../storage/index.ts';
import { databaseRetries } from './database-retries.ts';

const NAME = 'database.json';
const FORMAT = 'holdfast-database';
const VERSION = 1;
const OP = 'app/openStores';

/** Files of the databases that a data directory without such a note holds. */
const FILES = ['metadata.db', 'identity.db'];

/** `mayTake`: what is missing may be made anew, as there is nothing to lose. */
export type DatabasePlace = { readonly mayTake: boolean } & (
  | { readonly kind: 'files' }
  | {
    readonly kind: 'mariadb';
    readonly address: ServerAddress;
    /** As the settings say it. */
    readonly url: string;
    /** Whose the database has to be. */
    readonly installation: string;
    /** The data directory says so already. */
    readonly isNoted: boolean;
    /** For how long an answer counts that no account has changed. */
    readonly accountsAgeMs: number;
  });

export interface DatabasePlaceOptions {
  readonly settings: DatabaseSettings | undefined;
  readonly installation: string;
  /** The data directory was never opened whole. */
  readonly isNew: boolean;
}

/** Changes nothing, and opens no connection.
 *  @throws conflict: the databases are elsewhere than the settings say; corrupt, invalid: the note,
 *  or a file that the settings name, cannot be understood. */
export async function findDatabasePlace(
  root: string, { settings, installation, isNew }: DatabasePlaceOptions,
): Promise<DatabasePlace> {
  const note = await findDatabaseNote(root, installation);
  const isNoted = note !== undefined;
  if (settings?.url === undefined) {
    if (isNoted) throw settingMissing(note.url);
    return { kind: 'files', mayTake: isNew };
  }
  const address = await addressOf(settings);
  const url = formatDatabaseUrl(settings.url);
  if (!isNoted && (!isNew || await hasFiles(root))) throw filesThere(url);
  const mayTake = isNew && !(await hasVolumes(root));
  const { accountsAgeMs } = settings;
  return { kind: 'mariadb', address, url, installation, mayTake, isNoted, accountsAgeMs };
}

/** Makes sure that directory and database belong together, before anything is opened there. Durable
 *  once resolved. Answers the place with what is known of the database by now: every connection to
 *  that address is refused where something else has come to be, whoever opens it.
 *  @throws as claimDatabase. */
export async function claimPlace<Place extends DatabasePlace>(
  root: string, place: Place,
): Promise<Place> {
  if (place.kind === 'files') return place;
  const { isNoted } = place;
  const { claimDatabase } = await import('../metadata/stores/mariadb/installation.ts');
  await claimDatabase(place.address, place);
  if (!isNoted) await noteDatabase(root, place);
  return { ...place, address: await knownAddress(place.address) };
}

/** The same for who works beside servers, on what is there: takes nothing and notes nothing.
 *  @throws as claimDatabase. */
export async function comparePlace<Place extends DatabasePlace>(place: Place): Promise<Place> {
  if (place.kind === 'files') return place;
  const { claimDatabase } = await import('../metadata/stores/mariadb/installation.ts');
  await claimDatabase(place.address, { installation: place.installation, mayTake: false });
  return { ...place, address: await knownAddress(place.address) };
}

async function knownAddress(address: ServerAddress): Promise<ServerAddress> {
  const { knowInstallation } = await import('../metadata/stores/mariadb/known-metadata.ts');
  return { ...address, known: await knowInstallation(address) };
}

/** From now on the databases of the directory are on MariaDB. Durable once resolved. */
export async function noteDatabase(
  root: string, { installation, url }: { installation: string; url: string },
): Promise<void> {
  const note = { format: FORMAT, version: VERSION, kind: 'mariadb', installation, url };
  await replaceJson(join(root, NAME), note);
}

/** From now on they are files. Durable once resolved. */
export async function forgetDatabase(root: string): Promise<void> {
  await rm(join(root, NAME), { force: true });
  await syncFolder(root);
}

/** A user with more rights than it needs makes every mistake worse; one that lacks some will miss
 *  them when tables are to be altered. Either serves. @throws as claimDatabase. */
export async function warnOfRights(
  place: { readonly kind: 'files' } | { readonly kind: 'mariadb'; readonly address: ServerAddress },
  { log, shard }: { log: Logger; shard: string },
): Promise<void> {
  if (place.kind === 'files') return;
  const { address } = place;
  const { explainedFault, readRights } = await import('../platform/mariadb/index.ts');
  const { tooMany, missing } = await readRights(address).catch((error: unknown) => {
    throw explainedFault(error, { op: OP, database: 'metadata database' });
  });
  const facts = (user: string, rights: readonly string[]) => (
    { shard, user, rights: rights.join(', ') });
  if (tooMany.length > 0) {
    log.warn(facts(address.user, tooMany), 'the database user has rights that serving does not '
      + 'need; docs/mariadb-users.md has the statements that make one without them');
  }
  if (missing.length > 0) {
    log.warn(facts(address.schemaUser?.user ?? '', missing), 'the user who makes and alters tables '
      + '(database.schema_user) lacks rights that this takes; docs/mariadb-users.md has the '
      + 'statement that gives them');
  }
}

/** Where servers listen of which the settings say no port. */
const PORT = 3306;

/** Where the settings say that the database is. @throws invalid: the files of its secrets; hosts
 *  without a name where certificates are asked for. */
export async function addressOf(
  settings: Omit<DatabaseSettings, 'accountsAgeMs' | 'returnAfterMs'>
    & Partial<Pick<DatabaseSettings, 'returnAfterMs'>>,
): Promise<ServerAddress> {
  const { url, returnAfterMs } = settings;
  const [first, ...others] = url?.hosts ?? [];
  if (url === undefined || first === undefined) throw settingMissing('');
  const { password, schemaUser, tlsCa } = await readDatabaseSecrets(settings);
  if (tlsCa !== undefined) checkNames(url.hosts);
  return {
    ...first, user: url.user, database: url.database, password,
    retries: databaseRetries.of(`${first.host}:${first.port ?? PORT}`).shared,
    ...(schemaUser !== undefined && { schemaUser }),
    ...(tlsCa !== undefined && { tlsCa }), ...(others.length > 0 && { others }),
    ...(returnAfterMs !== undefined && { returnAfterMs }),
  };
}

/** The driver would take the certificate of any `localhost` for that of a host without a name. */
function checkNames(hosts: DatabaseUrl['hosts']): void {
  const nameless = hosts.find(({ host }) => isIP(host) !== 0 && !isLoopback(host));
  if (nameless === undefined) return;
  throw new HoldfastError('invalid', OP, `${nameless.host} is the address of a database, and with `
    + 'database.tls_ca_path a server is known by its name. Say the name that its certificate is '
    + 'for, in place of the address.', { code: 'database-nameless' });
}

/** undefined: they are files. `url` is '' where an earlier version did not note it.
 *  @throws corrupt, invalid: the note cannot be understood. */
export async function findDatabaseNote(
  root: string, installation: string,
): Promise<{ url: string } | undefined> {
  let note: Record<string, unknown> | undefined;
  try {
    note = await readJson(join(root, NAME));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw notUnderstood(cause);
    throw cause;
  }
  if (note === undefined) return undefined;
  if (typeof note['version'] === 'number' && note['version'] > VERSION) {
    const message = `${NAME} was written by a newer version of Holdfast. Start that one or a later `
      + 'one. Nothing was changed.';
    throw new HoldfastError('invalid', OP, message, { code: 'newer-format' });
  }
  const isRight = note['format'] === FORMAT && note['version'] === VERSION
    && note['kind'] === 'mariadb' && note['installation'] === installation;
  if (!isRight) throw notUnderstood();
  return { url: typeof note['url'] === 'string' ? note['url'] : '' };
}

async function hasFiles(root: string): Promise<boolean> {
  for (const name of FILES) if (await isThere(join(root, name))) return true;
  return false;
}

async function hasVolumes(root: string): Promise<boolean> {
  const path = join(root, 'volumes');
  return await isThere(path) && (await readdir(path)).length > 0;
}

function filesThere(wanted: string): HoldfastError {
  const message = 'This data directory keeps accounts and metadata in files of its own '
    + `(${FILES.join(', ')}). With database.url = ${wanted} nothing of that would be seen. To `
    + 'carry it there, stop the server and say: holdfast database move --to mariadb --yes. Else '
    + 'leave database.url empty. Nothing was changed.';
  return new HoldfastError('conflict', OP, message, { code: 'database-changed' });
}

function settingMissing(url: string): HoldfastError {
  const message = 'The accounts and metadata of this data directory are in a MariaDB database, and '
    + `the settings name none. Set database.url ${url === '' ? 'to it, as it was' : `= ${url}`}, `
    + 'and database.password_path to the file of its password. Nothing was changed.';
  return new HoldfastError('conflict', OP, message, { code: 'database-changed' });
}

function notUnderstood(cause?: unknown): HoldfastError {
  const message = `${NAME} in the data directory is damaged, or of another data directory: it says `
    + 'where the metadata is. Put it back from a backup. Nothing was changed.';
  return new HoldfastError('corrupt', OP, message, { code: 'database-note-damaged', cause });
}
