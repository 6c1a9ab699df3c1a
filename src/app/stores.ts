/**
 * Opens everything that one data directory holds, in the order that lets a damaged one be refused
 * before anything in it is changed, and closes it in the opposite order.
 */
import { access, mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import type { SpaceId } from '../base/ids.ts';
import type { Witness } from '../base/witness.ts';
import { Identity } from '../identity/index.ts';
import type { SignInNotice } from '../identity/index.ts';
import { SqliteIdentityStore } from '../identity/stores/sqlite/sqlite-identity-store.ts';
import { SqliteMetadataStore } from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import { findDataDirectory, openDataDirectory } from '../platform/index.ts';
import type { Clock, Logger, Random } from '../platform/index.ts';
import { openSealer } from '../storage/index.ts';
import { holdEncrypted } from '../storage/backends/local/encrypted-volumes.ts';
import type { BackendSettings, BlockStore } from '../storage/index.ts';
import type { VolumeFinding } from '../storage/backends/local/findings.ts';
import { LocalVolumeStore } from '../storage/backends/local/local-volume-store.ts';
import { NodeVolumeFiles } from '../storage/backends/local/node-volume-files.ts';
import { checkFitting, openBackend } from './block-backend.ts';
import type { BlockBackend } from './block-backend.ts';
import { BlockPlaces } from './block-place.ts';
import { Fleet } from './fleet.ts';
import type { FleetSettings, OpenedFleet } from './fleet.ts';

/** Written once all stores were made: from then on a missing one is a loss, not a first start. */
const COMPLETE = 'stores-complete';

export interface Stores {
  identity: Identity;
  metadata: SqliteMetadataStore;
  blocks: BlockStore;
  /** The store behind `blocks`: local volumes or an object store. */
  backend: BlockBackend;
  /** The disks behind `blocks`, if these are local volumes. */
  fleet: Fleet;
  /** Undefined while `volumes` is the only disk. */
  opened: OpenedFleet | undefined;
  close(): Promise<void>;
}

export interface StoresOptions {
  clock: Clock;
  log: Logger;
  random: Random;
  settings: FleetSettings;
  backend: BackendSettings;
  /** Told of each space that a commit has changed. */
  onCommit?: (spaceId: SpaceId) => void;
  onSignIn?: (notice: SignInNotice) => void;
}

/** The directory must be locked by the caller. @throws corrupt, invalid: a store is damaged, newer
 *  or missing, with the reason; nothing was changed then. */
export async function openStores(root: string, options: StoresOptions): Promise<Stores> {
  const paths = {
    identity: join(root, 'identity.db'),
    metadata: join(root, 'metadata.db'),
    volumes: join(root, 'volumes'),
    complete: join(root, COMPLETE),
  };
  const mayCreate = !(await exists(paths.complete));
  const { backend: chosen } = options;
  const isLocal = chosen.backend === 'local';
  checkFitting(chosen, options.settings);
  const places = await BlockPlaces.open(root, chosen, mayCreate);
  await checkNothingLost(paths, { mayCreate, isLocal });
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const store of opened.splice(0).reverse()) await store.close();
  };
  try {
    const { onCommit } = options;
    const metadata = await SqliteMetadataStore.open({
      file: paths.metadata, create: mayCreate, ...(onCommit !== undefined && { onCommit }),
    });
    opened.push(metadata);
    const { instanceId } = await findDataDirectory(root);
    const fleet = new Fleet({ ...options, dataPath: root, instanceId });
    opened.push(fleet);
    const witness = await metadata.readWitness();
    const several = isLocal ? await fleet.open(witness) : undefined;
    const backend = await openBackend({
      ...options, root, instanceId, places, backend: chosen,
      openLocal: () => openBlocks(paths.volumes, { witness, several }, options),
    });
    opened.push(backend);
    if (several !== undefined) opened.push({ close: () => several.repair.stop() });
    const identity = await openIdentity(paths.identity, mayCreate, options);
    opened.push(identity);
    if (mayCreate) await writeMarker(root, paths.complete);
    const { blocks } = backend;
    return { identity, metadata, blocks, backend, fleet, opened: several, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Only the accounts: for commands that work whether or not the server runs. With `create`, makes
 *  the data directory if it is absent or empty. @throws as openDataDirectory or findDataDirectory,
 *  and as openStores. */
export async function openIdentityAlone(
  path: string, { clock, create }: { clock: Clock; create: boolean },
): Promise<Identity> {
  const found = create ? openDataDirectory(path, clock) : findDataDirectory(path);
  const { path: root } = await found;
  const mayCreate = !(await exists(join(root, COMPLETE)));
  return openIdentity(join(root, 'identity.db'), mayCreate, { clock });
}

async function openIdentity(
  file: string, create: boolean, { clock, onSignIn }: Pick<StoresOptions, 'clock' | 'onSignIn'>,
): Promise<Identity> {
  const store = await SqliteIdentityStore.open({ file, create });
  return Identity.open({ store, clock, ...(onSignIn !== undefined && { onSignIn }) });
}

async function openBlocks(
  root: string, { witness, several }: { witness: Witness; several: OpenedFleet | undefined },
  { log, clock, settings }: StoresOptions,
): Promise<LocalVolumeStore> {
  const { reserveBytes, sealAfterSeconds, volumeBytes } = settings;
  const { compression, encryptionKeyPath } = settings;
  if (several === undefined) await mkdir(root, { recursive: true, mode: 0o700 });
  const files = several?.files ?? new NodeVolumeFiles(root);
  const sealer = await openSealer({
    dataDirectory: dirname(root), masterKeyFile: encryptionKeyPath, compression,
    holdEncrypted: () => holdEncrypted({
      list: () => files.list(), open: (name) => files.open(name, 'read'),
    }),
  });
  const blocks = await LocalVolumeStore.open({
    root, clock, witness, sealer,
    ...(several !== undefined && { files: several.files }),
    config: {
      sealAfterMs: sealAfterSeconds * 1000, volumeBytesMax: volumeBytes,
      ...(reserveBytes !== undefined && { reserveBytes }),
    },
    onFinding: (finding) => {
      tell(log, finding);
      several?.heed(finding);
    },
  });
  if (several !== undefined) {
    several.repair.endDegraded = () => blocks.endDegraded();
    several.repair.start();
  }
  return blocks;
}

/** Only what cannot be read as it was stored is an alarm. */
function tell(log: Logger, finding: VolumeFinding): void {
  const [level, message] = WORDS[finding.kind];
  log[level]({ finding }, message);
}

type Words = readonly ['error' | 'warn' | 'info', string];

const WORDS: Readonly<Record<VolumeFinding['kind'], Words>> = {
  'torn-tail': ['info', 'what was being written when the program ended was cut off'],
  'damaged-range': ['error', 'stored bytes are damaged'],
  'damaged-block': ['error', 'stored bytes are damaged'],
  'read-failed': ['error', 'stored bytes cannot be read'],
  'write-failed': ['warn', 'a disk refused a write; it was or will be made on another volume'],
  'seal-failed': ['warn', 'a volume could not be sealed; the next start reads it whole'],
  'volume-gap': ['error', 'a volume is missing'],
  'writes-stopped': ['error', 'no volume can be written; writes are refused until a restart'],
};

async function checkNothingLost(
  paths: { identity: string; metadata: string; volumes: string },
  { mayCreate, isLocal }: { mayCreate: boolean; isLocal: boolean },
): Promise<void> {
  const missing: string[] = [];
  // With several disks, one that is away is not the end: they see for themselves.
  const hasSeveral = await exists(join(dirname(paths.volumes), 'register'));
  const wanted = [
    paths.metadata, paths.identity, ...(hasSeveral || !isLocal ? [] : [paths.volumes]),
  ];
  for (const path of wanted) {
    if (!(await exists(path))) missing.push(path.slice(path.lastIndexOf('/') + 1));
  }
  if (!mayCreate && missing.length > 0) refuseLoss(missing);
  // A first start that was cut short may have made some of the stores, but no data.
  const isThere = wanted.includes(paths.volumes) && !missing.includes('volumes');
  const hasVolumes = isThere && (await readdir(paths.volumes)).length > 0;
  if (hasVolumes && missing.includes('metadata.db')) refuseLoss(missing);
}

function refuseLoss(missing: readonly string[]): never {
  const message = `The data directory is incomplete: ${missing.join(', ')} is missing. Is a disk `
    + 'not mounted? Put back what is missing, from a backup if need be; nothing was changed.';
  throw new HoldfastError('corrupt', 'app/openStores', message, { code: 'data-incomplete' });
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function writeMarker(root: string, path: string): Promise<void> {
  for (const [name, flags] of [[path, 'w'], [root, 'r']] as const) {
    const file = await open(name, flags, 0o600);
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
