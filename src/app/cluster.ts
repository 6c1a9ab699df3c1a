import { join } from 'node:path';
import { findDataDirectory, systemRandom } from '../platform/index.ts';
import { makeClusterKey } from '../storage/index.ts';

/** The cluster is named after the data directory of its main machine. */
export async function makeKeyOf(dataDirectory: string): Promise<{ path: string; isNew: boolean }> {
  const data = await findDataDirectory(dataDirectory);
  const path = join(data.path, 'cluster.key');
  const isNew = await makeClusterKey(path, { clusterId: data.instanceId, random: systemRandom });
  return { path, isNew };
}
