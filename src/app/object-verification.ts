/** What verifiers see of blocks in an object store. */
import type { StoredObjects } from '../durability/index.ts';
import { findDataDirectory, silentLog, systemRandom } from '../platform/index.ts';
import type { Clock, Config } from '../platform/index.ts';
import { backendSlice, placeSettings } from '../storage/index.ts';
import type { ObjectBlockStore } from '../storage/backends/s3/object-block-store.ts';
import { BlockPlaces } from './block-place.ts';
import { openObjects } from './object-place.ts';

/** Why volumes are looked at by nobody there. */
export const IN_OBJECTS = 'the blocks lie in an object store, not in volumes';
export const IN_VOLUMES = 'the blocks lie in volumes, not in an object store';

export function verifiedObjects(store: ObjectBlockStore): StoredObjects {
  const stored = store.asStored();
  return {
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
  };
}

export interface OnlookerObjects {
  readonly objects: StoredObjects;
  readonly close: () => Promise<void>;
}

/** For a command that only looks, beside a server or without one; undefined: the blocks lie in
 *  local volumes. @throws conflict: elsewhere than the settings say; unavailable. */
export async function openOnlookerObjects(
  root: string, config: Config, clock: Clock,
): Promise<OnlookerObjects | undefined> {
  const settings = config.of(backendSlice);
  const places = await BlockPlaces.open(root, settings, false);
  if (places.blocks === undefined || settings.backend === 'local') return undefined;
  const { instanceId } = await findDataDirectory(root);
  const store = await openObjects(placeSettings(settings, settings.backend, false), {
    clock, log: silentLog, random: systemRandom, storeId: instanceId, whenEmpty: 'refuse',
  });
  return { objects: verifiedObjects(store), close: () => store.close() };
}
