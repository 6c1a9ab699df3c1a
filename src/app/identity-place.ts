/** Opens the accounts where they are: in a file of the data directory, or on MariaDB. */
import { join } from 'node:path';
import type { FailureCounts, IdentityStore } from '../identity/index.ts';
import { openSealingKey } from '../identity/stores/sqlite/sealing-key.ts';
import { SqliteIdentityStore } from '../identity/stores/sqlite/sqlite-identity-store.ts';
import type { Clock } from '../platform/index.ts';
import type { ChangeMarks } from '../platform/mariadb/index.ts';
import type { DatabasePlace } from './database-place.ts';

export const IDENTITY_FILE = 'identity.db';
/** It stays in the data directory: whoever has the database alone makes no codes from it. */
export const SEALING_KEY_FILE = 'identity.key';

export interface IdentityPlace {
  store: IdentityStore;
  sealingKey: Uint8Array;
  /** Where several servers may be: what they count together. */
  failureCounts?: FailureCounts;
}

/** The database must have been claimed. @throws as the stores and openSealingKey or
 *  openSharedSealingKey do. */
export async function openIdentityStore(
  root: string, place: DatabasePlace, clock: Clock, marks?: ChangeMarks,
): Promise<IdentityPlace> {
  const { mayTake: create } = place;
  const keyFile = join(root, SEALING_KEY_FILE);
  if (place.kind === 'mariadb') {
    const { MariadbIdentityStore } = await import(
      '../identity/stores/mariadb/mariadb-identity-store.ts');
    const { openSharedSealingKey } = await import(
      '../identity/stores/mariadb/shared-sealing-key.ts');
    const { address, accountsAgeMs: markAgeMs } = place;
    const store = await MariadbIdentityStore.open({ address, create, clock, markAgeMs, marks });
    const opened = await withKey(store, () => openSharedSealingKey(store, keyFile));
    const { MariadbFailureCounts } = await import(
      '../identity/stores/mariadb/mariadb-failure-counts.ts');
    return { ...opened, failureCounts: new MariadbFailureCounts({ address, clock }) };
  }
  const store = await SqliteIdentityStore.open({ file: join(root, IDENTITY_FILE), create });
  return withKey(store, () => openSealingKey(keyFile));
}

async function withKey(
  store: IdentityStore, openKey: () => Uint8Array | Promise<Uint8Array>,
): Promise<IdentityPlace> {
  try {
    return { store, sealingKey: await openKey() };
  } catch (error) {
    await store.close();
    throw error;
  }
}
