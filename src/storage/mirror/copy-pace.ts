import { HoldfastError } from '../../base/errors.ts';
import type { ErrorKind } from '../../base/errors.ts';
import type { Clock, Random } from '../../platform/index.ts';
import type { MirrorLimits } from './mirror-limits.ts';

const JITTER_STEPS = 1000;

/** Says when the next copy may begin: not too many bytes a second, and not while the second store
 *  refuses. Pauses double, and are of random length, so that many mirrors do not come at once. */
export class CopyPace {
  readonly #limits: MirrorLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  #freeMs = 0;
  #failureCount = 0;
  #refusal: { kind: ErrorKind; message: string; sinceMs: number } | undefined;

  constructor(limits: MirrorLimits, clock: Clock, random: Random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
  }

  /** 0 when a copy may begin. */
  get waitMs(): number {
    return Math.max(0, this.#freeMs - this.#clock.monotonic());
  }

  get refusal(): { kind: ErrorKind; message: string; sinceMs: number } | undefined {
    return this.#refusal;
  }

  succeeded(sizeBytes: number): void {
    this.#failureCount = 0;
    this.#refusal = undefined;
    const costMs = (sizeBytes / this.#limits.copyBytesPerSecondMax) * 1000;
    this.#freeMs = Math.max(this.#freeMs, this.#clock.monotonic()) + costMs;
  }

  failed(error: unknown): void {
    // Copies that were under way together fail together: that is one failure, not eight.
    if (this.#refusal !== undefined && this.waitMs > 0) return;
    const { retryMs, retryMsMax } = this.#limits;
    const pauseMs = Math.min(retryMsMax, retryMs * 2 ** Math.min(this.#failureCount, 30));
    this.#failureCount += 1;
    const share = 0.5 + this.#random.below(JITTER_STEPS) / (2 * JITTER_STEPS);
    this.#freeMs = this.#clock.monotonic() + pauseMs * share;
    const known = error instanceof HoldfastError;
    this.#refusal = {
      kind: known ? error.kind : 'internal',
      message: known ? error.message : 'The second store failed unexpectedly.',
      sinceMs: this.#refusal?.sinceMs ?? this.#clock.now(),
    };
  }
}
