/** Where it is noted which shards are to be emptied: with the directory of shards. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NotedDrainJournal } from '../metadata/index.ts';
import type { DrainJournal } from '../metadata/index.ts';
import type { Clock } from '../platform/index.ts';
import type { Stores } from './stores.ts';

const FOLDER = 'shard-drains';

/** Several servers on one MariaDB have one journal; earlier versions noted in the data directory
 *  also there, and what they have left is carried over.
 *  @throws unavailable; invalid: noted by another version. */
export async function openDrainJournal(
  root: string, { database, webNode }: Pick<Stores, 'database' | 'webNode'>, clock: Clock,
): Promise<DrainJournal> {
  const folder = join(root, FOLDER);
  if (webNode === undefined || database.kind !== 'mariadb') return NotedDrainJournal.open(folder);
  const { MariadbDrainJournal } = await import(
    '../metadata/move/stores/mariadb/mariadb-drain-journal.ts');
  const journal = new MariadbDrainJournal({ address: database.address, clock });
  try {
    if (existsSync(folder)) await (await NotedDrainJournal.open(folder)).carryTo(journal);
    return journal;
  } catch (error) {
    await journal.close();
    throw error;
  }
}
