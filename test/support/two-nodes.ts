/** Two servers on one MariaDB database and one bucket, of a test's own. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ScratchServer, letLeastUsersIn } from '../../src/platform/mariadb/testing/index.ts';
import { S3rver, S3RVER_BUCKET, S3RVER_KEY } from '../../src/storage/backends/s3/testing/s3rver.ts';
import { run } from './command.ts';
import type { Outcome } from './command.ts';
import { envOf, passwordFiles, urlOf } from './database.ts';
import { scratchFolder } from './scratch.ts';
import { PROGRAM } from './server.ts';
import type { serverForTests, TestServer } from './server.ts';

const COMMAND_MS = 90_000;

export class TwoNodes {
  readonly mariadb: ScratchServer;
  readonly s3: S3rver;
  /** Of every server and command, but for the node's name. */
  readonly env: Record<string, string>;
  one!: TestServer;
  two!: TestServer;

  private constructor(mariadb: ScratchServer, s3: S3rver, env: Record<string, string>) {
    this.mariadb = mariadb;
    this.s3 = s3;
    this.env = env;
  }

  /** `ofOne` is for the first server alone. Whatever was started is stopped again by `stop`, also
   *  behind a failure. */
  static async start(
    servers: ReturnType<typeof serverForTests>, more: Readonly<Record<string, string>> = {},
    ofOne: Readonly<Record<string, string>> = {},
  ): Promise<TwoNodes> {
    const mariadb = await ScratchServer.start();
    const s3 = await S3rver.start();
    const { database } = await mariadb.makeDatabase();
    await letLeastUsersIn(mariadb, database);
    const nodes = new TwoNodes(mariadb, s3, {
      ...envOf(mariadb, database),
      HOLDFAST_STORAGE_BACKEND: 's3', HOLDFAST_STORAGE_S3_ENDPOINT: s3.url,
      HOLDFAST_STORAGE_S3_BUCKET: S3RVER_BUCKET, HOLDFAST_STORAGE_S3_PREFIX: 'shared/',
      HOLDFAST_STORAGE_S3_ACCESS_KEY_ID: S3RVER_KEY.accessKeyId,
      HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY: S3RVER_KEY.secretAccessKey, ...more,
    });
    const { env } = nodes;
    nodes.one = await servers.start({ env: { ...env, ...ofOne, HOLDFAST_CLUSTER_NODE: 'one' } });
    const folder = join(scratchFolder('two'), 'data');
    const prepared = await nodes.command('one', 'node', 'prepare', folder);
    assert.equal(prepared.code, 0, prepared.stderr);
    nodes.two = await servers.start({
      data: folder, env: { ...env, HOLDFAST_CLUSTER_NODE: 'two' },
    });
    return nodes;
  }

  command(node: 'one' | 'two', ...args: string[]): Promise<Outcome> {
    return run(PROGRAM, [...args, '--data', this[node].data], {
      env: { ...this.env, HOLDFAST_CLUSTER_NODE: node }, timeoutMs: COMMAND_MS,
    });
  }

  /** How `shard add` is told of another empty database on the same server. */
  async anotherDatabase(): Promise<string[]> {
    const { database } = await this.mariadb.makeDatabase();
    await letLeastUsersIn(this.mariadb, database);
    const { serving } = passwordFiles(this.mariadb);
    return [urlOf(this.mariadb.port, database), '--password-path', serving];
  }

  async stop(): Promise<void> {
    // The servers say farewell to the database, so they end first.
    for (const server of [this.one, this.two] as (TestServer | undefined)[]) {
      if (server?.isRunning === true) await server.stop();
    }
    await this.s3.stop();
    await this.mariadb.stop();
  }
}
