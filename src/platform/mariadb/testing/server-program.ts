/**
 * Which program a test's own server is: Debian's mariadbd, unless the test file was given another
 * one, as `node FILE.test.ts --mysqld=PATH`. PATH is a mysqld, or a folder into which its packages
 * and those of all its libraries were extracted: then it runs with these libraries, and nothing of
 * it need be installed.
 */
import { accessSync, constants, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** What a server is told of its place. */
export interface ServerPlace {
  data: string;
  temporary: string;
}

export interface ServerProgram {
  readonly name: 'mariadbd' | 'mysqld';
  /** What is run, and the words for it, to make a data directory whose `root` has no password and
   *  may come from 127.0.0.1. */
  toMake(place: ServerPlace): readonly string[];
  toServe(place: ServerPlace): readonly string[];
}

/** The superuser has to say so; anybody else runs it as what he is. */
const AS_ROOT = process.getuid?.() === 0 ? ['--user=root'] : [];

export function program(name: string): string {
  for (const folder of ['/usr/sbin', '/usr/bin', '/usr/libexec', '/usr/local/bin']) {
    if (isProgram(join(folder, name))) return join(folder, name);
  }
  throw new Error(`Missing: ${name}. Install it with: apt-get install mariadb-server`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/** As the command line of this process says. */
export function chosenProgram(words: readonly string[] = process.argv.slice(2)): ServerProgram {
  const { values: { mysqld } } = parseArgs({
    args: [...words], options: { mysqld: { type: 'string' } }, strict: false,
  });
  return typeof mysqld === 'string' ? mysqlProgram(mysqld) : MARIADB;
}

const MARIADB: ServerProgram = {
  name: 'mariadbd',
  toMake: ({ data, temporary }) => [program('mariadb-install-db'), '--no-defaults',
    `--datadir=${data}`, `--tmpdir=${temporary}`, '--auth-root-authentication-method=normal',
    '--skip-test-db', ...AS_ROOT],
  toServe: ({ data, temporary }) => [program('mariadbd'), '--no-defaults', ...AS_ROOT,
    `--datadir=${data}`, `--tmpdir=${temporary}`, '--innodb-log-file-size=32M'],
};

/** The user that an initialized server has may come by its socket alone. */
const LET_ROOT_IN = `CREATE USER root@'127.0.0.1' IDENTIFIED BY '';
GRANT ALL PRIVILEGES ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
`;

/** `begin`: how the program is begun for whatever it is to do. @throws Error: there is none. */
export function mysqlProgram(
  path: string,
): ServerProgram & { readonly begin: readonly string[] } {
  const begin = [...startOf(path), ...AS_ROOT, '--secure-file-priv=NULL'];
  return {
    name: 'mysqld', begin,
    toMake: ({ data, temporary }) => {
      const first = join(temporary, 'first.sql');
      writeFileSync(first, LET_ROOT_IN);
      return [...begin, '--initialize-insecure', `--init-file=${first}`, `--datadir=${data}`,
        `--tmpdir=${temporary}`, '--innodb-redo-log-capacity=32M'];
    },
    // Triggers are made by users with few rights, which a binary log would forbid:
    // docs/mariadb-users.md says what to do about it.
    toServe: ({ data, temporary }) => [...begin, `--datadir=${data}`, `--tmpdir=${temporary}`,
      '--innodb-redo-log-capacity=32M', '--mysqlx=OFF', '--log-bin-trust-function-creators=ON'],
  };
}

function startOf(path: string): readonly string[] {
  if (isProgram(path)) return [path, '--no-defaults'];
  const mysqld = join(path, 'usr/sbin/mysqld');
  if (!isProgram(mysqld)) {
    throw new Error(`Missing: ${path} is neither a mysqld nor a folder with usr/sbin/mysqld in it`);
  }
  const loader = filesIn(join(path, 'usr/lib64')).find((name) => /^ld-linux.*\.so/.test(name));
  if (loader === undefined) throw new Error(`Missing: ${path} has no loader (package libc6)`);
  const libraries = filesIn(join(path, 'usr/lib')).filter((name) => name.endsWith('-linux-gnu'));
  return [join(path, 'usr/lib64', loader), '--library-path',
    libraries.map((name) => join(path, 'usr/lib', name)).join(':'), mysqld,
    '--no-defaults', `--basedir=${join(path, 'usr')}`];
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error) return [];
    throw error;
  }
}
