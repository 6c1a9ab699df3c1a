/** All disks of a data directory for a command that only looks, beside a server or without one. */
import { join } from 'node:path';
import { isKind } from '../base/errors.ts';
import type { VerifiedDisk } from '../durability/index.ts';
import { findDataDirectory, parseListenAddress, systemRandom } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { DiskRegister, FilerClient, readClusterKey } from '../storage/index.ts';
import type { ClusterKey, RegisteredDisk } from '../storage/index.ts';
import { NodeVolumeFiles } from '../storage/backends/local/node-volume-files.ts';

const ON_FILER = /^filer:(.+)\/([0-9a-f-]{36})$/;

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
      disks.push(await openDisk(entry, { key, clients, clock, coordinatorId: instanceId }));
    }
    return { disks: disks.length === 0 ? [volumes] : disks, close };
  } catch (error) {
    close();
    throw error;
  }
}

interface Ways {
  readonly key: ClusterKey | undefined;
  readonly clients: Map<string, FilerClient>;
  readonly clock: Clock;
  readonly coordinatorId: string;
}

async function openDisk({ id, where }: RegisteredDisk, ways: Ways): Promise<VerifiedDisk> {
  const [, address = '', diskId = ''] = ON_FILER.exec(where) ?? [];
  if (address === '' || ways.key === undefined) return { id, files: new NodeVolumeFiles(where) };
  const { key, clients, clock, coordinatorId } = ways;
  let client = clients.get(address);
  client ??= await FilerClient.connect({
    address: parseListenAddress(address), ...key, role: 'reader', coordinatorId, epoch: 0, clock,
    random: systemRandom,
  });
  clients.set(address, client);
  return { id, files: client.disk(diskId).files };
}

async function clusterKey(root: string): Promise<ClusterKey | undefined> {
  try {
    return await readClusterKey(join(root, 'cluster.key'));
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}
