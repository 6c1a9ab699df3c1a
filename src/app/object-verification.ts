/** What verifiers see of blocks in an object store. */
import { isKind } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';
import type { StoredObjects } from '../durability/index.ts';
import { silentLog, systemRandom } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { openSealer, placeSettings } from '../storage/index.ts';
import type { BackendSettings } from '../storage/index.ts';
import type { ObjectBlockStore } from '../storage/backends/s3/object-block-store.ts';
import type { HomeSettings } from './block-home.ts';
import { BlockPlaces } from './block-place.ts';
import type { KnownHome } from './home-list.ts';
import { openObjects } from './object-place.ts';
import type { ObjectPlaceOptions } from './object-place.ts';

/** Why volumes are looked at by nobody there. */
export const IN_OBJECTS = 'the blocks lie in an object store, not in volumes';
export const IN_VOLUMES = 'the blocks lie in volumes, not in an object store';

export function verifiedObjects(store: ObjectBlockStore): StoredObjects {
  const stored = store.asStored();
  return {
    maySeal: stored.maySeal,
    async *list(after, signal) {
      for await (const page of stored.list(after)) {
        signal.throwIfAborted();
        yield page;
      }
    },
    read: (id, signal) => {
      signal.throwIfAborted();
      return stored.read(id);
    },
    async *listTrash(signal) {
      for await (const page of stored.listTrash()) {
        signal.throwIfAborted();
        yield page;
      }
    },
  };
}

export interface OnlookerObjects {
  readonly objects: StoredObjects;
  /** With the keys of the server. */
  readonly readBlock: (id: string) => Promise<Buffer | undefined>;
  readonly close: () => Promise<void>;
}

/** For a command that only looks, beside a server or without one; undefined: the blocks lie in
 *  local volumes. @throws conflict: elsewhere than the settings say; unavailable. */
export async function openOnlookerObjects(
  home: KnownHome, { backend, settings }: HomeSettings, clock: Clock,
): Promise<OnlookerObjects | undefined> {
  const { root, dataPath, tenant } = home;
  const store = await openStored(home, backend, {
    clock,
    openSealer: async (hold) => {
      if (!(await hold())) return undefined; // Nothing is written, so nothing is announced.
      return openSealer({
        dataDirectory: root, around: dataPath, tenantId: tenant, readsOnly: true,
        masterKeyFile: settings.encryptionKeyPath, compression: 'off', holdEncrypted: hold,
      });
    },
  });
  if (store === undefined) return undefined;
  const readBlock = (id: string) => store.get(id as BlockId).catch((error: unknown) => {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  });
  return { objects: verifiedObjects(store), readBlock, close: () => store.close() };
}

/** Whether encrypted blocks lie in the object store of that home. @throws as
 *  openOnlookerObjects. */
export async function objectsEncrypted(
  home: KnownHome, { backend }: Pick<HomeSettings, 'backend'>, clock: Clock,
): Promise<boolean> {
  let found = false;
  const store = await openStored(home, backend, {
    clock,
    openSealer: async (hold) => {
      found = await hold();
      return undefined;
    },
  });
  await store?.close();
  return found;
}

async function openStored(
  { root, id }: KnownHome, backend: BackendSettings,
  options: Pick<ObjectPlaceOptions, 'clock' | 'openSealer'>,
): Promise<ObjectBlockStore | undefined> {
  const places = await BlockPlaces.open(root, backend, false);
  if (places.blocks?.founded !== true || backend.backend === 'local') return undefined;
  return openObjects(placeSettings(backend, backend.backend, false), {
    ...options, log: silentLog, random: systemRandom, whenEmpty: 'refuse',
    storeId: places.blocks.storeId ?? id,
  });
}
