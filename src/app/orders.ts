/** Has an operation done by the server that runs on a data directory, or here if none does. */
import { HoldfastError, isKind } from '../base/errors.ts';
import { askServer } from '../operations/index.ts';
import type { Operations, PlainRecord } from '../operations/index.ts';
import { findDataDirectory, lockData, serverSlice, silentLog } from '../platform/index.ts';
import type { Clock, Config, DataLock, Random } from '../platform/index.ts';
import { diskOperations } from './disk-operations.ts';
import { figureOperations } from './figure-operations.ts';
import { fleetSettings } from './fleet.ts';
import { openStores } from './stores.ts';
import type { Stores } from './stores.ts';

export interface OrderParts {
  readonly clock: Clock;
  readonly random: Random;
}

export function operationsOf(stores: Stores, options: { isServing: boolean }): Operations {
  return { ...diskOperations(stores, options), ...figureOperations(stores) };
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
    const settings = fleetSettings(config);
    const stores = await openStores(path, { clock, random, log: silentLog, settings });
    try {
      const act = operationsOf(stores, { isServing: false })[operation];
      if (act === undefined) throw new HoldfastError('internal', 'app/order', 'No such operation.');
      return await act(input, { progress: () => undefined, signal: new AbortController().signal });
    } finally {
      await stores.close();
    }
  } finally {
    lock.release();
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
