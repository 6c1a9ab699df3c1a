/**
 * Two shards in the folder that the first argument names, a tenant that moves to the second shard
 * and back and is cleaned up behind that, and writers at work all the time. Dies at the failpoint
 * that the second argument names; without one it ends when all is done. The fourth argument is the
 * address of the second shard's database, as JSON; without one it is a file. Before a death in
 * `abort` or `aborted` the move is given up. Prints `+name` for each file that was acknowledged,
 * `?` for each refusal that was waited out before, and how long writers waited for a flip.
 */
import { join } from 'node:path';
import { Hand } from '../../conformance/hand.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { MariadbMetadataStore } from '../../stores/mariadb/mariadb-metadata-store.ts';
import type { MoveRecord } from '../move-record.ts';
import { NotedMoveJournal } from '../noted-move-journal.ts';
import type { RowsStore } from '../tenant-rows.conformance.ts';
import { MovingTenant, pause } from './moving-tenant.ts';
import { SqliteShardDirectory } from '../../shards/stores/sqlite/sqlite-directory.ts';
import { SqliteMetadataStore } from '../../stores/sqlite/sqlite-metadata-store.ts';
import { armFailpoint, stayAwake } from '../../../platform/index.ts';

const [folder = '', failpoint = '', run = '0', far = ''] = process.argv.slice(2);
const WRITERS = 3;
const WRITER_REST_MS = 5;
const rest = stayAwake();
if (failpoint !== '') armFailpoint(`metadata.move-${failpoint}`);

const directory = new SqliteShardDirectory({ file: join(folder, 'directory.db') });
if ((await directory.read()).shards.length === 1) {
  await directory.addShard({ name: 'b', url: 'sqlite:1.db', passwordPath: undefined, at: 0 });
}
const inFile = (shard: number): Promise<RowsStore> =>
  SqliteMetadataStore.open({ file: join(folder, `${shard}.db`), create: true, shard });
const onServer = (address: ServerAddress): Promise<RowsStore> =>
  MariadbMetadataStore.open({ address, create: true, shard: 1 });
const stores = [
  await inFile(0),
  await (far === '' ? inFile(1) : onServer(JSON.parse(far) as ServerAddress)),
] as const;
const journal = await NotedMoveJournal.open(join(folder, 'moves'));
const moving = await MovingTenant.open({ stores, directory, journal });
const space = await moving.retried(async (store) => (await Hand.on(store)).space);

let isEnding = false;
let waitsTold = 0;
async function write(writer: number): Promise<void> {
  const hand = new Hand(moving.store(async () => undefined), space);
  for (let at = 0; !isEnding; at += 1) {
    const name = `r${run}-w${writer}-${at}`;
    await hand.put(space.rootId, name, 1);
    process.stdout.write(`${'?\n'.repeat(moving.waits - waitsTold)}+${name}\n`);
    waitsTold = moving.waits;
    await pause(WRITER_REST_MS);
  }
}
const writing = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));

const record = (): MoveRecord | undefined => moving.mover.list()[0];
const isIn = (...states: string[]): boolean => states.includes(record()?.state ?? '');
async function reverse(): Promise<void> {
  await moving.reached('reverse', space.tenant);
  const { decidedMs } = moving.mover.get(space.tenant);
  if (decidedMs !== undefined) process.stdout.write(`=decided ${Math.round(decidedMs)}\n`);
}

/** Goes on with what an earlier process has left, or begins. */
async function thereAndBack(): Promise<void> {
  if (isIn('abort')) await moving.reached('aborted', space.tenant);
  if (record() === undefined || isIn('aborted', 'done')) {
    await moving.mover.start(space.tenant, 1);
    if (failpoint.startsWith('abort')) await moving.mover.abort(space.tenant);
  }
  if (!isIn('clean')) {
    await reverse();
    if (record()?.from === 0) {
      await moving.back(space.tenant);
      await reverse();
    }
    await moving.finish(space.tenant);
  }
  await moving.reached('done', space.tenant);
}

await thereAndBack();
// Once without a death, and until a writer has met a freeze.
do await thereAndBack(); while (moving.waits === 0);
process.stdout.write('=done\n');
isEnding = true;
await writing;
await moving.mover.close();
for (const store of stores) await store.close();
await directory.close();
rest();
