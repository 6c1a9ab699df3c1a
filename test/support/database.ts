/** A MariaDB server of a test's own, and how the program is told to keep its metadata there: by two
 *  users with the least rights, as docs/mariadb-users.md says. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LEAST, ScratchServer, letLeastUsersIn } from '../../src/platform/mariadb/testing/index.ts';
import { needPrograms } from './programs.ts';

/** Where the program under test keeps accounts and metadata. */
export type DatabaseKind = 'files' | 'mariadb';

/** Files with the passwords of both. They go with the server. */
export function passwordFiles({ folder }: ScratchServer): { serving: string; schema: string } {
  const [serving, schema] = [LEAST, LEAST.schemaUser].map(({ user, password }) => {
    const path = join(folder, `${user}.password`);
    writeFileSync(path, `${password}\n`, { mode: 0o600 });
    return path;
  });
  return { serving: serving ?? '', schema: schema ?? '' };
}

export function urlOf(port: number, database: string): string {
  return `mariadb://${LEAST.user}@127.0.0.1:${port}/${database}`;
}

/** Settings of a program that reaches the server by a port, which may be that of a link. */
export function envOf(
  server: ScratchServer, database: string, port = server.port,
): Record<string, string> {
  const { serving, schema } = passwordFiles(server);
  return {
    HOLDFAST_DATABASE_URL: urlOf(port, database), HOLDFAST_DATABASE_PASSWORD_PATH: serving,
    HOLDFAST_DATABASE_SCHEMA_USER: LEAST.schemaUser.user,
    HOLDFAST_DATABASE_SCHEMA_PASSWORD_PATH: schema,
  };
}

export class TestDatabase {
  readonly server: ScratchServer;
  readonly name: string;

  private constructor(server: ScratchServer, name: string) {
    this.server = server;
    this.name = name;
  }

  static async start(): Promise<TestDatabase> {
    needPrograms('mariadbd');
    const server = await ScratchServer.start();
    const { database } = await server.makeDatabase();
    await letLeastUsersIn(server, database);
    return new TestDatabase(server, database);
  }

  /** For every command that works on the data directory. */
  get env(): Record<string, string> {
    return envOf(this.server, this.name);
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }
}
