/**
 * Blocks of which the objects are being removed.
 *
 * A put that finds the object there acknowledges it without writing; a removal that overtakes it
 * would take an acknowledged block away. So a put waits until a removal under way has ended, and a
 * block that is being put is not removed. A removal without an answer may still happen when the
 * connection is long gone: as long as the service takes its signature the block is not put at all.
 */
import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import type { Clock } from '../../../platform/index.ts';

/** S3, Google and Azure refuse a request that was signed 15 minutes ago. */
const SIGNATURE_MS = 16 * 60 * 1000;
/** The collector stops at the first removal that fails, so there are never many. */
const UNCERTAIN_MAX = 10_000;

export class LeavingBlocks {
  readonly #clock: Clock;
  readonly #leaving = new Map<BlockId, Promise<void>>();
  /** Until when a removal without an answer may happen. */
  readonly #uncertain = new Map<BlockId, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nothing may come between the decision that the block can go and this call. */
  async remove(id: BlockId, act: () => Promise<void>): Promise<void> {
    if (this.#uncertain.size >= UNCERTAIN_MAX) throw busy('remove');
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#leaving.set(id, promise);
    try {
      await act();
      this.#uncertain.delete(id);
    } catch (error) {
      this.#uncertain.set(id, this.#clock.monotonic() + SIGNATURE_MS);
      throw error;
    } finally {
      this.#leaving.delete(id);
      resolve();
    }
  }

  /** Resolves when the block may be put. @throws busy: not for some minutes. */
  async mayBePut(id: BlockId, op: string): Promise<void> {
    await this.#leaving.get(id);
    const untilMs = this.#uncertain.get(id);
    if (untilMs === undefined) return;
    if (this.#clock.monotonic() < untilMs) throw busy(op);
    this.#uncertain.delete(id);
  }
}

function busy(op: string): HoldfastError {
  const message = 'Something with the same content is just being removed. Try again in a quarter '
    + 'of an hour.';
  return new HoldfastError('busy', op, message, { code: 'removal-uncertain' });
}
