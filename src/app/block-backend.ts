/** The block store that the settings ask for: local volumes or an object store, a cache in front, a
 *  mirror beside, as one. */
import { HoldfastError } from '../base/errors.ts';
import type { BlockId } from '../base/ids.ts';
import type { Witness } from '../base/witness.ts';
import type { Clock, Logger, Metrics, Random } from '../platform/index.ts';
import {
  CACHE_DEFAULTS, DiskCache, MemoryCache, MirrorStore, placeSettings, where,
} from '../storage/index.ts';
import type {
  BackendSettings, BlockReclaim, BlockSealer, BlockStore, HoldEncrypted, StoreSharing,
  VolumeReclaim,
} from '../storage/index.ts';
import type { LocalVolumeStore } from '../storage/backends/local/local-volume-store.ts';
import type { ObjectBlockStore } from '../storage/backends/s3/object-block-store.ts';
import type { BlockPlaces } from './block-place.ts';
import type { FleetSettings } from './fleet.ts';
import { mirrorWatch, openMirrorPlace, queueFolder } from './mirror-place.ts';
import type { MirroredStore } from './mirror-place.ts';
import { openObjects } from './object-place.ts';

const OP = 'app/openStores';

export interface BlockBackend {
  /** What files are read and written through. */
  readonly blocks: BlockStore;
  /** The same without the cache. */
  readonly uncached: BlockStore;
  /** What is garbage in it… */
  readonly reclaim: BlockReclaim;
  /** …and how its room is given back. */
  readonly volumes: VolumeReclaim;
  /** What is durable in local volumes; nothing is to be witnessed of an object store. */
  readonly witness: () => Witness;
  /** See BlockHome.checkMarks. */
  readonly checkMarks: (witness: Witness) => Promise<void>;
  /** The two places, each by itself, if there is a mirror. */
  readonly mirror: MirrorStore | undefined;
  /** The second of them, once it has answered. */
  readonly mirrored: () => MirroredStore | undefined;
  /** The store that counts, past cache and mirror; undefined: it is the local volumes. */
  readonly objects: ObjectBlockStore | undefined;
  readonly watch: (metrics: Metrics) => void;
  readonly close: () => Promise<void>;
}

export interface BackendOptions {
  readonly root: string;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: Random;
  readonly settings: FleetSettings;
  readonly backend: BackendSettings;
  readonly places: BlockPlaces;
  readonly openLocal: () => Promise<LocalVolumeStore>;
  /** How blocks are sealed in every place, and opened. */
  readonly openSealer: (hold: HoldEncrypted) => Promise<BlockSealer | undefined>;
  /** Of an object store that several servers write to. */
  readonly sharing?: StoreSharing | undefined;
}

/** What cannot be together. @throws invalid, with what to do; nothing was opened or changed. */
export function checkFitting({ backend }: BackendSettings, settings: FleetSettings): void {
  const { copies, acksMin } = settings;
  if (backend !== 'local' && (copies !== 0 || acksMin !== 0)) {
    throw unfitting('How many copies an object store keeps is set there. Leave storage.copies '
      + 'and storage.copies_acknowledged out.');
  }
}

/** For what is stored beside a place that was asked already whether it holds encrypted blocks. */
export function sameSealer({ openSealer }: Pick<BackendOptions, 'openSealer'>) {
  return openSealer(() => Promise.resolve(false));
}

/** Everything that was opened is closed again when it throws. */
export async function openBackend(options: BackendOptions): Promise<BlockBackend> {
  const { backend, places } = options;
  const local = backend.backend === 'local' ? await options.openLocal() : undefined;
  const first = local === undefined ? await openFirst(options) : { store: local };
  let blocks: BlockStore = first.store;
  let uncached = blocks;
  let mirror: MirrorStore | undefined;
  let mirrored: BlockBackend['mirrored'] = () => undefined;
  const watches: ((metrics: Metrics) => void)[] = [];
  try {
    if (backend.mirror === 'off') await places.noteMirror(undefined);
    else {
      ({ mirror, mirrored } = await withMirror(blocks, options));
      watches.push(mirrorWatch(mirror));
      blocks = mirror;
    }
    uncached = blocks;
    if ('forget' in first) {
      const disk = await openDiskCache(blocks, options);
      const memory = new MemoryCache({ behind: disk ?? blocks });
      first.forget.id = async (id) => {
        memory.forget(id);
        await disk?.forget(id);
      };
      watches.push(cacheWatch(memory, disk));
      blocks = memory;
    }
  } catch (error) {
    await blocks.close();
    throw error;
  }
  return {
    blocks, uncached, mirror, mirrored, reclaim: first.store.reclaim, volumes: first.store.keeper,
    witness: () => local?.witness() ?? [],
    checkMarks: async (witness) => local?.checkMarks(witness),
    objects: 'forget' in first ? first.store : undefined,
    watch: (metrics) => watches.forEach((watch) => watch(metrics)),
    close: () => blocks.close(),
  };
}

interface FirstObjects {
  store: ObjectBlockStore;
  /** Who keeps a copy of a block that leaves. */
  forget: { id: ((id: BlockId) => Promise<void>) | undefined };
}

async function openFirst(options: BackendOptions): Promise<FirstObjects> {
  const { backend, places, clock, log, random, instanceId, openSealer } = options;
  if (backend.backend === 'local') throw unfitting('There is no object store in the settings.');
  const settings = placeSettings(backend, backend.backend, false);
  const place = where(settings);
  const whenEmpty = places.blocks?.founded === true ? 'refuse' : 'create';
  // Before anything is written there: from now on a start with other settings is refused.
  if (places.blocks === undefined) await places.noteBlocks({ place, founded: false });
  const forget: FirstObjects['forget'] = { id: undefined };
  const store = await openObjects(settings, {
    clock, log, random, whenEmpty, openSealer, storeId: places.blocks?.storeId ?? instanceId,
    onRemoved: async (id) => forget.id?.(id), sharing: options.sharing,
  });
  try {
    await store.ready();
    await places.noteBlocks({ ...places.blocks, place, founded: true });
    return { store, forget };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function withMirror(
  first: BlockStore, options: BackendOptions,
): Promise<Pick<BlockBackend, 'mirrored'> & { mirror: MirrorStore }> {
  const { backend, root, clock, random } = options;
  const { place, store: second, opened: mirrored } = await openMirrorPlace(options);
  const own = backend.backend === 'local'
    ? `local ${options.instanceId}` : where(placeSettings(backend, backend.backend, false));
  const rate = backend.mirrorBytesPerSecond;
  try {
    const mirror = await MirrorStore.open({
      first, second, clock, random, policy: backend.mirrorPolicy,
      folder: queueFolder(root, backend), pair: `${own} | ${place}`,
      ...(rate !== undefined && { limits: { copyBytesPerSecondMax: rate } }),
    });
    return { mirror, mirrored };
  } catch (error) {
    await second.close();
    throw error;
  }
}

/** Undefined: none is asked for. */
async function openDiskCache(
  behind: BlockStore, options: BackendOptions,
): Promise<DiskCache | undefined> {
  const { backend: { cachePath, cacheBytes }, clock } = options;
  if (cachePath === undefined) return undefined;
  return DiskCache.open({
    behind, folder: cachePath, clock, sealer: await sameSealer(options),
    limits: { ...CACHE_DEFAULTS, bytesMax: cacheBytes },
  });
}

function cacheWatch(
  memory: MemoryCache, disk: DiskCache | undefined,
): (metrics: Metrics) => void {
  const figures: (readonly [string, string, () => number])[] = [
    ['block_memory_hits', 'Reads of blocks that were answered from memory.',
      () => memory.counters().hits],
    ['block_memory_misses', 'Reads of blocks that were not in memory.',
      () => memory.counters().misses],
  ];
  if (disk !== undefined) {
    figures.push(
      ['block_cache_hits', 'Reads that the cache has answered.', () => disk.counters().hits],
      ['block_cache_misses', 'Reads that went behind.', () => disk.counters().misses],
      ['block_cache_bytes', 'What is cached.', () => disk.counters().storedBytes],
      ['block_cache_paused', '1 while the cache is left alone: its disk is full, slow or broken.',
        () => (disk.counters().paused === undefined ? 0 : 1)],
    );
  }
  return (metrics) => {
    for (const [name, help, read] of figures) metrics.gaugeOf({ name, help }, read);
  };
}

function unfitting(message: string): HoldfastError {
  return new HoldfastError('invalid', OP, message, { code: 'settings-unfitting' });
}
