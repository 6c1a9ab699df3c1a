/** A MariaDB server of a test's own, and how the program is told to keep its metadata there. */
import { ScratchServer } from '../../src/platform/mariadb/testing/index.ts';
import { needPrograms } from './programs.ts';

/** Where the program under test keeps accounts and metadata. */
export type DatabaseKind = 'files' | 'mariadb';

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
    return new TestDatabase(server, database);
  }

  get url(): string {
    return `mariadb://root@127.0.0.1:${this.server.port}/${this.name}`;
  }

  /** For every command that works on the data directory. */
  get env(): Record<string, string> {
    return { HOLDFAST_DATABASE_URL: this.url };
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }
}
