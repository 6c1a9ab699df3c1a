/** Changes of a batch, handed to the store in slices: what waits for the disk together shares one
 *  transaction, and what was refused is counted instead of ending the batch. */
import { HoldfastError } from '../../../base/errors.ts';
import type { ErrorKind } from '../../../base/errors.ts';
import type { ChangeResult } from '../../../metadata/index.ts';

export const SLICE_MAX = 500;

/** With these the batch goes on without the node: a lock, a full quota, somebody else's change. */
const SKIPPED: ReadonlySet<ErrorKind> = new Set<ErrorKind>([
  'locked', 'quota', 'precondition', 'exists', 'conflict', 'not-found', 'denied', 'invalid',
  'too-large',
]);

export class Slice {
  readonly #onFull: () => Promise<void>;
  #waiting: Promise<void>[] = [];
  #failure: unknown;
  doneCount = 0;
  skippedCount = 0;

  /** `onFull` is called after each slice, when its changes are on the disk. */
  constructor(onFull: () => Promise<void>) {
    this.#onFull = onFull;
  }

  /** Takes a change that was handed in. @throws what ended an earlier one for good. */
  async add(work: Promise<ChangeResult>): Promise<void> {
    this.#waiting.push(this.#watch(work));
    if (this.#waiting.length >= SLICE_MAX) await this.flush();
  }

  async #watch(work: Promise<ChangeResult>): Promise<void> {
    try {
      await work;
      this.doneCount += 1;
    } catch (error) {
      if (error instanceof HoldfastError && SKIPPED.has(error.kind)) this.skippedCount += 1;
      else this.#failure ??= error;
    }
  }

  /** Resolves when all that was added is on the disk, or was refused. */
  async flush(): Promise<void> {
    const isAny = this.#waiting.length > 0;
    await Promise.all(this.#waiting.splice(0));
    if (this.#failure !== undefined) throw this.#failure as Error;
    if (isAny) await this.#onFull();
  }
}
