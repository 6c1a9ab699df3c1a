/** Opens the accounts where they are: in a file of the data directory, or on MariaDB. */
import { join } from 'node:path';
import type { IdentityStore } from '../identity/index.ts';
import { SqliteIdentityStore } from '../identity/stores/sqlite/sqlite-identity-store.ts';
import type { Clock } from '../platform/index.ts';
import type { DatabasePlace } from './database-place.ts';

export const IDENTITY_FILE = 'identity.db';
/** It stays in the data directory: whoever has the database alone makes no codes from it. */
export const SEALING_KEY_FILE = 'identity.key';

/** The database must have been claimed. @throws as the stores do. */
export async function openIdentityStore(
  root: string, place: DatabasePlace, clock: Clock,
): Promise<IdentityStore> {
  const { mayTake: create } = place;
  if (place.kind === 'mariadb') {
    const { MariadbIdentityStore } = await import(
      '../identity/stores/mariadb/mariadb-identity-store.ts');
    return MariadbIdentityStore.open({ address: place.address, create, clock });
  }
  return SqliteIdentityStore.open({ file: join(root, IDENTITY_FILE), create });
}
