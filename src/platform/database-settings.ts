/** Which database keeps the metadata: the files of the data directory, or one on MariaDB. */
import { isIP } from 'node:net';
import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../base/errors.ts';
import { flag, integer, optionalText } from './config/parsers.ts';
import { SettingError, setting, slice } from './config/setting.ts';
import type { RawValue, ValuesOf } from './config/setting.ts';
import { formatListenAddress, isLoopback } from './server-settings.ts';

const DEFAULT_PORT = 3306;
const HOSTS_MAX = 16;
const USER = /^[\w.-]{1,80}$/;
const DATABASE = /^\w[\w-]{0,63}$/;
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?))(?::(\d{1,5}))?$/i;
const EXAMPLE = 'mariadb://holdfast@db.example.org:3306/holdfast';
const SECRET_BYTES_MAX = 4_096;
const ACCOUNTS_AGE_MAX_MS = 60_000;
const RETURN_AFTER_MS = 60_000;
const RETURN_AFTER_MAX_MS = 60 * 60_000;

export interface DatabaseHost {
  readonly host: string;
  readonly port: number;
}

export interface DatabaseUrl {
  readonly user: string;
  /** In the order in which they are tried. */
  readonly hosts: readonly DatabaseHost[];
  readonly database: string;
}

/** `mariadb://user@host1,host2:3306/database`. The message never repeats what was said: there may
 *  be a password in it. @throws SettingError. */
export function parseDatabaseUrl(raw: RawValue): DatabaseUrl | undefined {
  const value = optionalText(raw);
  if (value === undefined) return undefined;
  const [, scheme, rest = ''] = /^([a-z]+):\/\/(.*)$/i.exec(value) ?? [];
  if (scheme !== 'mariadb' && scheme !== 'mysql') {
    throw new SettingError(`must begin with mariadb:// or mysql://, such as ${EXAMPLE}`);
  }
  const at = rest.lastIndexOf('@');
  const [user, ...secret] = rest.slice(0, Math.max(at, 0)).split(':');
  if (secret.length > 0) {
    throw new SettingError('must not hold a password, since settings are shown and logged. Write '
      + 'the password into a file of its own and name that file: database.password_path');
  }
  const [, places = '', database = ''] = /^([^/]*)\/([^/]*)$/.exec(rest.slice(at + 1)) ?? [];
  if (user === undefined || !USER.test(user)) {
    throw new SettingError(`must name a user, in letters, digits, ".", "_" and "-": ${EXAMPLE}`);
  }
  if (!DATABASE.test(database)) {
    throw new SettingError('must end with the name of a database, in letters, digits, "_" and '
      + `"-", and nothing behind it: ${EXAMPLE}`);
  }
  return { user, hosts: parseHosts(places), database };
}

/** @throws SettingError. */
function parseUser(raw: RawValue): string | undefined {
  const user = optionalText(raw);
  if (user === undefined || USER.test(user)) return user;
  throw new SettingError('must be the name of a database user, in letters, digits, ".", "_" and '
    + '"-", such as hf_ddl');
}

function parseHosts(places: string): DatabaseHost[] {
  const parts = places.split(',');
  if (parts.length > HOSTS_MAX) throw new SettingError(`can name ${HOSTS_MAX} hosts at most`);
  return parts.map((part) => {
    const [, bracketed, plain, digits] = HOST.exec(part) ?? [];
    const host = bracketed ?? plain;
    const port = Number(digits ?? DEFAULT_PORT);
    const isRight = host !== undefined && port > 0 && port <= 65_535
      && (bracketed === undefined || isIP(bracketed) === 6);
    if (isRight) return { host, port };
    throw new SettingError('must name hosts, by commas, each with or without a port: '
      + 'mariadb://holdfast@db1,db2:3307,[fd00::1]:3306/holdfast');
  });
}

export function formatDatabaseUrl(url: DatabaseUrl | undefined): string {
  if (url === undefined) return '';
  const { user, hosts, database } = url;
  return `mariadb://${user}@${hosts.map(formatListenAddress).join(',')}/${database}`;
}

const SETTINGS = {
  url: setting<DatabaseUrl | undefined>({
    key: 'database.url', default: undefined, parse: parseDatabaseUrl, format: formatDatabaseUrl,
    docs: 'The MariaDB or MySQL database that keeps the metadata, for example '
      + '`mariadb://holdfast@db.example.org:3306/holdfast`; several hosts of one cluster go by '
      + 'commas. What is in files already is carried there first: see docs/mariadb.md. Left '
      + 'empty: SQLite, in the data directory.',
  }),
  passwordPath: setting<string | undefined>({
    key: 'database.password_path', default: undefined, parse: optionalText,
    docs: 'A file with the password of that user and nothing else. Left empty: without a password.',
  }),
  schemaUser: setting<string | undefined>({
    key: 'database.schema_user', default: undefined, parse: parseUser,
    docs: 'The user who makes and alters tables and triggers, on every database of this '
      + 'installation, in place of the one that the addresses name: that one then needs no more '
      + 'than to read and change rows. See docs/mariadb-users.md. Left empty: one user for all.',
  }),
  schemaPasswordPath: setting<string | undefined>({
    key: 'database.schema_password_path', default: undefined, parse: optionalText,
    docs: 'A file with the password of database.schema_user and nothing else. Left empty: without '
      + 'a password.',
  }),
  tlsCaPath: setting<string | undefined>({
    key: 'database.tls_ca_path', default: undefined, parse: optionalText,
    docs: 'Certificates (PEM) of the authority that vouches for the database server. With them the '
      + 'connection is encrypted, and a server that cannot show such a certificate for its name is '
      + 'not spoken to.',
  }),
  isUnencrypted: setting<boolean>({
    key: 'database.unencrypted', default: false, parse: flag,
    docs: 'Lets the database be on another machine without TLS: who taps the network between the '
      + 'two reads names, shares and hashed passwords, and can change them.',
  }),
  accountsAgeMs: setting<number>({
    key: 'database.accounts_age_ms', default: 0,
    parse: integer({ min: 0, max: ACCOUNTS_AGE_MAX_MS }),
    docs: 'For how many milliseconds an answer of the database counts that no account has changed. '
      + '0: every request asks, so that who was disabled or got a new password at one server is '
      + 'refused by the next request at all others. Where the database is tens of milliseconds '
      + 'away, 1000 saves most requests that round trip; who was disabled elsewhere is let in that '
      + 'long.',
  }),
  returnAfterMs: setting<number>({
    key: 'database.return_after_ms', default: RETURN_AFTER_MS,
    parse: integer({ min: 0, max: RETURN_AFTER_MAX_MS }),
    docs: 'Where database.url names several nodes of a cluster: for how many milliseconds one that '
      + 'comes before the one in use has to have been well until it is used again. 0: it is not, '
      + 'until the next start. See docs/galera.md.',
  }),
};

export type DatabaseSettings = ValuesOf<typeof SETTINGS>;

export const databaseSlice = slice({
  settings: SETTINGS,
  check({ url, passwordPath, tlsCaPath, isUnencrypted, schemaUser, schemaPasswordPath }) {
    const wrong = schemaUserProblem({ url, schemaUser, schemaPasswordPath });
    if (wrong !== undefined) return [wrong];
    if (url === undefined) {
      // All others hold for databases that are added as shards, too.
      if (passwordPath === undefined) return [];
      const key = 'database.password_path';
      const problem = `${key} is said, but database.url is not: which database is it for?`;
      return [{ key, problem }];
    }
    const far = url.hosts.find(({ host }) => !isLoopback(host));
    if (far === undefined || tlsCaPath !== undefined || isUnencrypted) return [];
    const problem = `the database is on another machine (${far.host}), and the connection is not `
      + 'encrypted. Name the certificate of its authority: database.tls_ca_path, or say '
      + 'database.unencrypted = true if nobody can tap that network';
    return [{ key: 'database.url', problem }];
  },
});

function schemaUserProblem(
  { url, schemaUser, schemaPasswordPath }: Pick<
    DatabaseSettings, 'url' | 'schemaUser' | 'schemaPasswordPath'>,
): { key: string; problem: string } | undefined {
  if (schemaUser === undefined && schemaPasswordPath !== undefined) {
    const key = 'database.schema_password_path';
    return { key, problem: `${key} is said, but database.schema_user is not: whose is it?` };
  }
  if (schemaUser === undefined || schemaUser !== url?.user) return undefined;
  const problem = 'is the user that database.url names, who then has all rights all day. Make a '
    + 'second one (docs/mariadb-users.md), or leave it empty';
  return { key: 'database.schema_user', problem };
}

/** What lies in the files that the settings name. */
export interface DatabaseSecrets {
  readonly password: string;
  /** Of `database.schema_user`; undefined without one. */
  readonly schemaUser: { readonly user: string; readonly password: string } | undefined;
  /** PEM. */
  readonly tlsCa: string | undefined;
}

/** @throws invalid: a file cannot be read, or cannot be what it is said to be. */
export async function readDatabaseSecrets(
  { passwordPath, tlsCaPath, schemaUser, schemaPasswordPath }: Pick<
    DatabaseSettings, 'passwordPath' | 'tlsCaPath' | 'schemaUser' | 'schemaPasswordPath'>,
): Promise<DatabaseSecrets> {
  const password = await readPassword(passwordPath, 'database.password_path');
  const ofSchema = schemaUser === undefined ? undefined : {
    user: schemaUser,
    password: await readPassword(schemaPasswordPath, 'database.schema_password_path'),
  };
  const tlsCa = tlsCaPath === undefined ? undefined
    : await readSecret(tlsCaPath, 'database.tls_ca_path');
  if (tlsCa !== undefined && !tlsCa.includes('-----BEGIN CERTIFICATE-----')) {
    throw unusable('database.tls_ca_path', 'holds no certificate in PEM');
  }
  return { password, schemaUser: ofSchema, tlsCa };
}

async function readPassword(path: string | undefined, key: string): Promise<string> {
  if (path === undefined) return '';
  const line = (await readSecret(path, key)).replace(/\r?\n$/, '');
  if (/[\r\n\0]/.test(line) || Buffer.byteLength(line) > SECRET_BYTES_MAX) {
    throw unusable(key, 'must hold the password in one line, and no more');
  }
  if (line === '') throw unusable(key, 'is empty: write the password into it');
  return line;
}

async function readSecret(path: string, key: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = String((cause as NodeJS.ErrnoException).code ?? 'unknown');
    throw unusable(key, `cannot be read (${code})`, cause);
  }
}

function unusable(key: string, what: string, cause?: unknown): HoldfastError {
  return new HoldfastError('invalid', 'platform/readDatabaseSecrets',
    `The file that ${key} names ${what}.`, { code: 'database-secret', cause });
}
