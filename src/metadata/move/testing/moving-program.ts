/**
 * Two shards in the folder that the first argument names, a tenant that moves to the second shard
 * and back and is cleaned up behind that, and writers at work all the time. Dies at the failpoint
 * that the second argument names; without one it ends when all is done. Prints `+name` for each
 * file that was acknowledged, and what it has reached.
 */
import { join } from 'node:path';
import { Hand } from '../../conformance/hand.ts';
import { NotedMoveJournal } from '../noted-move-journal.ts';
import { MovingTenant } from './moving-tenant.ts';
import { SqliteShardDirectory } from '../../shards/stores/sqlite/sqlite-directory.ts';
import { SqliteMetadataStore } from '../../stores/sqlite/sqlite-metadata-store.ts';
import { armFailpoint, stayAwake } from '../../../platform/index.ts';

const [folder = '', failpoint = '', run = '0'] = process.argv.slice(2);
const WRITERS = 3;
const rest = stayAwake();
if (failpoint !== '') armFailpoint(failpoint);

const directory = new SqliteShardDirectory({ file: join(folder, 'directory.db') });
if ((await directory.read()).shards.length === 1) {
  await directory.addShard({ name: 'b', url: 'sqlite:1.db', passwordPath: undefined, at: 0 });
}
const open = (shard: number): Promise<SqliteMetadataStore> =>
  SqliteMetadataStore.open({ file: join(folder, `${shard}.db`), create: true, shard });
const stores = [await open(0), await open(1)] as const;
const journal = await NotedMoveJournal.open(join(folder, 'moves'));
const moving = await MovingTenant.open({ stores, directory, journal });
const space = await moving.retried(async (store) => (await Hand.on(store)).space);

let isEnding = false;
async function write(writer: number): Promise<void> {
  const hand = new Hand(moving.store(async () => undefined), space);
  for (let at = 0; !isEnding; at += 1) {
    const name = `r${run}-w${writer}-${at}`;
    await hand.put(space.rootId, name, 1);
    process.stdout.write(`+${name}\n`);
  }
}
const writing = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));

const record = (): { state: string; from: number } | undefined => moving.mover.list()[0];
const isCleaning = (): boolean => ['clean', 'done'].includes(record()?.state ?? '');
if (record() === undefined) await moving.mover.start(space.tenant, 1);
if (!isCleaning()) await moving.reached('reverse', space.tenant);
if (record()?.from === 0 && !isCleaning()) await moving.back(space.tenant);
if (isCleaning()) await moving.reached('done', space.tenant);
else await moving.finish(space.tenant);
process.stdout.write('=done\n');
isEnding = true;
await writing;
await moving.mover.close();
for (const store of stores) await store.close();
await directory.close();
rest();
