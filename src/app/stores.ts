/**
 * Opens everything that one data directory holds, in the order that lets a damaged one be refused
 * before anything in it is changed, and closes it in the opposite order.
 */
import { open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assert } from '../base/assert.ts';
import { HoldfastError } from '../base/errors.ts';
import type { SpaceId } from '../base/ids.ts';
import { Identity } from '../identity/index.ts';
import type { SignInNotice } from '../identity/index.ts';
import type { KnownMarks, MetadataStore } from '../metadata/index.ts';
import { findDataDirectory, isThere, openDataDirectory } from '../platform/index.ts';
import type { ChangeMarks } from '../platform/mariadb/index.ts';
import type {
  Clock, ClusterSettings, DatabaseSettings, Logger, Random,
} from '../platform/index.ts';
import type { IdempotencyStore } from '../protocols/index.ts';
import type { BackendSettings } from '../storage/index.ts';
import { checkFitting } from './block-backend.ts';
import { openBlockHome } from './block-home.ts';
import type { BlockHome } from './block-home.ts';
import { BlockHomes } from './block-homes.ts';
import type { SharedHomes } from './block-homes.ts';
import { BlockPlaces } from './block-place.ts';
import { claimPlace, findDatabasePlace, warnOfRights } from './database-place.ts';
import type { DatabasePlace } from './database-place.ts';
import type { FleetSettings } from './fleet.ts';
import { ownHome, ownMarks } from './home-list.ts';
import { openIdempotencyStore } from './idempotency-place.ts';
import { IDENTITY_FILE, openIdentityStore } from './identity-place.ts';
import { METADATA_FILE } from './metadata-place.ts';
import { checkNodeFitting } from './node-fitting.ts';
import { PROGRAM_VERSION } from './program-version.ts';
import { checkShards } from './schema.ts';
import { openShards } from './shards.ts';
import type { Shards } from './shards.ts';
import type { Policies } from './storage-policies.ts';
import { WebNode } from './web-node.ts';

/** Written once all stores were made: from then on a missing one is a loss, not a first start. */
const COMPLETE = 'stores-complete';

/** With the block home of the default tenant, for all that knows no other. */
export interface Stores extends BlockHome {
  identity: Identity;
  metadata: MetadataStore;
  shards: Shards;
  homes: BlockHomes;
  /** Where accounts and metadata are. */
  database: DatabasePlace;
  databaseSettings: DatabaseSettings | undefined;
  /** What keyed requests of the API were answered. */
  idempotency: IdempotencyStore;
  /** What other servers know of this one; undefined: its database is files of its own. */
  webNode: WebNode | undefined;
}

export interface StoresOptions {
  clock: Clock;
  log: Logger;
  random: Random;
  settings: FleetSettings;
  backend: BackendSettings;
  /** Left out: files in the data directory. */
  database?: DatabaseSettings;
  /** Left out: it serves alone. */
  cluster?: ClusterSettings;
  /** For tenants that have another one. */
  policies?: Policies;
  /** Told of each space that a commit has changed. */
  onCommit?: (spaceId: SpaceId) => void;
  onSignIn?: (notice: SignInNotice) => void;
}

/** The directory must be locked by the caller. @throws corrupt, invalid: a store is damaged, newer
 *  or missing, with the reason; nothing was changed then. */
export async function openStores(root: string, options: StoresOptions): Promise<Stores> {
  const paths = {
    identity: join(root, IDENTITY_FILE), metadata: join(root, METADATA_FILE),
    volumes: join(root, 'volumes'),
    complete: join(root, COMPLETE),
  };
  const mayCreate = !(await isThere(paths.complete));
  const { backend: chosen } = options;
  const isLocal = chosen.backend === 'local';
  checkFitting(chosen, options.settings);
  const places = await BlockPlaces.open(root, chosen, mayCreate);
  const data = await findDataDirectory(root);
  const found = await findDatabasePlace(root, {
    settings: options.database, installation: data.instanceId, isNew: mayCreate,
  });
  checkNodeFitting(options.cluster ?? { node: undefined }, found.kind, chosen);
  await checkNothingLost(paths, { mayCreate, isLocal, hasFiles: found.kind === 'files' });
  const database = await claimPlace(root, found);
  await warnOfRights(database, { log: options.log, shard: 'main' });
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const store of opened.splice(0).reverse()) await store.close();
  };
  try {
    const { onCommit, clock, log } = options;
    const webNode = await openWebNode(root, database, options);
    if (webNode !== undefined) opened.push(webNode);
    if (database.kind === 'mariadb') await checkShards(root, database, options);
    const marks = await openMarks(database, clock, opened);
    const accounts: { identity?: Identity } = {};
    const { metadata, shards } = await openShards(root, database, {
      clock, log, installation: data.instanceId, settings: options.database,
      identity: () => {
        assert(accounts.identity !== undefined, 'nobody is served before the accounts are open');
        return accounts.identity;
      },
      ...(onCommit !== undefined && { onCommit }), marks,
    });
    opened.push(metadata);
    const place = ownHome(data);
    const { witness, away } = await shards.admission.readFirstMarks(metadata, shards.pool);
    const own = await openBlockHome({
      ...options, place, places, dataPath: root, witness: ownMarks(place.number, witness),
      isWitnessWhole: away.length === 0, sharing: webNode?.sharing,
    });
    opened.push(own);
    await webNode?.start(own.backend.objects);
    const identity = await openIdentity(root, database, { ...options, marks });
    accounts.identity = identity;
    opened.push(identity);
    if (database.kind === 'files') await checkShards(root, database, options);
    const idempotency = await openIdempotencyStore(root, database, options.clock);
    opened.push(idempotency);
    const homes = await openHomes(own, options, {
      identity, readMarks: () => shards.admission.readMarks(metadata, shards.pool), webNode,
      database, opened,
    });
    if (mayCreate) await writeMarker(root, paths.complete);
    await homes.openAll(await identity.tenants.list());
    shards.admission.setLast(async (_, store) => homes.checkMarks(await store.readWitness()));
    shards.admission.ready();
    return {
      ...own, identity, metadata, shards, homes, database, idempotency, webNode, close,
      databaseSettings: options.database,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Also enters them among what was opened. */
async function openHomes(
  own: BlockHome, options: StoresOptions,
  { identity, readMarks, webNode, database, opened }: {
    identity: Identity; readMarks: () => Promise<KnownMarks>; webNode: WebNode | undefined;
    database: DatabasePlace; opened: { close(): Promise<void> }[];
  },
): Promise<BlockHomes> {
  const shared = await openSharedHomes(database, webNode, options.clock);
  if (shared !== undefined) opened.push(shared.table);
  const homes = await BlockHomes.open(own, {
    ...options, policies: options.policies ?? new Map(), usual: options,
    findTenant: (id) => identity.tenants.find(id), readMarks, shared,
  });
  opened.push(homes);
  return homes;
}

async function openSharedHomes(
  database: DatabasePlace, webNode: WebNode | undefined, clock: Clock,
): Promise<SharedHomes | undefined> {
  if (database.kind === 'files') return undefined;
  const { MariadbHomeTable } = await import(
    '../storage/shared/stores/mariadb/mariadb-home-table.ts');
  const table = await MariadbHomeTable.open(database.address, clock);
  const sharing = webNode?.sharing;
  if (webNode === undefined || sharing === undefined) return { table };
  return {
    table, others: {
      node: webNode.name, sharing, alone: (name, act) => webNode.alone(name, act),
      tell: (store) => webNode.tell(store),
    },
  };
}

/** What tells of accounts and metadata together whether anything has changed. Also enters it among
 *  what was opened. */
async function openMarks(
  database: DatabasePlace, clock: Clock, opened: { close(): Promise<void> }[],
): Promise<ChangeMarks | undefined> {
  if (database.kind === 'files') return undefined;
  const mariadb = await import('../platform/mariadb/index.ts');
  const { address } = database;
  const marks = new mariadb.ChangeMarks({
    address, clock, words: { op: 'app/ChangeMarks', database: 'database' },
  });
  opened.push(marks);
  return marks;
}

async function openWebNode(
  root: string, database: DatabasePlace, { cluster, clock, log }: StoresOptions,
): Promise<WebNode | undefined> {
  if (database.kind === 'files') return undefined;
  const { address } = database;
  return WebNode.open(address, { name: cluster?.node, root, version: PROGRAM_VERSION, clock, log });
}

/** Only the accounts: for commands that work whether or not the server runs. With `create`, makes
 *  the data directory if it is absent or empty. @throws as openDataDirectory or findDataDirectory,
 *  and as openStores. */
export async function openIdentityAlone(
  path: string,
  { clock, create, database: settings }: {
    clock: Clock; create: boolean; database?: DatabaseSettings;
  },
): Promise<Identity> {
  const found = create ? openDataDirectory(path, clock) : findDataDirectory(path);
  const { path: root, instanceId: installation } = await found;
  const isNew = !(await isThere(join(root, COMPLETE)));
  const findPlace = () => findDatabasePlace(root, { settings, installation, isNew });
  const database = await claimPlace(root, await findPlace());
  const identity = await openIdentity(root, database, { clock });
  try {
    // A file may count no more when it is no longer held; from here on it is not carried away.
    if (database.kind === 'files') await findPlace();
    return identity;
  } catch (error) {
    await identity.close();
    throw error;
  }
}

async function openIdentity(
  root: string, database: DatabasePlace,
  { clock, onSignIn, log, marks }: Pick<StoresOptions, 'clock' | 'onSignIn'> & {
    log?: Logger; marks?: ChangeMarks | undefined;
  },
): Promise<Identity> {
  const { store, ...parts } = await openIdentityStore(root, database, clock, marks);
  try {
    return await Identity.open({
      store, clock, ...parts, ...(onSignIn !== undefined && { onSignIn }),
      onFault: (err) => log?.warn({ err }, 'failed sign-ins could not be counted for all servers, '
        + 'or uses of app passwords not be noted; this server goes on with what it knows'),
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function checkNothingLost(
  paths: { identity: string; metadata: string; volumes: string },
  { mayCreate, isLocal, hasFiles }: { mayCreate: boolean; isLocal: boolean; hasFiles: boolean },
): Promise<void> {
  const missing: string[] = [];
  // With several disks, one that is away is not the end: they see for themselves.
  const hasSeveral = await isThere(join(dirname(paths.volumes), 'register'));
  const wanted = [
    ...(hasFiles ? [paths.metadata, paths.identity] : []),
    ...(hasSeveral || !isLocal ? [] : [paths.volumes]),
  ];
  for (const path of wanted) {
    if (!(await isThere(path))) missing.push(path.slice(path.lastIndexOf('/') + 1));
  }
  if (!mayCreate && missing.length > 0) refuseLoss(missing);
  // A first start that was cut short may have made some of the stores, but no data.
  const mayBeThere = wanted.includes(paths.volumes) && !missing.includes('volumes');
  const hasVolumes = mayBeThere && (await readdir(paths.volumes)).length > 0;
  if (hasVolumes && missing.includes(METADATA_FILE)) refuseLoss(missing);
}

function refuseLoss(missing: readonly string[]): never {
  const message = `The data directory is incomplete: ${missing.join(', ')} is missing. Is a disk `
    + 'not mounted? Put back what is missing, from a backup if need be; nothing was changed.';
  throw new HoldfastError('corrupt', 'app/openStores', message, { code: 'data-incomplete' });
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
