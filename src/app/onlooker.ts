/** All disks of a block home for a command that only looks, beside a server or without one. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, isKind } from '../base/errors.ts';
import { LocalFolder } from '../durability/index.ts';
import type { VerifiedDisk } from '../durability/index.ts';
import { parseListenAddress, systemRandom } from '../platform/index.ts';
import type { Clock, ValuesOf } from '../platform/index.ts';
import { DiskRegister, FilerClient, readClusterKey, readCopyPlaces } from '../storage/index.ts';
import type { ClusterKey, filerSlice, RegisteredDisk } from '../storage/index.ts';
import { NodeVolumeFiles } from '../storage/backends/local/node-volume-files.ts';
import { folderOfDisk, parseFilerPlace } from './disk-place.ts';
import type { HomePlace } from './home-list.ts';

export interface OnlookerDisks {
  readonly disks: readonly VerifiedDisk[];
  /** What is noted of these is about nothing any more. */
  readonly goneIds: readonly string[];
  /** Where copies of a volume belong; undefined: nobody has said. */
  readonly placement: (volumeName: string) => readonly string[] | undefined;
  readonly close: () => void;
}

/** How filers are spoken to, as the settings say. */
export type OnlookerSettings = Pick<
  ValuesOf<typeof filerSlice.settings>, 'clusterKeyPath' | 'filerCaPath'
>;

/** @throws unavailable: a filer does not answer: what it has cannot be judged then. */
export async function openOnlookerDisks(
  { root, id: instanceId }: Pick<HomePlace, 'root' | 'id'>,
  { clock, settings }: { clock: Clock; settings: OnlookerSettings },
): Promise<OnlookerDisks> {
  const keyPath = settings.clusterKeyPath ?? join(root, 'cluster.key');
  const key = await clusterKey(keyPath);
  const folder = join(root, 'volumes');
  const volumes = { id: 'local', files: new NodeVolumeFiles(folder) };
  const own = { id: 'data-directory', files: new NodeVolumeFiles(join(root, 'register')) };
  const register = await DiskRegister.open(key?.clusterId ?? instanceId, [own, volumes]);
  const clients = new Map<string, FilerClient>();
  const close = (): void => {
    for (const client of clients.values()) client.close();
  };
  try {
    const disks: VerifiedDisk[] = [];
    for (const entry of register.disks.filter(({ state }) => state !== 'retired')) {
      disks.push(await openDisk(entry, {
        root, key, keyPath, clients, clock, coordinatorId: instanceId,
        filerCaPath: settings.filerCaPath,
      }));
    }
    if (register.disks.length === 0) {
      const local = { id: volumes.id, files: new LocalFolder(folder) };
      return { disks: [local], goneIds: [], placement: () => undefined, close };
    }
    const retired = register.disks.filter(({ state }) => state === 'retired');
    const goneIds = [volumes.id, ...retired.map(({ id }) => id)];
    const places = await readCopyPlaces(disks);
    return { disks, goneIds, placement: (name) => places.get(name), close };
  } catch (error) {
    close();
    throw error;
  }
}

interface Ways {
  readonly root: string;
  readonly key: ClusterKey | undefined;
  readonly keyPath: string;
  readonly filerCaPath: string | undefined;
  readonly clients: Map<string, FilerClient>;
  readonly clock: Clock;
  readonly coordinatorId: string;
}

async function openDisk({ id, where }: RegisteredDisk, ways: Ways): Promise<VerifiedDisk> {
  const place = parseFilerPlace(where);
  if (place === undefined) {
    const folder = folderOfDisk(ways.root, where);
    await checkMounted(folder, id);
    return { id, files: new LocalFolder(folder) };
  }
  const { address, diskId } = place;
  const { clients, clock, coordinatorId, filerCaPath } = ways;
  const key = ways.key ?? (await readClusterKey(ways.keyPath));
  let client = clients.get(address);
  client ??= await FilerClient.connect({
    address: parseListenAddress(address), ...key, role: 'reader', coordinatorId, epoch: 0, clock,
    random: systemRandom,
    ...(filerCaPath !== undefined && { tls: { ca: await readFile(filerCaPath) } }),
  });
  clients.set(address, client);
  return { id, files: client.disk(diskId).files };
}

/** A disk that is away must not look like an empty one. */
async function checkMounted(folder: string, diskId: string): Promise<void> {
  let found: unknown;
  try {
    found = JSON.parse(await readFile(join(folder, 'disk.json'), 'utf8'));
  } catch (cause) {
    throw notMounted(diskId, cause);
  }
  if ((found as { diskId?: unknown } | null)?.diskId !== diskId) throw notMounted(diskId);
}

function notMounted(diskId: string, cause?: unknown): HoldfastError {
  const message = 'A disk is not mounted where it should be, so what it holds cannot be judged.';
  const options = { cause, code: 'disk-missing', facts: { diskId } };
  return new HoldfastError('unavailable', 'app/openOnlookerDisks', message, options);
}

async function clusterKey(path: string): Promise<ClusterKey | undefined> {
  try {
    return await readClusterKey(path);
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}
