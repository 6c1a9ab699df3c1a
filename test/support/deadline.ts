/** Waiting, always with an end. */
import { setTimeout as pause } from 'node:timers/promises';

/** Rejects with a sentence that names `what` when the promise takes longer than `timeoutMs`. */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = pause(timeoutMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`${what} took longer than ${timeoutMs} ms.`);
  });
  late.catch(() => undefined); // Cut short below when the promise wins.
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}

type Maybe<T> = T | undefined | false;

/** Asks again and again until the answer is not undefined or false. */
export async function eventually<T>(
  timeoutMs: number, what: string, ask: () => Promise<Maybe<T>> | Maybe<T>,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > endMs) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}.`);
    await pause(25);
  }
}

export async function sleep(ms: number): Promise<void> {
  await pause(ms);
}
