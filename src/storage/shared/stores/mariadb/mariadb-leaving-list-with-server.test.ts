import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { systemClock } from '../../../../platform/index.ts';
import { Session } from '../../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../../platform/mariadb/testing/index.ts';
import { testLeavingList } from '../../leaving-list.conformance.ts';
import { MariadbLeavingList, ensureLeavingTables } from './mariadb-leaving-list.ts';

let server: ScratchServer;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

testLeavingList('MariadbLeavingList', async () => {
  const address = await server.makeDatabase();
  const session = await Session.open(address, 'schema');
  await ensureLeavingTables(session);
  await session.end();
  return {
    list: new MariadbLeavingList({ address, clock: systemClock }),
    pass: async (ms) => {
      const other = await Session.open(address, 'schema');
      const { changes } = await other.run(
        `UPDATE leaving_block SET going_until = going_until - ${ms} WHERE going_until > 0`);
      await other.run('COMMIT');
      await other.end();
      assert.ok(changes > 0);
    },
  };
});
