/** A runner in a process of its own, so that a test can kill it. It prints a line for each
 *  shard. */
import { armFailpoint, stayAwake, systemClock } from '../../platform/index.ts';
import { SchemaRunner } from '../schema-runner.ts';
import { openSqliteBook } from '../stores/sqlite/sqlite-schema-book.ts';
import { PERSON_CHANGES } from './fixture-changes.ts';
import { manyShards } from './many-shards.ts';
import type { ManyShards } from './many-shards.ts';

interface Told extends ManyShards {
  readonly book: string;
  readonly failpoint?: string;
}

const told = JSON.parse(process.argv[2] ?? '{}') as Told;
if (told.failpoint !== undefined) armFailpoint(told.failpoint);
const letGo = stayAwake();
const runner = new SchemaRunner({
  changes: PERSON_CHANGES, shards: manyShards(told), book: await openSqliteBook(told.book),
  clock: systemClock,
  policy: { stepAfterMs: 0, contractAfterMs: 14 * 24 * 60 * 60 * 1000, rowsPerSecond: 10_000 },
});
const { state, failures } = await runner.apply({
  onProgress: ({ state: how, shard }) => process.stdout.write(`${how} ${shard}\n`),
});
process.stdout.write(`end ${state} ${JSON.stringify(failures)}\n`);
letGo();
