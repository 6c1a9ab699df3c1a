import { HoldfastError } from '../../base/errors.ts';
import { readJson, replaceJson } from './durable-json.ts';

/**
 * The epoch of this start: one more than that of the last one, durable before it is used. So filers
 * can tell a coordinator that was restarted from one that only thinks that it still runs.
 * @throws corrupt: the file is damaged.
 */
export async function nextEpoch(path: string): Promise<number> {
  let last: unknown;
  try {
    last = (await readJson(path))?.['epoch'] ?? 0;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw damaged(cause);
  }
  if (!Number.isSafeInteger(last) || (last as number) < 0) throw damaged(undefined);
  const epoch = (last as number) + 1;
  await replaceJson(path, { epoch });
  return epoch;
}

/** Gives an epoch back under which nothing was written: else a copy of an old data directory that
 *  is started again and again, and refused, would become the newest in the end. */
export async function returnEpoch(path: string, epoch: number): Promise<void> {
  await replaceJson(path, { epoch: epoch - 1 });
}

function damaged(cause: unknown): HoldfastError {
  const message = 'The file epoch.json is damaged. Write {"epoch": N} into it, N being higher than '
    + 'the last one in the filers\' logs.';
  return new HoldfastError('corrupt', 'storage/nextEpoch', message, { cause });
}
