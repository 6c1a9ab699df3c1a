/**
 * Adds a column to a table of a MariaDB database, as `holdfast schema apply` would, and stands
 * still at a marked place on the way until it is woken. Prints how it ended: the state of the run
 * and what failed, or the refusal.
 *
 * Its arguments are the address of the database, as JSON, the marked place, the column, the
 * installation, and that of a shard, if another one is altered.
 */
import { openBooksOn, openTarget } from '../../src/app/schema-mariadb.ts';
import { HoldfastError } from '../../src/base/errors.ts';
import { armFailpoint, systemClock as clock } from '../../src/platform/index.ts';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import { SchemaRunner } from '../../src/schema/index.ts';

const [, , said = '', place = '', column = '', installation = '', there] = process.argv;
const address = JSON.parse(said) as ServerAddress;
const { book, nodes } = await openBooksOn(address, { clock, create: true, installation });
const whose = { installation, alters: true };
const shard = there === undefined ? { ...whose, name: 'main', address, shard: 0 }
  : { ...whose, name: 'two', address: JSON.parse(there) as ServerAddress, shard: 1 };
const table = there === undefined ? 'lease' : 'tenant';
if (book === undefined) throw new Error('A book was made.');
const alter = `ALTER TABLE ${table} ADD COLUMN ${column} BIGINT NULL`;
const runner = new SchemaRunner({
  book, nodes, clock, policy: { stepAfterMs: 0, contractAfterMs: 0, rowsPerSecond: 1_000 },
  shards: [{
    name: shard.name, family: 'metadata', engine: 'mariadb',
    open: () => openTarget(shard, { address, clock }),
  }],
  changes: [{
    id: column, kind: 'expand', family: 'metadata', minCode: '0.1.0', title: column,
    algorithm: 'instant', isNeeded: false,
    steps: [{ effect: { table, column }, sqlite: alter, mariadb: alter }],
  }],
});
armFailpoint(place);
const ended = await runner.apply().then(
  ({ state, failures }) => `${state} ${JSON.stringify(failures)}`,
  (error: unknown) => (error instanceof HoldfastError ? `refused ${error.code} ${error.message}`
    : `failed ${String(error)}`),
);
process.stdout.write(`ended ${ended}\n`);
process.exit(0);
