/** Commands about web nodes: which there are, and the data directory of another one. */
import { copyFile, mkdir, open, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import type { NodeCommandParts } from '../cli/index.ts';
import { databaseSlice, findDataDirectory, isThere, serverSlice } from '../platform/index.ts';
import type { Clock, Config, NodeRecord, Slice } from '../platform/index.ts';
import { findDatabasePlace } from './database-place.ts';

const OP = 'app/nodeCommands';

/** What each web node must have the same, and what is said of the database and the object store.
 *  The marker comes last: a directory without it is not ours. */
const SHARED = [
  'identity.key', 'keys.json', 'keys-copy.json', 'database.json', 'block-backend.json',
  'stores-complete', 'holdfast.json',
] as const;
const NEEDED: readonly string[] = [
  'identity.key', 'database.json', 'block-backend.json', 'stores-complete', 'holdfast.json',
];

export function nodeCommandParts(slices: readonly Slice[], clock: Clock): NodeCommandParts {
  return { slices, list: (config) => listNodes(config, clock), prepare: prepareNode };
}

async function listNodes(config: Config, clock: Clock): Promise<NodeRecord[]> {
  const data = await findDataDirectory(config.of(serverSlice).dataDirectory);
  const place = await findDatabasePlace(data.path, {
    settings: config.of(databaseSlice), installation: data.instanceId, isNew: false,
  });
  if (place.kind === 'files') throw noDatabase();
  const { openCluster } = await import('./cluster-tables.ts');
  const { registry, ...rest } = await openCluster(place.address, clock);
  try {
    return await registry.list();
  } finally {
    for (const part of [registry, ...Object.values(rest)]) await part.close();
  }
}

/** @throws conflict: the data directory has not been used on MariaDB with an object store yet, or
 *  the new one is not empty. */
async function prepareNode(config: Config, target: string): Promise<void> {
  const { path: root } = await findDataDirectory(config.of(serverSlice).dataDirectory);
  for (const name of NEEDED) if (!(await isThere(join(root, name)))) throw notReady(name);
  const folder = resolve(target);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0) throw notEmpty();
  for (const name of SHARED) {
    if (!(await isThere(join(root, name)))) continue;
    await copyFile(join(root, name), join(folder, name));
    await sync(join(folder, name));
  }
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function noDatabase(): HoldfastError {
  const message = 'Accounts and metadata are in files of this data directory, so there is one '
    + 'server. Several need a MariaDB database: database.url.';
  return new HoldfastError('conflict', OP, message, { code: 'no-database' });
}

function notReady(name: string): HoldfastError {
  const message = `The data directory has no ${name}. Start its server once, with database.url and `
    + 'an object store (storage.backend), before you prepare another one.';
  return new HoldfastError('conflict', OP, message, { code: 'not-ready' });
}

function notEmpty(): HoldfastError {
  const message = 'There is something in the folder for the new server. Name an empty one.';
  return new HoldfastError('conflict', OP, message, { code: 'not-empty' });
}
