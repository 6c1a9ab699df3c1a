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

export function ownStorageNeedsOneServer(tenant: string): HoldfastError {
  const message = `Files of tenant ${tenant} would need a storage of their own, which several `
    + 'servers on one database cannot have yet: this server has a name (cluster.node).';
  return new HoldfastError('conflict', 'app/BlockHomes', message, {
    code: 'home-needs-one-server',
  });
}

function unfitting(message: string): HoldfastError {
  return new HoldfastError('invalid', OP, message, { code: 'settings-unfitting' });
}
