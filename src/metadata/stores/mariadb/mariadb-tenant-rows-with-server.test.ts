import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { MARIADB_EXTRAS, ROW_TABLES, STAYING_TABLES } from '../../move/row-tables.ts';
import { testTenantRows } from '../../move/tenant-rows.conformance.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';

let server: ScratchServer;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

testTenantRows('MariadbMetadataStore', async () =>
  MariadbMetadataStore.open({ address: await server.makeDatabase(), create: true }));

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
