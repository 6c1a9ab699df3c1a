/**
 * Moves the blocks of a data directory from one place to another, while no server runs: to the
 * object store that is its mirror, or back into local volumes.
 *
 * Everything is copied, and read at the target, before the note changes that says where the blocks
 * lie (block-place.ts). Until then nothing has happened but copies; from then on the settings must
 * name the new place, and a start with the old ones is refused. Nothing is removed where the blocks
 * were: that is for the operator, who may also go back.
 *
 * One storage policy is moved as a whole, with the homes of all tenants that have it, because they
 * share its settings. The note of the default tenant changes last: while it does not, the command
 * can be given again.
 */
import { HoldfastError } from '../base/errors.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import type { StorageMove, StorageMoveParts } from '../cli/index.ts';
import {
  armFailpoint, failpoint, findDataDirectory, lockData, serverSlice, silentLog,
} from '../platform/index.ts';
import type { Clock, Config, Random, Slice } from '../platform/index.ts';
import { placeSettings, where } from '../storage/index.ts';
import type { BlockStore } from '../storage/index.ts';
import { openBlockHome } from './block-home.ts';
import type { BlockHome, HomeSettings } from './block-home.ts';
import { countLacking, moveBlocks } from './block-move.ts';
import { BlockPlaces, findBlockPlace } from './block-place.ts';
import type { KnownPlace } from './block-place.ts';
import { findHome, ownMarks } from './home-list.ts';
import type { KnownHome } from './home-list.ts';
import { settingsOfHome, storageSettings } from './storage-policies.ts';
import { openStores } from './stores.ts';
import type { Stores } from './stores.ts';

const OP = 'app/moveStorage';

interface Env {
  readonly clock: Clock;
  readonly random: Random;
}

interface HomeMove {
  readonly home: KnownHome;
  readonly chosen: HomeSettings;
  readonly from: BlockStore;
  readonly to: BlockStore;
  /** Where the blocks lie then; undefined: in local volumes. */
  readonly place: KnownPlace | undefined;
}

type Target = 'mirror' | 'local';

export function storageMoveParts(slices: readonly Slice[], env: Env): StorageMoveParts {
  return { slices, open: (config, options) => openMove(config, options, env) };
}

/** @throws conflict, code `data-locked`: a server runs; precondition: the settings do not fit the
 *  move; and as openStores. */
async function openMove(
  config: Config, { to, policy }: { to: Target; policy: string }, env: Env,
): Promise<StorageMove> {
  const { dataDirectory, failpoint: armed } = config.of(serverSlice);
  if (armed !== undefined) armFailpoint(armed);
  const { path: root } = await findDataDirectory(dataDirectory);
  const opened: { close(): Promise<void> }[] = [];
  const closeStores = async (): Promise<void> => {
    for (const one of opened.splice(0).reverse()) await one.close();
  };
  const lock = lockData(root);
  const close = async (): Promise<void> => {
    await closeStores();
    lock.release();
  };
  try {
    const stores = await openStores(root, { ...env, log: silentLog, ...storageSettings(config) });
    opened.push(stores);
    const moves: HomeMove[] = [];
    for (const { home, chosen } of await homesOf(stores, { config, policy, to })) {
      const open = stores.homes.find(home.tenant);
      if (open === undefined) throw refused('A tenant\'s storage cannot be opened.', 'no-home');
      moves.push(to === 'mirror' ? toMirror(open, { home, chosen })
        : await toLocal(open, { home, chosen }, { env, stores, opened }));
    }
    return moveOf(moves, { closeStores, close });
  } catch (error) {
    await close();
    throw error;
  }
}

function moveOf(
  moves: readonly HomeMove[],
  { closeStores, close }: { closeStores: () => Promise<void>; close: () => Promise<void> },
): StorageMove {
  return {
    plan: () => Promise.all(moves.map(async (move) => {
      const { blockCount, storedBytes } = move.from.state();
      const place = move.place?.place ?? 'local volumes';
      const lackingCount = await countLacking(move);
      return { tenant: move.home.tenant, place, blockCount, storedBytes, lackingCount };
    })),
    run: async (onProgress) => {
      for (const move of moves) {
        const { tenant } = move.home;
        const counts = await moveBlocks({
          ...move, onProgress: (done) => onProgress(tenant, done),
        });
        if (counts.unreadable.length > 0) throw unreadable(tenant, counts.unreadable.length);
      }
      await closeStores();
      failpoint('app.move-whole');
      const others = moves.filter(({ home }) => home.tenant !== DEFAULT_TENANT);
      const own = moves.filter(({ home }) => home.tenant === DEFAULT_TENANT);
      for (const { home, chosen, place } of [...others, ...own]) {
        await (await BlockPlaces.open(home.root, chosen.backend, false)).noteMoved(place);
        failpoint('app.move-noted');
      }
    },
    close,
  };
}

/** Those that have the policy, and were not moved by a run that was cut short. */
async function homesOf(
  { homes, place: { root } }: Stores,
  { config, policy, to }: { config: Config; policy: string; to: Target },
): Promise<{ home: KnownHome; chosen: HomeSettings }[]> {
  const all = storageSettings(config);
  const found: { home: KnownHome; chosen: HomeSettings }[] = [];
  const tenants = [...homes.list().map(({ place }) => place.tenant), ...homes.failed.keys()];
  for (const tenant of tenants) {
    const home = await findHome(root, tenant);
    if (home.policy !== policy) continue;
    const chosen = settingsOfHome(all, home);
    checkMovable(chosen, to);
    const target = to === 'local' ? undefined : placeOfMirror(chosen);
    const isOpen = homes.find(tenant) !== undefined;
    if (isOpen || await findBlockPlace(home.root) !== target) found.push({ home, chosen });
  }
  if (found.length > 0) return found;
  throw refused(`Nobody's files are kept by a storage policy "${policy}".`, 'no-policy');
}

function checkMovable({ backend: { backend, mirror } }: HomeSettings, to: Target): void {
  if (to === 'mirror' && (mirror === 'off' || mirror === 'local')) {
    throw refused('Files are moved to an object store that is their mirror. Name it in '
      + 'storage.mirror.backend and the settings below storage.mirror, best for some days before '
      + 'the move, so that little is left to be copied.', 'no-mirror');
  }
  if (to === 'local' && backend === 'local') {
    throw refused('The files lie in local volumes already.', 'is-local');
  }
}

function placeOfMirror({ backend }: HomeSettings): string | undefined {
  const { mirror } = backend;
  return mirror === 'off' || mirror === 'local'
    ? undefined : where(placeSettings(backend, mirror, true));
}

function toMirror(
  { backend }: BlockHome, { home, chosen }: Pick<HomeMove, 'home' | 'chosen'>,
): HomeMove {
  const place = placeOfMirror(chosen);
  if (place === undefined || backend.mirror === undefined) throw refused('No mirror.', 'no-mirror');
  const { first: from, second: to } = backend.mirror.places;
  const storeId = `${home.id}-mirror`;
  return { home, chosen, from, to, place: { place, founded: true, storeId } };
}

/** Into the volumes that were there before, if there were any. */
async function toLocal(
  { backend }: BlockHome, { home, chosen }: Pick<HomeMove, 'home' | 'chosen'>,
  { env, stores, opened }: { env: Env; stores: Stores; opened: { close(): Promise<void> }[] },
): Promise<HomeMove> {
  const { cachePath: _, ...places } = chosen.backend;
  const local = await openBlockHome({
    ...env, log: silentLog, place: home, dataPath: home.dataPath, settings: chosen.settings,
    backend: { ...places, cachePath: undefined, backend: 'local', mirror: 'off' },
    places: BlockPlaces.beside(home.root),
    witness: ownMarks(home.number, await stores.metadata.readWitness()),
  });
  opened.push(local);
  if (local.blocks.state().damagedCount > 0) {
    throw refused('Of the local volumes that were used before some are missing or damaged. Put '
      + 'all of them back, as they were when the files were moved away.', 'volumes-lost');
  }
  const from = backend.mirror?.places.first ?? backend.uncached;
  return { home, chosen, from, to: local.blocks, place: undefined };
}

function unreadable(tenant: string, count: number): HoldfastError {
  const message = `${count} blocks of tenant ${tenant} can be read nowhere. Nothing was changed: `
    + 'the files stay where they are. Find out which with: holdfast verify run';
  return new HoldfastError('corrupt', OP, message, { code: 'unreadable', facts: { count } });
}

function refused(message: string, code: string): HoldfastError {
  return new HoldfastError('precondition', OP, message, { code });
}
