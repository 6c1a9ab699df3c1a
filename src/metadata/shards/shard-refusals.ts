/** Refusals of whoever works with several shards. */
import { HoldfastError } from '../../base/errors.ts';

const OP = 'metadata/ShardedMetadataStore';

export const shardAway = (shard: number, cause?: unknown): HoldfastError => {
  const message = 'The database that has these files cannot be reached at the moment. Nothing is '
    + 'lost. Try again shortly.';
  return new HoldfastError('unavailable', OP, message, {
    code: 'shard-away', facts: { shard }, cause,
  });
};

export const directoryAway = (): HoldfastError => {
  const message = 'It cannot be found out at the moment which database has these files. Nothing is '
    + 'lost. Try again shortly.';
  return new HoldfastError('unavailable', OP, message, { code: 'directory-away' });
};

export const noShardOpen = (): HoldfastError => {
  const message = 'No database takes new tenants at the moment. An administrator can add one: '
    + 'holdfast shard add';
  return new HoldfastError('unavailable', OP, message, { code: 'no-shard-open' });
};
