/** What a soak works on: two MariaDB servers with three databases, one bucket, several web nodes,
 *  and tenants with a user each. */
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import { ScratchServer, letLeastUsersIn } from '../../src/platform/mariadb/testing/index.ts';
import { S3rver, S3RVER_BUCKET, S3RVER_KEY } from '../../src/storage/backends/s3/testing/s3rver.ts';
import { run, runWell } from '../support/command.ts';
import type { Outcome } from '../support/command.ts';
import { envOf, passwordFiles, urlOf } from '../support/database.ts';
import { DavClient } from '../support/dav-client.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, TestServer } from '../support/server.ts';

export const TENANTS = ['acme', 'byte', 'cube', 'dune'] as const;
export const SHARDS = ['main', 'near', 'far'] as const;
export const NODES = ['one', 'two', 'three'];
const PASSWORD = 'correct-horse-battery';
const COMMAND_MS = 120_000;
const START_TRIES = 12;

export class SoakWorld {
  readonly databases: readonly ScratchServer[];
  readonly s3: S3rver;
  readonly env: Readonly<Record<string, string>>;
  readonly nodes: TestServer[] = [];
  /** By number of the shard: where it is, and as whom its tables are altered. */
  readonly shards: { server: ScratchServer; address: ServerAddress }[] = [];

  private constructor(
    databases: readonly ScratchServer[], s3: S3rver, env: Record<string, string>,
  ) {
    this.databases = databases;
    this.s3 = s3;
    this.env = env;
  }

  static async start(nodeCount: number): Promise<SoakWorld> {
    const first = await ScratchServer.start();
    const second = await ScratchServer.start();
    const s3 = await S3rver.start();
    const { database } = await first.makeDatabase();
    const address = await letLeastUsersIn(first, database);
    const world = new SoakWorld([first, second], s3, {
      ...envOf(first, database), HOLDFAST_FILES_MASS_CHANGE_LIMIT: '0',
      HOLDFAST_STORAGE_BACKEND: 's3', HOLDFAST_STORAGE_S3_ENDPOINT: s3.url,
      HOLDFAST_STORAGE_S3_BUCKET: S3RVER_BUCKET, HOLDFAST_STORAGE_S3_PREFIX: 'soak/',
      HOLDFAST_STORAGE_S3_ACCESS_KEY_ID: S3RVER_KEY.accessKeyId,
      HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY: S3RVER_KEY.secretAccessKey,
    });
    world.shards.push({ server: first, address });
    try {
      await world.#startNodes(nodeCount);
      await world.#addShard('near', first);
      await world.#addShard('far', second);
      await world.#addTenants();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  async #startNodes(count: number): Promise<void> {
    for (const [at, name] of NODES.slice(0, count).entries()) {
      const data = join(scratchFolder(`soak-${name}`), 'data');
      if (at > 0) await this.#tellWell('node', 'prepare', data);
      const server = await TestServer.start({
        data, env: { ...this.env, HOLDFAST_CLUSTER_NODE: name },
      });
      this.nodes.push(server);
    }
  }

  async #addShard(name: string, server: ScratchServer): Promise<void> {
    const { database } = await server.makeDatabase();
    const address = await letLeastUsersIn(server, database);
    const { serving } = passwordFiles(server);
    const url = urlOf(server.port, database);
    await this.#tellWell('shard', 'add', name, url, '--password-path', serving);
    this.shards.push({ server, address });
  }

  async #addTenants(): Promise<void> {
    for (const tenant of TENANTS) {
      await this.#tellWell('tenant', 'add', tenant);
      await this.node(0).addUser({
        name: `of-${tenant}`, password: PASSWORD, args: ['--tenant', tenant],
      });
    }
  }

  /** A statement to the database of a shard. */
  async ask(shard: number, sql: string): Promise<unknown[][]> {
    const { server, address } = this.shards[shard] ?? {};
    if (server === undefined) throw new Error(`There is no shard ${shard}.`);
    return server.query(sql, address?.database);
  }

  node(at: number): TestServer {
    const server = this.nodes[at];
    if (server === undefined) throw new Error(`There is no node ${at}.`);
    return server;
  }

  /** A tenant's user at one of the nodes. */
  client(at: number, tenant: string): DavClient {
    return this.node(at).client(`of-${tenant}`, PASSWORD);
  }

  /** A command on the data directory of a node. */
  async tell(at: number, ...words: string[]): Promise<Outcome> {
    const env = { ...this.env, HOLDFAST_CLUSTER_NODE: NODES[at] ?? '' };
    return run(PROGRAM, [...words, '--data', this.node(at).data], { env, timeoutMs: COMMAND_MS });
  }

  async #tellWell(...words: string[]): Promise<void> {
    const env = { ...this.env, HOLDFAST_CLUSTER_NODE: NODES[0] ?? '' };
    await runWell(PROGRAM, [...words, '--data', this.node(0).data], {
      env, timeoutMs: COMMAND_MS,
    });
  }

  /** After it was killed. A start is refused while a command that found no server there works on
   *  its data, or the one before counts as alive. */
  async startNode(at: number): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.node(at).startAgain();
        return;
      } catch (error) {
        if (attempt === START_TRIES) throw error;
        if (this.node(at).isRunning) await this.node(at).kill();
        await pause(5_000);
      }
    }
  }

  async stop(): Promise<void> {
    for (const server of this.nodes) {
      if (server.isRunning) await server.kill();
    }
    await this.s3.stop();
    for (const database of this.databases) await database.stop();
  }
}
