/** All disks of a data directory for a command that only looks, beside a server or without one. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError, isKind } from '../base/errors.ts';
import type { VerifiedDisk } from '../durability/index.ts';
import { findDataDirectory, parseListenAddress, systemRandom } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { DiskRegister, FilerClient, readClusterKey } from '../storage/index.ts';
import type { ClusterKey, RegisteredDisk } from '../storage/index.ts';
import { NodeVolumeFiles } from '../storage/backends/local/node-volume-files.ts';
import { folderOfDisk, parseFilerPlace } from './disk-place.ts';

export interface OnlookerDisks {
  readonly disks: readonly VerifiedDisk[];
  readonly close: () => void;
}

/** @throws unavailable: a filer does not answer: what it has cannot be judged then. */
export async function openOnlookerDisks(root: string, clock: Clock): Promise<OnlookerDisks> {
  const { instanceId } = await findDataDirectory(root);
  const key = await clusterKey(root);
  const volumes = { id: 'local', files: new NodeVolumeFiles(join(root, 'volumes')) };
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
        root, key, clients, clock, coordinatorId: instanceId,
      }));
    }
    return { disks: disks.length === 0 ? [volumes] : disks, close };
  } catch (error) {
    close();
    throw error;
  }
}

interface Ways {
  readonly root: string;
  readonly key: ClusterKey | undefined;
  readonly clients: Map<string, FilerClient>;
  readonly clock: Clock;
  readonly coordinatorId: string;
}

async function openDisk({ id, where }: RegisteredDisk, ways: Ways): Promise<VerifiedDisk> {
  const place = parseFilerPlace(where);
  if (place === undefined) {
    const folder = folderOfDisk(ways.root, where);
    await checkMounted(folder, id);
    return { id, files: new NodeVolumeFiles(folder) };
  }
  const { address, diskId } = place;
  const { clients, clock, coordinatorId } = ways;
  const key = ways.key ?? (await readClusterKey(join(ways.root, 'cluster.key')));
  let client = clients.get(address);
  client ??= await FilerClient.connect({
    address: parseListenAddress(address), ...key, role: 'reader', coordinatorId, epoch: 0, clock,
    random: systemRandom,
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

async function clusterKey(root: string): Promise<ClusterKey | undefined> {
  try {
    return await readClusterKey(join(root, 'cluster.key'));
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}
