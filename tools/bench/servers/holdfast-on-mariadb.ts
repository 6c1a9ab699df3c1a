/** Holdfast with accounts and metadata on a MariaDB server of its own, on the disk that is
 *  measured, with that server's usual settings: it flushes each commit. */
import { ScratchServer } from '../../../src/platform/mariadb/testing/index.ts';
import type { BenchServer, StartOptions } from './bench-server.ts';
import { endsWithBench } from './children.ts';
import { startHoldfast } from './holdfast.ts';

export async function startOnMariadb({ folder, repository }: StartOptions): Promise<BenchServer> {
  const database = await ScratchServer.startIn(folder);
  endsWithBench(() => database.stop());
  const { database: name, port } = await database.makeDatabase();
  const server = await startHoldfast({
    folder, repository,
    env: { HOLDFAST_DATABASE_URL: `mariadb://root@127.0.0.1:${port}/${name}` },
  });
  return {
    ...server,
    name: 'mariadb',
    helperPids: [database.pid],
    version: `${server.version} on MariaDB`,
    stop: async () => {
      await server.stop();
      await database.stop();
    },
  };
}
