/** Has an operation done by the server that runs on a data directory, or here if none does. */
import { HoldfastError, isKind } from '../base/errors.ts';
import { filesSlice } from '../files/index.ts';
import type { QuotaService } from '../files/index.ts';
import { askServer } from '../operations/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import { findDataDirectory, lockData, serverSlice, silentLog } from '../platform/index.ts';
import type { Clock, Config, DataLock, Random, ValuesOf } from '../platform/index.ts';
import { brakeOperations } from './brake-operations.ts';
import { databaseOperations } from './database-figures.ts';
import { moveDisk } from './disk-operations.ts';
import { Fleet } from './fleet.ts';
import { findHome } from './home-list.ts';
import { homeOperations, tenantOf } from './home-operations.ts';
import { peopleOperations } from './people-operations.ts';
import { peopleWorkAlone } from './people-work.ts';
import type { PeopleWork } from './people-work.ts';
import { quotaOperations, quotasAlone } from './quota-operations.ts';
import { retentionOperations } from './retention-operations.ts';
import type { ShardDrains } from './shard-drains.ts';
import { shardOperations } from './shard-operations.ts';
import { openStores } from './stores.ts';
import { tenantMoveOperations } from './tenant-moves.ts';
import type { TenantMoves } from './tenant-moves.ts';
import type { Stores } from './stores.ts';
import { settingsOfHome, storageSettings } from './storage-policies.ts';

export interface OrderParts {
  readonly clock: Clock;
  readonly random: Random;
}

export function operationsOf(
  stores: Stores, options: {
    isServing: boolean; moves?: TenantMoves; drains?: ShardDrains; clock: Clock;
    quotas: QuotaService; people: PeopleWork;
    files: ValuesOf<typeof filesSlice.settings>;
  },
): Operations {
  const { files, people: { now } } = options;
  const people = {
    ...peopleOperations(stores, options.people),
    ...brakeOperations(stores.metadata, options.people),
    ...retentionOperations(stores, { files, now }),
  };
  const quota = quotaOperations(stores, options.quotas);
  const shards = shardOperations(stores, options.clock, {
    mover: options.moves, drains: options.drains,
  });
  return {
    ...people, ...quota, ...databaseOperations(options), ...shards,
    ...homeOperations(stores, options),
    ...tenantMoveOperations(options.moves, stores),
  };
}

/** @throws what the operation throws; unavailable: a server runs there and does not answer. */
export async function order(
  config: Config,
  { operation, input }: { operation: string; input: PlainRecord },
  { clock, random }: OrderParts,
): Promise<PlainRecord> {
  const { path } = await findDataDirectory(config.of(serverSlice).dataDirectory);
  const answer = await askServer(path, { operation, input });
  if (answer !== undefined) return answer;
  const lock = lockAlone(path);
  try {
    if (operation === 'disk.move') {
      return await moveAlone(config, input, { clock, random });
    }
    const stores = await openStores(path, {
      clock, random, log: silentLog, ...storageSettings(config),
    });
    try {
      const files = config.of(filesSlice);
      const quotas = quotasAlone(stores, { clock, files });
      const people = await peopleWorkAlone(stores, { clock, dataPath: path, files });
      const act = operationsOf(stores, {
        isServing: false, quotas, people, files, clock,
      })[operation];
      if (act === undefined) throw new HoldfastError('internal', 'app/order', 'No such operation.');
      return await act(input, { progress: () => undefined, signal: new AbortController().signal });
    } finally {
      await stores.close();
    }
  } finally {
    lock.release();
  }
}

/** A disk that was moved may be the one without which nothing can be opened. */
async function moveAlone(
  config: Config, input: PlainRecord, parts: OrderParts,
): Promise<PlainRecord> {
  const home = await findHome(config.of(serverSlice).dataDirectory, tenantOf(input));
  const { settings } = settingsOfHome(storageSettings(config), home);
  const { root: dataPath, id: instanceId } = home;
  const fleet = new Fleet({
    ...parts, dataPath, instanceId, settings, log: silentLog,
    ...(home.number !== 0 && { within: home.dataPath }),
  });
  try {
    return await moveDisk({ fleet, opened: undefined }, input);
  } finally {
    await fleet.close();
  }
}

function lockAlone(path: string): DataLock {
  try {
    return lockData(path);
  } catch (cause) {
    if (!isKind(cause, 'conflict')) throw cause;
    const message = 'A server runs on this data and does not answer yet. Try again shortly.';
    throw new HoldfastError('unavailable', 'app/order', message, { cause });
  }
}
