/** Which shard a database is, and which ids it gives: so ids of all shards differ for ever. */
import { HoldfastError } from '../base/errors.ts';

export const SHARD_NUMBER_MAX = 4_095;
/** 4,096 times as many are 2^52: whole numbers that large are exact. */
const IDS_PER_SHARD = 2 ** 40;

/** The first id that a shard gives to a space, node, grant, batch, quarantine or held change. */
export function firstIdOf(shard: number): number {
  return shard * IDS_PER_SHARD + 1;
}

/** The shard that has given an id. */
export function shardOfId(id: number): number {
  return Math.floor((id - 1) / IDS_PER_SHARD);
}

/** A database that was made for one shard is never taken for another one.
 *  @param found as the database says; undefined: it was made before there were shards.
 *  @throws invalid `metadata-other-shard`. */
export function checkShardNumber(found: number | undefined, wanted: number): void {
  const shard = found ?? 0;
  if (shard === wanted) return;
  const message = `This database is shard ${shard}, and stands where shard ${wanted} is expected. `
    + 'Name the right database. One that belongs to a shard cannot become another one.';
  throw new HoldfastError('invalid', 'metadata/MetadataStore.open', message, {
    code: 'metadata-other-shard', facts: { shard, wanted },
  });
}
