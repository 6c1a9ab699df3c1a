/** Trying again: bounded, with pauses that grow and are scattered, so that many do not come back
 *  at the same moment. */
import { HoldfastError } from '../../../base/errors.ts';
import type { Clock, Random } from '../../../platform/index.ts';

export interface RetryOptions {
  attemptsMax: number;
  backoffFirstMs: number;
  backoffMaxMs: number;
  clock: Clock;
  random: Random;
}

/** A failure that may be over in a moment. `fault` is what to throw when no attempt is left. */
export class Passing extends Error {
  override readonly name = 'Passing';
  readonly fault: HoldfastError;
  /** The service asked to wait so long. */
  readonly waitMs: number;

  constructor(fault: HoldfastError, waitMs = 0) {
    super(fault.message, { cause: fault });
    this.fault = fault;
    this.waitMs = waitMs;
  }
}

/** Runs `attempt` until it succeeds or fails for good.
 *  @throws what `attempt` throws, the last Passing's fault, or the signal's reason. */
export async function retrying<T>(
  options: RetryOptions, signal: AbortSignal, attempt: () => Promise<T>,
): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Passing)) throw error;
      if (count >= options.attemptsMax) throw error.fault;
      const pauseMs = Math.max(pauseBefore(count, options), error.waitMs);
      await pause(options.clock, Math.min(pauseMs, options.backoffMaxMs), signal);
    }
  }
}

function pauseBefore(attempt: number, options: RetryOptions): number {
  const spanMs = Math.min(options.backoffMaxMs, options.backoffFirstMs * 2 ** (attempt - 1));
  return 1 + options.random.below(Math.max(1, Math.floor(spanMs)));
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      stop();
      reject(signal.reason as Error);
    };
    const stop = clock.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Runs `work` with a signal that fires when the caller gives up or the time is over. */
export async function withDeadline<T>(
  options: { clock: Clock; timeoutMs: number; op: string; signal: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, timeoutMs, op, signal } = options;
  const limit = new AbortController();
  const stop = clock.after(timeoutMs, () => {
    const message = 'The object store did not answer in time. Try again later.';
    const facts = { timeoutMs };
    limit.abort(new HoldfastError('unavailable', op, message, { code: 'timeout', facts }));
  });
  try {
    const both = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
    return await work(both);
  } finally {
    stop();
  }
}
