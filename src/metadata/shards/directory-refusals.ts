/** Every refusal of a directory of shards: all implementations answer alike. */
import { HoldfastError } from '../../base/errors.ts';
import type { ErrorKind } from '../../base/errors.ts';

const OP = 'metadata/ShardDirectory';

type Facts = Readonly<Record<string, string | number>>;

function refusal(kind: ErrorKind, code: string, message: string, facts?: Facts): HoldfastError {
  return new HoldfastError(kind, OP, message, { code, ...(facts !== undefined && { facts }) });
}

export const shardExists = (shard: number): HoldfastError =>
  refusal('exists', 'shard-exists', `Shard ${shard} has this name or this database already. `
    + 'See: holdfast shard list', { shard });

export const shardWasRemoved = (shard: number): HoldfastError =>
  refusal('exists', 'shard-exists', `Shard ${shard}, which was removed, had this name or this `
    + 'database. Neither is used twice: choose another name, and make a new database.', { shard });

export const shardMissing = (shard: number): HoldfastError =>
  refusal('not-found', 'shard-missing', `There is no shard ${shard}. See: holdfast shard list`,
    { shard });

export const shardClosed = (shard: number): HoldfastError =>
  refusal('conflict', 'shard-closed', `Shard ${shard} was removed, which is for good. Add another `
    + 'one: holdfast shard add', { shard });

export const shardDraining = (shard: number): HoldfastError =>
  refusal('conflict', 'shard-draining', `Shard ${shard} takes no new tenants. To let it take some `
    + `again: holdfast shard open ${shard}`, { shard });

export const shardInUse = (shard: number, tenants: number): HoldfastError =>
  refusal('conflict', 'shard-in-use', `${tenants} tenants are on shard ${shard}. Move them to `
    + `another one first: holdfast shard drain ${shard}`, { shard, tenants });

export const firstShardStays = (): HoldfastError =>
  refusal('denied', 'shard-first', 'Shard 0 cannot be removed: the accounts and the directory of '
    + 'shards are in its database.');

export const placeChanged = (epoch: number): HoldfastError =>
  refusal('conflict', 'place-changed', 'The tenant was moved by somebody else meanwhile. Look '
    + 'again where it is: holdfast shard list', { epoch });

export const badShardName = (): HoldfastError =>
  refusal('invalid', 'shard-name', 'A shard\'s name starts with a lower-case letter and holds '
    + 'lower-case letters, digits and -, 32 characters at most.');

export const badShardUrl = (): HoldfastError =>
  refusal('invalid', 'shard-url', 'A shard is named as mariadb://user@host:port/database, or as '
    + 'sqlite: and a path below the data directory.');

export const badShardState = (): HoldfastError =>
  refusal('invalid', 'shard-state', 'A shard that was made cannot become one that is to be made.');

export const passwordInUrl = (): HoldfastError =>
  refusal('invalid', 'shard-url-password', 'The address of a shard must not hold a password. Write '
    + 'it to a file, and name that with --password-path.');

export const tooManyShards = (max: number): HoldfastError =>
  refusal('too-large', 'too-many-shards', `There are no more than ${max} shards, closed ones `
    + 'included.', { max });

export const directoryClosed = (): HoldfastError =>
  refusal('unavailable', 'directory-closed', 'The server is shutting down. Try again shortly.');
