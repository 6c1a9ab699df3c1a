import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { parseTenantId } from '../../../base/ids.ts';
import { systemClock } from '../../../platform/index.ts';
import { Session } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { Hand, refused } from '../../conformance/hand.ts';
import { testDrainJournal } from '../../move/drain-journal.conformance.ts';
import { moveOf, testMoveJournal } from '../../move/move-journal.conformance.ts';
import { MARIADB_EXTRAS, ROW_TABLES, STAYING_TABLES } from '../../move/row-tables.ts';
import { HOME } from '../../move/tenant-rows.ts';
import {
  MariadbDrainJournal, ensureDrainTables,
} from '../../move/stores/mariadb/mariadb-drain-journal.ts';
import {
  MariadbMoveJournal, ensureMoveTables,
} from '../../move/stores/mariadb/mariadb-move-journal.ts';
import { testTenantRows } from '../../move/tenant-rows.conformance.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';

let server: ScratchServer;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

testTenantRows('MariadbMetadataStore', async () =>
  MariadbMetadataStore.open({ address: await server.makeDatabase(), create: true }));

async function openJournals(): Promise<(epoch: number) => MariadbMoveJournal> {
  const address = await server.makeDatabase();
  const session = await Session.open(address, 'schema');
  await ensureMoveTables(session);
  await session.end();
  return (epoch) => new MariadbMoveJournal({ address, clock: systemClock, epoch });
}

testMoveJournal('MariadbMoveJournal', async () => {
  const open = await openJournals();
  return { journal: open(1), again: async () => open(2) };
});

testDrainJournal('MariadbDrainJournal', async () => {
  const address = await server.makeDatabase();
  const session = await Session.open(address, 'schema');
  await ensureDrainTables(session);
  await session.end();
  const open = () => new MariadbDrainJournal({ address, clock: systemClock });
  return { journal: open(), again: async () => open() };
});

it('MariadbMoveJournal refuses whoever had an earlier lease', async () => {
  const open = await openJournals();
  const [earlier, later] = [open(4), open(7)];
  const move = moveOf(parseTenantId('acme'));
  await earlier.put(move);
  await later.put({ ...move, state: 'tail' });
  await refused(earlier.put({ ...move, state: 'flip' }), 'unavailable', 'moved-by-another');
  assert.deepEqual((await earlier.list()).map(({ state }) => state), ['tail']);
  await earlier.close();
  await later.close();
});

it('what freezes a tenant on one machine holds for writers on all others at once', async () => {
  const address = await server.makeDatabase();
  const [one, two] = [await MariadbMetadataStore.open({ address, create: true }),
    await MariadbMetadataStore.open({ address, create: true })];
  const here = await Hand.on(one, { tenant: parseTenantId('acme') });
  const there = await Hand.on(two, { tenant: parseTenantId('acme') });
  const other = await Hand.on(two, { tenant: parseTenantId('other'), owner: 'ben' });
  await there.put(there.root, 'before');
  const frozen = { epoch: 0, state: 'frozen' } as const;
  assert.ok(await one.tenantRows.setPlacement(here.space.tenant, HOME, frozen));
  const [refusal] = await Promise.all([
    refused(there.put(there.root, 'frozen'), 'unavailable', 'tenant-frozen'),
    other.put(other.root, 'goes on'),
  ]);
  assert.equal(refusal.retryable, true);
  assert.ok(await one.tenantRows.setPlacement(here.space.tenant, frozen, HOME));
  await there.put(there.root, 'thawed');
  assert.deepEqual(await here.names(here.root), ['before', 'thawed']);
  await one.close();
  await two.close();
});

it('every table and column on MariaDB moves, or is said to stay', async () => {
  const address = await server.makeDatabase();
  await (await MariadbMetadataStore.open({ address, create: true })).close();
  const found = await server.query(`SELECT table_name, column_name, column_key
    FROM information_schema.columns WHERE table_schema = '${address.database}'
    ORDER BY table_name, ordinal_position`);
  const there = new Map<string, string[]>();
  for (const [table, column] of found as string[][]) {
    const name = table ?? '';
    if (name in STAYING_TABLES) continue;
    const extra = column !== undefined && column in (MARIADB_EXTRAS[name] ?? {});
    if (!extra) there.set(name, [...there.get(name) ?? [], column ?? '']);
  }
  const described = ROW_TABLES.map(({ name, columns }) => [name, columns.toSorted()]);
  const actual = [...there].map(([name, columns]) => [name, columns.toSorted()]);
  assert.deepEqual(actual.toSorted(), described.toSorted());
});
