import type { Clock } from '../../platform/index.ts';

/** Work that was not done for a while may be made up for this long. */
const BURST_MS = 1_000;

/** Answers when so many bytes may be worked on, so that it comes to a rate in the long run; at once
 *  when the signal has fired. */
export function paceOf(
  clock: Clock, bytesPerSecond: number, signal?: AbortSignal,
): (bytes: number) => Promise<void> {
  let freeAtMs = clock.monotonic();
  return async (bytes) => {
    const now = clock.monotonic();
    freeAtMs = Math.max(freeAtMs, now - BURST_MS) + (bytes / bytesPerSecond) * 1_000;
    const waitMs = freeAtMs - now;
    if (waitMs <= 0 || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(waitMs, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        resolve();
      }, { once: true });
    });
  };
}
