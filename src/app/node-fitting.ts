/** What several servers on one database must have in common. */
import { HoldfastError } from '../base/errors.ts';
import type { ClusterSettings } from '../platform/index.ts';
import type { BackendSettings } from '../storage/index.ts';
import type { DatabasePlace } from './database-place.ts';

const OP = 'app/openStores';

/** @throws invalid: with what to do; nothing was opened or changed. */
export function checkNodeFitting(
  { node }: ClusterSettings, database: DatabasePlace['kind'], chosen: BackendSettings,
): void {
  if (node === undefined) return;
  const named = `cluster.node = ${node} says that this is one of several servers. `;
  if (database === 'files') {
    throw unfitting(`${named}They share a database, and database.url names none.`);
  }
  if (chosen.backend === 'local') {
    throw unfitting(`${named}Their files must lie where all of them reach them, and volumes on the `
      + 'disks of this machine are not: set storage.backend to s3, gcs or azure.');
  }
  if (chosen.mirror !== 'off') {
    throw unfitting(`${named}What a mirror lacks is noted on the disk of one server, so `
      + 'storage.mirror must be off. Have the object store keep copies.');
  }
}

export function keysNeedOneServer(): HoldfastError {
  const message = 'The storage policy of this tenant encrypts with keys of its own, and the '
    + 'storage is not made yet. Keys are made by one server that is alone: stop the others, start '
    + 'one without a name (cluster.node), store one file for the tenant, and copy '
    + 'keys.json and block-backend.json of its folder in tenants to the same place in the other '
    + 'data directories.';
  return new HoldfastError('conflict', 'app/BlockHomes', message, {
    code: 'home-keys-need-one-server',
  });
}

/** Nothing is made in their place: what was encrypted by one key is readable by no other. */
export function keysElsewhere(
  { tenant, root, missing }: { tenant: string; root: string; missing: readonly string[] },
): HoldfastError {
  const message = `The files of tenant ${tenant} are encrypted by keys that another server has, `
    + `and here there is no ${missing.join(', no ')}. Copy what is missing from a server that `
    + `serves this tenant, by a safe way: from tenants/${tenant} of its data directory to ${root} `
    + '(readable for the server alone), and the master key to where the storage policy names it. '
    + 'It is used with the next request, without a restart; until then this server answers 503 '
    + 'for this tenant, and makes no keys of its own.';
  return new HoldfastError('conflict', 'app/BlockHomes', message, { code: 'home-keys-elsewhere' });
}

function unfitting(message: string): HoldfastError {
  return new HoldfastError('invalid', OP, message, { code: 'settings-unfitting' });
}
