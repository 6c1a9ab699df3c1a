/** Refusals of emptying, closing and removing shards. */
import { HoldfastError } from '../base/errors.ts';
import type { ErrorKind } from '../base/errors.ts';
import type { ShardRecord } from '../metadata/index.ts';

const OP = 'app/shard';

function refusal(kind: ErrorKind, code: string, message: string): HoldfastError {
  return new HoldfastError(kind, OP, message, { code });
}

export const noSuchShard = (wanted: string): HoldfastError =>
  refusal('not-found', 'shard-missing', `There is no shard "${wanted}". Say its number or its `
    + 'name: see holdfast shard list');

export const notMade = ({ number, name, url }: Pick<ShardRecord, 'number' | 'name' | 'url'>) =>
  refusal('conflict', 'shard-not-made', `Shard ${number} was not made to its end. Say once more: `
    + `holdfast shard add ${name} ${url}; or let it go: holdfast shard remove ${number}`);

export const noOtherShard = (shard: number): HoldfastError =>
  refusal('conflict', 'no-other-shard', `The tenants of shard ${shard} can go nowhere: no other `
    + 'shard is open and can be reached. See holdfast shard list; add one with holdfast shard add, '
    + 'or let one take tenants again with holdfast shard open');

export const noRoom = (shard: number): HoldfastError =>
  refusal('conflict', 'no-room', `There is no room for the tenants of shard ${shard}: the other `
    + 'shards are files, and their disk has less free than this one takes. Make room, or add a '
    + 'shard on a database server.');

export const alreadyMoving = (tenant: string, shard: number): HoldfastError =>
  refusal('conflict', 'move-under-way', `Tenant ${tenant} is on its way to shard ${shard}. Wait `
    + `for that, or give it up: holdfast tenant move abort ${tenant}`);

export const drainMissing = (shard: number): HoldfastError =>
  refusal('not-found', 'drain-missing', `Shard ${shard} is not being emptied. To begin: holdfast `
    + `shard drain ${shard}`);

export const drainOver = (shard: number, state: 'done' | 'stopped'): HoldfastError =>
  refusal('conflict', 'drain-over', state === 'done' ? `Shard ${shard} is empty already.`
    : `The emptying of shard ${shard} was stopped. To begin again: holdfast shard drain ${shard}`);

export const isBeingDrained = (shard: number): HoldfastError =>
  refusal('conflict', 'shard-drains', `Shard ${shard} is being emptied. Stop that first: holdfast `
    + `shard drain stop ${shard}`);

export const stillOpen = (shard: number): HoldfastError =>
  refusal('conflict', 'shard-open', `Shard ${shard} takes new tenants. Close it first: holdfast `
    + `shard close ${shard}`);

export const stillInUse = (shard: number, tenants: number): HoldfastError =>
  refusal('conflict', 'shard-in-use', `${tenantsOf(tenants)} at home on shard ${shard}. Move them `
    + `elsewhere first: holdfast shard drain ${shard}`);

export const wayBackOpen = (shard: number, tenants: readonly string[]): HoldfastError =>
  refusal('conflict', 'way-back-open', `Moves from or to shard ${shard} are not over: `
    + `${tenants.join(', ')}. What changes still goes back there. See holdfast tenant move status; `
    + 'give a way back up with: holdfast tenant move finish TENANT');

export const stillHasRows = (shard: number, tenants: readonly string[]): HoldfastError =>
  refusal('conflict', 'shard-has-rows', `Shard ${shard} still has rows of ${tenants.join(', ')}. A `
    + 'move that another server does may not be over: see holdfast tenant move status there.');

export const awayNow = (shard: number): HoldfastError =>
  refusal('unavailable', 'shard-away', `Shard ${shard} cannot be reached, so nobody can see that `
    + 'it is empty. Nothing was changed. See: holdfast shard check');

export const awayToDrain = (shard: number): HoldfastError =>
  refusal('unavailable', 'shard-away', `Shard ${shard} cannot be used at the moment, so nothing `
    + 'can be moved off it. Nothing was changed. See: holdfast shard check');

export const directoryAway = (): HoldfastError =>
  refusal('unavailable', 'directory-away', 'The directory of shards cannot be read at the moment, '
    + 'so nothing more is moved. See: holdfast shard check');

function tenantsOf(count: number): string {
  return count === 1 ? '1 tenant is' : `${count} tenants are`;
}
