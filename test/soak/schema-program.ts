/**
 * Adds a column to a table of every shard, as `holdfast schema apply` would with a change that this
 * program does not have yet. Its argument says the shards, the main one first, the installation,
 * the table and the column. Prints a line for each shard, and how it ended.
 */
import { openBooksOn, openTarget } from '../../src/app/schema-mariadb.ts';
import { systemClock as clock } from '../../src/platform/index.ts';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import { SchemaRunner } from '../../src/schema/index.ts';

const { addresses, installation, table, column } = JSON.parse(process.argv[2] ?? '{}') as {
  addresses: ServerAddress[]; installation: string; table: string; column: string;
};
const [main] = addresses;
if (main === undefined) throw new Error('There is no shard.');
const { book, nodes } = await openBooksOn(main, { clock, create: true, installation });
if (book === undefined) throw new Error('A book was made.');
const alter = `ALTER TABLE ${table} ADD COLUMN ${column} BIGINT NULL`;
const runner = new SchemaRunner({
  book, nodes, clock, policy: { stepAfterMs: 0, contractAfterMs: 0, rowsPerSecond: 1_000 },
  shards: addresses.map((address, shard) => ({
    name: `shard ${shard}`, family: 'metadata', engine: 'mariadb',
    open: () => openTarget({
      name: `shard ${shard}`, address, installation, shard, alters: true,
    }, { address: main, clock }),
  })),
  changes: [{
    id: column, kind: 'expand', family: 'metadata', minCode: '0.1.0', title: column,
    algorithm: 'instant', isNeeded: false,
    steps: [{ effect: { table, column }, sqlite: alter, mariadb: alter }],
  }],
});
const { state, failures } = await runner.apply({
  onProgress: ({ state: how, shard }) => process.stdout.write(`${how} ${shard}\n`),
});
process.stdout.write(`ended ${state} ${JSON.stringify(failures)}\n`);
process.exit(0);
