import { after, before } from 'node:test';
import { systemClock } from '../../../../platform/index.ts';
import { ScratchServer } from '../../../../platform/mariadb/testing/index.ts';
import { testShardDirectory } from '../../shard-directory.conformance.ts';
import { MariadbShardDirectory } from './mariadb-directory.ts';

let server: ScratchServer;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

testShardDirectory('MariadbShardDirectory', async () =>
  MariadbShardDirectory.open({ address: await server.makeDatabase(), clock: systemClock }));
