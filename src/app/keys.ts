/** The key commands on one tenant's storage in the data directory of a configuration. */
import type { KeyParts, KeysOf } from '../cli/index.ts';
import { HoldfastError } from '../base/errors.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import { lockData, serverSlice, systemClock } from '../platform/index.ts';
import type { Slice } from '../platform/index.ts';
import {
  initKeys, keyStatus, rotateDataKey, rotateMasterKey, shredTenant,
} from '../storage/index.ts';
import type { KeyPlaces } from '../storage/index.ts';
import { holdEncrypted } from '../storage/backends/local/encrypted-volumes.ts';
import type { HomeSettings } from './block-home.ts';
import { findHome } from './home-list.ts';
import type { KnownHome } from './home-list.ts';
import { objectsEncrypted } from './object-verification.ts';
import { openOnlookerDisks } from './onlooker.ts';
import { settingsOfHome, storageSettings } from './storage-policies.ts';

export function keyParts(slices: readonly Slice[]): KeyParts {
  return {
    slices,
    init: (of) => alone(of, (places, { home, chosen }) =>
      initKeys(places, systemClock, () => storeEncrypted(home, chosen))),
    rotate: (of) => alone(of, (places) => rotateDataKey(places, systemClock)),
    rotateMaster: (of, newFile) => alone(of, (places) => rotateMasterKey(places, newFile)),
    shred: (of, typed) => alone(of, (places) =>
      shredTenant(places, systemClock, { tenantId: of.tenant, typed })),
    status: async (of) => keyStatus((await homeOf(of)).root),
  };
}

/** On any of the disks, or in the bucket. One that is away may be the one that does. */
async function storeEncrypted(home: KnownHome, chosen: HomeSettings): Promise<boolean> {
  if (await objectsEncrypted(home, chosen, systemClock)) return true;
  const { settings } = chosen;
  const { disks, close } = await openOnlookerDisks(home, { clock: systemClock, settings });
  try {
    for (const { files } of disks) {
      const open = (name: string) => files.open(name, 'read');
      if (await holdEncrypted({ list: () => files.list(), open })) return true;
    }
    return false;
  } finally {
    close();
  }
}

function homeOf({ config, tenant }: KeysOf): Promise<KnownHome> {
  return findHome(config.of(serverSlice).dataDirectory, tenant);
}

/** A running server keeps the keys that it has started with: it must not run. */
async function alone<T>(
  of: KeysOf,
  act: (places: KeyPlaces, so: { home: KnownHome; chosen: HomeSettings }) => Promise<T>,
): Promise<T> {
  const home = await homeOf(of);
  const chosen = settingsOfHome(storageSettings(of.config), home);
  const { encryptionKeyPath } = chosen.settings;
  if (encryptionKeyPath === undefined) throw noKeyFile(home);
  const { dataPath, root, tenant } = home;
  const lock = lockData(dataPath);
  try {
    const places = {
      dataDirectory: root, around: dataPath, tenantId: tenant, masterKeyFile: encryptionKeyPath,
    };
    return await act(places, { home, chosen });
  } finally {
    lock.release();
  }
}

function noKeyFile({ policy }: KnownHome): HoldfastError {
  const message = policy === DEFAULT_TENANT
    ? 'Name the file of the master key first: storage.encryption_key_file in the settings, or '
      + 'HOLDFAST_STORAGE_ENCRYPTION_KEY_FILE.'
    : `Name the file of the master key first: storage.policies.${policy}.encryption_key_file in `
      + 'the settings.';
  return new HoldfastError('invalid', 'app/keys', message);
}
