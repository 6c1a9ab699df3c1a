/** The second place of a mirror: a folder of this machine or an object store. It may be away while
 *  the server starts; it may not be another server's, nor empty when it was not. */
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import type { Clock, Metrics } from '../platform/index.ts';
import { LateStore, placeSettings, readJson, replaceJson, where } from '../storage/index.ts';
import type { BackendSettings, BlockStore, MirrorStore } from '../storage/index.ts';
import { LocalVolumeStore } from '../storage/backends/local/local-volume-store.ts';
import type { ObjectBlockStore } from '../storage/backends/s3/object-block-store.ts';
import { sameSealer } from './block-backend.ts';
import type { BackendOptions } from './block-backend.ts';
import { openObjects } from './object-place.ts';

const OP = 'app/openMirror';
const NOTE = 'holdfast-mirror.json';
/** So long the start waits for a second place that does not answer. */
const WAIT_MS = 5_000;
const RETRY_MS = 30_000;

type MirrorOptions = Pick<BackendOptions,
  'root' | 'instanceId' | 'clock' | 'log' | 'random' | 'backend' | 'places' | 'openSealer'>;

/** Of the collection of garbage in the second place, in the data directory. */
export const MIRROR_NOTES = 'mirror-gc.db';
export const MIRROR_LEDGER = 'mirror-ledger.log';

/** The second place, past everything that waits for it. */
export type MirroredStore = LocalVolumeStore | ObjectBlockStore;

interface OpenedMirror {
  readonly place: string;
  readonly store: BlockStore;
  /** Undefined until it has answered. */
  readonly opened: () => MirroredStore | undefined;
}

export function queueFolder(root: string, { mirrorQueuePath }: BackendSettings): string {
  return mirrorQueuePath ?? join(root, 'mirror');
}

/** @throws conflict: another server's place, or an empty one that was not; invalid. */
export async function openMirrorPlace(
  options: MirrorOptions,
): Promise<OpenedMirror> {
  const { backend: { mirror, mirrorFolder = '' }, backend, places, clock, log } = options;
  const settings = mirror === 'off' || mirror === 'local'
    ? undefined : placeSettings(backend, mirror, true);
  const place = settings === undefined ? `local ${mirrorFolder}` : where(settings);
  let opened: MirroredStore | undefined;
  const open = async (): Promise<BlockStore> => {
    const isFounded = places.mirror(place)?.founded === true;
    if (!isFounded) await setAsideNotes(options.root, clock);
    const store = settings === undefined ? await openFolder(mirrorFolder, isFounded, options)
      : await openObjects(settings, {
        ...options, storeId: `${options.instanceId}-mirror`,
        whenEmpty: isFounded ? 'refuse' : 'create', openSealer: () => sameSealer(options),
      });
    await places.noteMirror({ place, founded: true });
    opened = store;
    return store;
  };
  const store = await LateStore.open({
    clock, open, waitMs: WAIT_MS, retryMs: RETRY_MS,
    onFailure: (err) => log.error({ err }, 'the second place of the mirror cannot be opened'),
  });
  return { place, store, opened: () => opened };
}

/** What was noted of the garbage in another mirror says nothing of this one. */
async function setAsideNotes(root: string, clock: Clock): Promise<void> {
  for (const name of [MIRROR_NOTES, MIRROR_LEDGER]) {
    const path = join(root, name);
    await rename(path, `${path}.${clock.now()}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

async function openFolder(
  folder: string, isFounded: boolean, options: MirrorOptions,
): Promise<MirroredStore> {
  const { instanceId, clock, log } = options;
  if (!isFounded) await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, NOTE);
  const note = await readNote(path);
  if (note === undefined) {
    if (isFounded) throw notMounted();
    if ((await readdir(folder)).length > 0) {
      throw refused('The folder of the mirror is not empty and holds none. Name an empty one.');
    }
    await replaceJson(path, { format: 'holdfast-mirror', version: 1, instanceId });
  } else if (note['instanceId'] !== instanceId) {
    throw refused('The folder of the mirror holds the mirror of another server. Name another one.');
  }
  return LocalVolumeStore.open({
    root: join(folder, 'volumes'), witness: [], clock, sealer: await sameSealer(options),
    onFinding: (finding) => log.warn({ finding }, 'volumes of the mirror'),
  });
}

async function readNote(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    return await readJson(path);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw refused('The note in the mirror\'s folder is damaged. Look whose folder it is.', cause);
  }
}

function notMounted(): HoldfastError {
  const message = 'The mirror is not in its folder, though it was. Mount its disk. If it is gone '
    + 'for good, start once with storage.mirror.backend = "off", then a new mirror can be made.';
  return new HoldfastError('unavailable', OP, message, { code: 'mirror-missing' });
}

function refused(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('conflict', OP, message, { code: 'mirror-refused', cause });
}

/** What an operator wants to know of the mirror. */
export function mirrorWatch(mirror: MirrorStore): (metrics: Metrics) => void {
  const lag = () => mirror.status().lag;
  const figures: readonly [string, string, () => number][] = [
    ['mirror_lag_blocks', 'Blocks that the second place lacks, as far as counted.',
      () => lag().blocks],
    ['mirror_lag_bytes', 'Their bytes.', () => lag().bytes],
    ['mirror_stuck_blocks', 'Of those, blocks that the first place cannot read.',
      () => mirror.status().stuckBlocks],
    ['mirror_comparison_due', '1 while all blocks of both places are still to be compared.',
      () => (mirror.status().comparison.isDue ? 1 : 0)],
    ['mirror_failovers', 'Reads that the second place answered.', () => mirror.status().failovers],
    ['mirror_refused', '1 while the second place takes nothing.',
      () => (mirror.status().refusal === undefined ? 0 : 1)],
  ];
  return (metrics) => {
    for (const [name, help, read] of figures) metrics.gaugeOf({ name, help }, read);
  };
}

