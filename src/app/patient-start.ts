/**
 * A server may start before its database does, or while it is away. It waits then, for as long as
 * that takes: users are told to come again, which their clients do without losing anything, and a
 * process that ended instead would only be started again by whoever looks after it.
 */
import { HoldfastError } from '../base/errors.ts';
import type { Clock, Logger } from '../platform/index.ts';

const PAUSE_FIRST_MS = 1_000;
const PAUSE_MAX_MS = 30_000;
const AWAY: ReadonlySet<string | undefined> = new Set([
  'database-away', 'database-retries-spent', 'shard-away', 'marks-away',
]);

export interface PatienceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the waiting. */
  readonly stopping?: AbortSignal | undefined;
}

/** Tries again, after pauses that grow, while the database cannot be reached. What `open` opened
 *  before it failed must be closed again by then. @throws what `open` throws otherwise, a wrong
 *  password or database included; the signal's reason. */
export async function whenDatabaseIsThere<T>(
  open: () => Promise<T>, { clock, log, stopping }: PatienceOptions,
): Promise<T> {
  for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
    stopping?.throwIfAborted();
    try {
      return await open();
    } catch (err) {
      if (!isAway(err)) throw err;
      log.warn({ err, nextTryMs: pauseMs },
        'the metadata database cannot be reached; requests get 503 until it can');
    }
    await pause(pauseMs, { clock, stopping });
  }
}

function isAway(error: unknown): boolean {
  return error instanceof HoldfastError && AWAY.has(error.code);
}

async function pause(
  pauseMs: number, { clock, stopping }: Omit<PatienceOptions, 'log'>,
): Promise<void> {
  if (stopping?.aborted === true) return;
  const over = Promise.withResolvers<undefined>();
  const cancel = clock.after(pauseMs, () => over.resolve(undefined));
  const onStop = (): void => over.resolve(undefined);
  stopping?.addEventListener('abort', onStop, { once: true });
  await over.promise;
  stopping?.removeEventListener('abort', onStop);
  cancel();
}
