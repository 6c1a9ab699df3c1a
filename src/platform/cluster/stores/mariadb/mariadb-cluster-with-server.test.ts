import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { systemClock } from '../../../clock.ts';
import { Session } from '../../../mariadb/index.ts';
import type { ServerAddress } from '../../../mariadb/index.ts';
import { ScratchServer } from '../../../mariadb/testing/index.ts';
import { testLeases } from '../../leases.conformance.ts';
import { testNodeRegistry } from '../../node-registry.conformance.ts';
import { ensureClusterTables } from './cluster-schema.ts';
import { MariadbChangeHints } from './mariadb-change-hints.ts';
import { MariadbLeases } from './mariadb-leases.ts';
import { MariadbNodeRegistry } from './mariadb-node-registry.ts';

let server: ScratchServer;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

async function database(): Promise<ServerAddress> {
  const address = await server.makeDatabase();
  const session = await Session.open(address, 'schema');
  await ensureClusterTables(session);
  await session.end();
  return address;
}

async function say(address: ServerAddress, text: string): Promise<number> {
  const session = await Session.open(address, 'schema');
  const { changes } = await session.run(text);
  await session.run('COMMIT');
  await session.end();
  return changes;
}

testLeases('MariadbLeases', async () => {
  const address = await database();
  const open = (): MariadbLeases => new MariadbLeases({ address, clock: systemClock });
  return {
    leases: open(), again: async () => open(),
    pass: async (ms) => {
      assert.ok(await say(address, `UPDATE lease SET until = until - ${ms}`) > 0);
    },
  };
});

testNodeRegistry('MariadbNodeRegistry', async () => {
  const address = await database();
  return {
    nodes: new MariadbNodeRegistry({ address, clock: systemClock }),
    pass: async (ms) => {
      assert.ok(await say(address, `UPDATE cluster_node SET seen_at = seen_at - ${ms}`) > 0);
    },
  };
});

it('MariadbNodeRegistry lets one of two in that say the same name at the same moment', async () => {
  const address = await database();
  const places = ['one:/srv', 'two:/srv'];
  const nodes = places.map(() => new MariadbNodeRegistry({ address, clock: systemClock }));
  for (let round = 0; round < 20; round += 1) {
    const name = `node-${round}`;
    const entered = await Promise.allSettled(nodes.map((registry, at) => registry.enter({
      name, incarnation: `${name}-${at}`, version: '1.0.0', place: places[at] ?? '',
    }, 0)));
    const refused = entered.flatMap((each) => (each.status === 'rejected'
      ? [(each.reason as { code?: string }).code] : []));
    assert.deepEqual(refused, ['node-name-taken'], name);
  }
  for (const registry of nodes) await registry.close();
});

it('MariadbChangeHints tells what others have told since, each once', async () => {
  const address = await database();
  const [here, there] = [1, 2].map(() => new MariadbChangeHints({ address, clock: systemClock }));
  assert.ok(here !== undefined && there !== undefined);
  await here.tell([7]);
  const start = await there.read(undefined);
  assert.deepEqual(start.spaces, []);
  await here.tell([3, 5]);
  await here.tell([5]);
  const first = await there.read(start.next);
  assert.deepEqual(first.spaces, [3, 5]);
  assert.deepEqual((await there.read(first.next)).spaces, []);
  assert.ok(await say(address, 'UPDATE change_hint SET told_at = told_at - 120000') > 0);
  await there.prune();
  await here.tell([9]);
  assert.deepEqual((await there.read(first.next)).spaces, [9]);
  assert.equal(await say(address, 'UPDATE change_hint SET told_at = 0'), 1, 'old ones are gone');
  await here.close();
  await there.close();
});
