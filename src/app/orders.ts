/** Has an operation done by the server that runs on a data directory, or here if none does. */
import { HoldfastError, isKind } from '../base/errors.ts';
import { filesSlice } from '../files/index.ts';
import type { QuotaService } from '../files/index.ts';
import { askServer } from '../operations/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import { findDataDirectory, lockData, serverSlice, silentLog } from '../platform/index.ts';
import type { Clock, Config, DataLock, Random } from '../platform/index.ts';
import { backendSlice } from '../storage/index.ts';
import { diskOperations, moveDisk } from './disk-operations.ts';
import { figureOperations } from './figure-operations.ts';
import { Fleet, fleetSettings, type FleetOptions } from './fleet.ts';
import { peopleOperations } from './people-operations.ts';
import { peopleWorkAlone } from './people-work.ts';
import type { PeopleWork } from './people-work.ts';
import { quotaOperations, quotasAlone } from './quota-operations.ts';
import { openStores } from './stores.ts';
import type { Stores } from './stores.ts';

export interface OrderParts {
  readonly clock: Clock;
  readonly random: Random;
}

export function operationsOf(
  stores: Stores, options: { isServing: boolean; quotas: QuotaService; people: PeopleWork },
): Operations {
  const people = peopleOperations(stores, options.people);
  const quota = quotaOperations(stores, options.quotas);
  if (stores.backend.objects !== undefined) return { ...people, ...quota, ...inObjects() };
  return { ...people, ...quota, ...diskOperations(stores, options), ...figureOperations(stores) };
}

const VOLUME_OPERATIONS = ['disk.list', 'disk.add', 'disk.plan', 'disk.apply', 'store.figures'];

/** What is asked about disks has no answer then. */
function inObjects(): Operations {
  const refuse = (): Promise<never> => {
    const message = 'The content of files lies in an object store: there are no disks to manage, '
      + 'and how likely it is to lose something is for its operator to say.';
    throw new HoldfastError('conflict', 'app/order', message, { code: 'no-disks' });
  };
  return Object.fromEntries(VOLUME_OPERATIONS.map((name) => [name, refuse]));
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
      return await moveAlone(path, input, { clock, random, settings: fleetSettings(config) });
    }
    const stores = await openStores(path, {
      clock, random, log: silentLog, settings: fleetSettings(config),
      backend: config.of(backendSlice),
    });
    try {
      const quotas = quotasAlone(stores, { clock, files: config.of(filesSlice) });
      const people = peopleWorkAlone(stores, { clock, ...config.of(filesSlice) });
      const act = operationsOf(stores, { isServing: false, quotas, people })[operation];
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
  dataPath: string, input: PlainRecord,
  parts: Omit<FleetOptions, 'dataPath' | 'instanceId' | 'log'>,
): Promise<PlainRecord> {
  const { instanceId } = await findDataDirectory(dataPath);
  const fleet = new Fleet({ ...parts, dataPath, instanceId, log: silentLog });
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
