/** Holdfast as one or two web nodes on a MariaDB server and a bucket of their own. The database is
 *  on the disk that is measured; the bucket is the small server of the tests. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ScratchServer } from '../../../src/platform/mariadb/testing/index.ts';
import {
  S3RVER_BUCKET, S3RVER_KEY, S3rver,
} from '../../../src/storage/backends/s3/testing/s3rver.ts';
import type { Target } from '../load/jobs.ts';
import { endsWithBench, runProgram } from './children.ts';
import { PASSWORD, USER, addUser, runHoldfast } from './holdfast.ts';
import type { RunOptions } from './holdfast.ts';

const COMMAND_MAX_MS = 60_000;

export interface WebNodes {
  readonly target: Target;
  /** Of each node. */
  readonly ports: readonly number[];
  readonly pids: Readonly<Record<'nodes' | 'database' | 'bucket', readonly number[]>>;
}

export interface WebNodesOptions {
  readonly folder: string;
  readonly repository: string;
  readonly names: readonly string[];
}

/** All of it ends with the bench. */
export async function startWebNodes(
  { folder, repository, names }: WebNodesOptions,
): Promise<WebNodes> {
  mkdirSync(folder, { recursive: true });
  const s3 = await S3rver.start();
  endsWithBench(() => s3.stop());
  const mariadb = await ScratchServer.startIn(folder);
  endsWithBench(() => mariadb.stop());
  const { database } = await mariadb.makeDatabase();
  const env = {
    HOLDFAST_DATABASE_URL: `mariadb://root@127.0.0.1:${mariadb.port}/${database}`,
    HOLDFAST_STORAGE_BACKEND: 's3', HOLDFAST_STORAGE_S3_ENDPOINT: s3.url,
    HOLDFAST_STORAGE_S3_BUCKET: S3RVER_BUCKET, HOLDFAST_STORAGE_S3_PREFIX: 'bench/',
    HOLDFAST_STORAGE_S3_ACCESS_KEY_ID: S3RVER_KEY.accessKeyId,
    HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY: S3RVER_KEY.secretAccessKey,
  };
  const running = [];
  let first: RunOptions | undefined;
  for (const name of names) {
    const options = {
      repository, folder: join(folder, name), env: { ...env, HOLDFAST_CLUSTER_NODE: name },
    };
    mkdirSync(options.folder);
    if (first === undefined) await addUser(options);
    else await prepare(first, join(options.folder, 'data'));
    first ??= options;
    running.push(await runHoldfast(options));
  }
  const ports = running.map(({ port }) => port);
  return {
    target: targetAt(ports[0] ?? 0), ports,
    pids: {
      nodes: running.map(({ child }) => child.pid), database: [mariadb.pid], bucket: [s3.pid],
    },
  };
}

/** The data directory of another node. */
async function prepare({ repository, folder, env = {} }: RunOptions, data: string): Promise<void> {
  const args = ['node', 'prepare', data, '--data', join(folder, 'data')];
  const { status, output } = await runProgram(join(repository, 'holdfast'), args, {
    env, timeoutMs: COMMAND_MAX_MS,
  });
  if (status !== 0) throw new Error(`holdfast node prepare: ${output.slice(0, 300)}`);
}

function targetAt(port: number): Target {
  const credentials = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
  return {
    host: '127.0.0.1', port, root: `/remote.php/dav/files/${USER}/`,
    headers: `Authorization: Basic ${credentials}\r\n`,
  };
}
