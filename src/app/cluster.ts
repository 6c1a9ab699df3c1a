import { join } from 'node:path';
import { findDataDirectory, serverSlice, systemRandom } from '../platform/index.ts';
import type { Config } from '../platform/index.ts';
import { filerSlice, makeClusterKey, rotateClusterKey } from '../storage/index.ts';

/** The cluster is named after the data directory of its main machine. */
export async function makeKeyOf(dataDirectory: string): Promise<{ path: string; isNew: boolean }> {
  const data = await findDataDirectory(dataDirectory);
  const path = join(data.path, 'cluster.key');
  const isNew = await makeClusterKey(path, { clusterId: data.instanceId, random: systemRandom });
  return { path, isNew };
}

/** Of the main machine: a running server reads the file with its next connection to each filer. */
export async function rotateKeyOf(
  config: Config, step: 'begin' | 'finish',
): Promise<{ path: string }> {
  const data = await findDataDirectory(config.of(serverSlice).dataDirectory);
  const path = config.of(filerSlice).clusterKeyPath ?? join(data.path, 'cluster.key');
  await rotateClusterKey(path, { step, random: systemRandom });
  return { path };
}
