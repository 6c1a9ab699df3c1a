/** The key commands on the data directory of a configuration. */
import type { KeyParts } from '../cli/index.ts';
import { HoldfastError } from '../base/errors.ts';
import { findDataDirectory, lockData, serverSlice, systemClock } from '../platform/index.ts';
import type { Config, Slice } from '../platform/index.ts';
import {
  DEFAULT_TENANT, filerSlice, initKeys, keyStatus, rotateDataKey, rotateMasterKey,
  shredTenant, storageSlice,
} from '../storage/index.ts';
import type { KeyPlaces } from '../storage/index.ts';
import { holdEncrypted } from '../storage/backends/local/encrypted-volumes.ts';
import { openOnlookerDisks } from './onlooker.ts';

export function keyParts(slices: readonly Slice[]): KeyParts {
  return {
    slices,
    init: (config) => alone(config, (places) =>
      initKeys(places, systemClock, () => storeEncrypted(places.dataDirectory, config))),
    rotate: (config) => alone(config, (places) => rotateDataKey(places, systemClock)),
    rotateMaster: (config, newFile) => alone(config, (places) => rotateMasterKey(places, newFile)),
    shred: (config, typed) => alone(config, (places) =>
      shredTenant(places, systemClock, { tenantId: DEFAULT_TENANT, typed })),
    status: async (config) => {
      const { path } = await findDataDirectory(config.of(serverSlice).dataDirectory);
      return keyStatus(path);
    },
  };
}

/** On any of the disks. One that is away may be the one that does. */
async function storeEncrypted(dataPath: string, config: Config): Promise<boolean> {
  const ways = { clock: systemClock, settings: config.of(filerSlice) };
  const { disks, close } = await openOnlookerDisks(dataPath, ways);
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

/** A running server keeps the keys that it has started with: it must not run. */
async function alone<T>(config: Config, act: (places: KeyPlaces) => Promise<T>): Promise<T> {
  const { path } = await findDataDirectory(config.of(serverSlice).dataDirectory);
  const { encryptionKeyPath } = config.of(storageSlice);
  if (encryptionKeyPath === undefined) {
    const message = 'Name the file of the master key first: storage.encryption_key_file in the '
      + 'settings, or HOLDFAST_STORAGE_ENCRYPTION_KEY_FILE.';
    throw new HoldfastError('invalid', 'app/keys', message);
  }
  const lock = lockData(path);
  try {
    return await act({ dataDirectory: path, masterKeyFile: encryptionKeyPath });
  } finally {
    lock.release();
  }
}
