import type { Clock } from '../../platform/index.ts';
import { nextTurn } from '../backends/local/turn.ts';

const LOCAL_MS = 2000;
const REMOTE_MS = 5000;
const MIB = 1024 ** 2;

/** How long a disk may take for a call that moves so many bytes: for each MiB an eighth more. */
export function patienceMs(remote: boolean, lengthBytes: number): number {
  const baseMs = remote ? REMOTE_MS : LOCAL_MS;
  return baseMs + Math.floor((lengthBytes / MIB) * (baseMs / 8));
}

/** A disk gave no answer in time. It may still do what it was told. */
export class SilentDiskError extends Error {
  override readonly name = 'SilentDiskError';
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('a disk gave no answer in time');
  }
}

/** Rejects when `work` takes longer; `work` goes on, and what becomes of it is not heard any more.
 *  @throws SilentDiskError */
export async function within<T>(clock: Clock, timeoutMs: number, work: Promise<T>): Promise<T> {
  let settled = false;
  const noted = work.finally(() => {
    settled = true;
  });
  return new Promise<T>((resolve, reject) => {
    const giveUp = async (): Promise<void> => {
      // This program may have been the one that slept: then the answer is here already.
      await nextTurn();
      await nextTurn();
      if (!settled) reject(new SilentDiskError());
    };
    const cancel = clock.after(timeoutMs, () => void giveUp());
    noted.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error as Error);
      },
    );
  });
}
